"""A model as judge of answers: yes or no, by the type of the question, as LongMemEval's own scorer asks (Wu et al., ICLR 2025).

The prompts re-state the official ones in our words, by type. The official judge is one snapshot of one model: with another, or
with these words, figures are those of an unofficial judge, and every report says so. Official scorers get their files as well.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.resources import files
from string import Template
from time import perf_counter
from typing import Annotated, Literal

from pydantic import Field

from cascade.call_trace import Trace
from cascade.errors import CascadeFault
from cascade.model import ChatRequest, Message
from cascade.reading import read_verdict
from cascade.tiers.model import ModelTier
from eval.errors import Unusable
from eval.harness.benchmark import Sample, Work
from tirtha.settings import Settings
from tirtha.wiring.tiers import model_name, open_tiers

__all__ = ["JudgeTier", "JudgedBy", "ToJudge", "judge_name", "judge_note", "judge_prompt", "judging"]

JudgeTier = Literal["local", "frontier"]
JudgedBy = Annotated[JudgeTier | None, Field(description="the tier whose model judges the answers")]
OFFICIAL_JUDGE = "gpt-4o-2024-08-06"
_OFFICIAL_TOKENS = 10
_DEADLINE_S = 300.0
_SHOWN = 200  # characters of a reply that a fault shows
_PROMPTS = {
    "temporal-reasoning": "temporal",
    "knowledge-update": "update",
    "single-session-preference": "preference",
    "abstention": "abstention",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ToJudge:
    """A reply and what it is judged by; `type` is LongMemEval's, or "abstention"."""

    type: str
    question: str
    answer: str
    reply: str


@asynccontextmanager
async def judging(settings: Settings, tier: JudgeTier, wanted: Mapping[str, ToJudge]) -> AsyncIterator[Work]:
    """Yield a function that judges one reply by the tier's model; `value` is `{"right": bool, "said": str}`.

    A judge that says neither yes nor no has judged nothing: that is a fault, and no wrong reply.

    Raises Unusable if that tier is not configured.
    """
    async with open_tiers(settings) as tiers:
        judge = tiers.local if tier == "local" else tiers.frontier
        if judge is None:
            raise Unusable(f"the judge is the {tier} tier: set TIRTHA_{tier.upper()}_URL")

        async def work(id_: str) -> Sample:
            return await _judge(judge, id_, wanted[id_])

        yield work


def judge_name(settings: Settings, tier: JudgeTier | None) -> str:
    """Name the judge, "none" without one. Raises Misconfigured for a tier without a model."""
    configured = {"local": settings.local, "frontier": settings.frontier}[tier] if tier else None
    return model_name(tier, configured) if tier and configured else "none"


def judge_note(name: str) -> list[str]:
    """Return what a reader must know of the judge."""
    if name == "none":
        return ["No model judged the answers here: score the official file with the official judge."]
    words = "the paper's model, with our words" if name == OFFICIAL_JUDGE else f"{name} instead of {OFFICIAL_JUDGE}"
    return [f"Unofficial judge: {words}. Not to be compared with published figures."]


def judge_prompt(one: ToJudge) -> str:
    """Ask whether a reply is right, in the words for its type of question."""
    file = f"judge_{_PROMPTS.get(one.type, 'default')}.md"
    template = Template((files("eval") / "prompts" / file).read_text("utf-8"))
    return template.substitute(question=one.question, answer=one.answer, reply=one.reply)


async def _judge(judge: ModelTier, id_: str, one: ToJudge) -> Sample:
    # A model that reasons needs more than the official ten tokens to come to its yes.
    tokens = _OFFICIAL_TOKENS if judge.model == OFFICIAL_JUDGE else judge.max_tokens
    request = ChatRequest(messages=(Message(role="user", content=judge_prompt(one)),), max_tokens=tokens)
    trace = Trace(started_s=perf_counter(), deadline_s=_DEADLINE_S)
    said, fault = "", ""
    try:
        said = (await judge.ask(request, trace, purpose="judge")).text
    except CascadeFault as failed:
        fault = str(failed)
    cost = sum(call.cost_nanousd for call in trace.calls)
    verdict = read_verdict(said)
    if verdict is None:
        fault = fault or f"the judge said neither yes nor no: {said[:_SHOWN]!r}"
        return Sample(id=id_, fault=fault, cost_nanousd=cost)
    return Sample(id=id_, value={"right": verdict == "yes", "said": said}, cost_nanousd=cost)
