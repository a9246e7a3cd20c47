"""The systems that are compared: the cascade as configured, a tier alone, the cascade without one of its parts, a stuffed prompt.

All answer over one memory and the same tiers, so that nothing but the system differs. Each gives back its decision, also one that
ended without an answer; a stuffed prompt has no decision.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from time import perf_counter

from cascade import Cascade, Decision
from cascade.call_trace import Trace
from cascade.decision import Call
from cascade.errors import TierDown, TooLong
from cascade.guards import FinishGuard, SchemaGuard
from cascade.reading.abstentions import lacks_answer
from cascade.tiers.model import ModelTier
from compaction import stuff
from eval.errors import Unusable
from eval.harness.answer_paths import ask_raw, caller_of
from eval.harness.conversations import Conversation, LabelledQuestion
from memory.api import Memory
from tirtha.operations.answering import Answered, Answering, Asked, Decide
from tirtha.operations.ask import AskRequest
from tirtha.service import Service
from tirtha.settings import Settings

__all__ = [
    "CASCADE",
    "CHANGES",
    "STUFFED",
    "SYSTEMS",
    "Stuffed",
    "System",
    "SystemOutcome",
    "check_systems",
    "serves_abstention",
    "unchanged",
    "without_guards",
    "without_repair",
    "without_verification",
    "without_widening",
]

CASCADE, STUFFED, LOCAL_ALONE, FRONTIER_ALONE = "cascade", "stuffed", "local-alone", "frontier-alone"
_NOT_IN_TEXT = "not in the text"  # what the prompt asks for where the text lacks the answer
_DEADLINE_S = 600.0
Change = Callable[[Cascade], Cascade]


def unchanged(cascade: Cascade) -> Cascade:
    """Return the cascade as it is configured."""
    return cascade


def without_verification(cascade: Cascade) -> Cascade:
    """Return one that serves the first draft that is well formed."""
    return replace(cascade, guards=(FinishGuard(), SchemaGuard()))


def without_guards(cascade: Cascade) -> Cascade:
    """Return one that serves whatever came back whole."""
    return replace(cascade, guards=(FinishGuard(),))


def without_repair(cascade: Cascade) -> Cascade:
    """Return one that asks for no second draft with the guards' reasons in view."""
    return replace(cascade, policy=replace(cascade.policy, repair=False))


def without_widening(cascade: Cascade) -> Cascade:
    """Return one that draws up no wider context."""
    return replace(cascade, policy=replace(cascade.policy, widen_before=0, widen_after=0, raw=False))


def _alone(cascade: Cascade) -> Cascade:
    """Return one that always asks, serves the first draft, and judges nothing."""
    own = replace(without_widening(without_repair(cascade)), certificate=None, answerable_from=0.0)
    return replace(own, policy=replace(own.policy, verify=False))


def _local_alone(cascade: Cascade) -> Cascade:
    return replace(_alone(cascade), frontier=None)


def _frontier_alone(cascade: Cascade) -> Cascade:
    return replace(_alone(cascade), local=None)


CHANGES: Mapping[str, Change] = {
    CASCADE: unchanged,
    LOCAL_ALONE: _local_alone,
    FRONTIER_ALONE: _frontier_alone,
    "no-verification": without_verification,
    "no-guards": without_guards,
    "no-repair": without_repair,
    "no-widening": without_widening,
}
SYSTEMS = (*CHANGES, STUFFED)


def check_systems(systems: Sequence[str], settings: Settings) -> None:
    """Raise Unusable for a system that is not known, named twice, or lacks the model that it is about."""
    for name in systems:
        if name not in SYSTEMS:
            raise Unusable(f"there is no system {name!r}: name some of {', '.join(SYSTEMS)}")
        if systems.count(name) > 1:
            raise Unusable(f"the system {name!r} is named twice")
        if name == LOCAL_ALONE and not settings.local:
            raise Unusable(f"{name} needs the local tier: set TIRTHA_LOCAL_URL or TIRTHA_LOCAL_GGUF")
        if name == FRONTIER_ALONE and not settings.frontier:
            raise Unusable(f"{name} needs the frontier tier: set TIRTHA_FRONTIER_URL or TIRTHA_FRONTIER_GGUF")
        if name != CASCADE and not (settings.local or settings.frontier):
            raise Unusable(f"{name} needs a model: set TIRTHA_LOCAL_URL, TIRTHA_LOCAL_GGUF or TIRTHA_FRONTIER_URL")


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemOutcome:
    """What a system made of a question, its calls of models, and the seconds by the clock. A stuffed prompt has no `decision`."""

    text: str
    path: str
    abstained: bool
    calls: Sequence[Call]
    seconds: float
    context_tokens: int
    cached: bool = False
    decision: Decision | None = None


class System:
    """The cascade, changed or not, over an open memory. With `cache` an answer may come from it."""

    def __init__(self, change: Change, service: Service, *, budget: int, cache: bool) -> None:
        answering = service.ask.answering if cache else _NotServed.like(service.ask.answering)
        self._ask = replace(service.ask, cascade=change(service.ask.cascade), answering=answering)
        self._budget = budget
        self._cache = cache

    async def answer(self, conversation: Conversation, question: LabelledQuestion) -> SystemOutcome:
        """Ask as `/v1/ask` does. Raises CascadeFault for a tier that is down, but not for a model that said nothing."""
        request = AskRequest(
            user_id=conversation.scope.user_id,
            question=question.question,
            budget=self._budget,
            asked_at=conversation.asked_at,
            use_cache=self._cache,
        )
        began_s = perf_counter()
        answered = await self._ask(caller_of(conversation.scope), request)
        decision = answered.decision
        return SystemOutcome(
            text=decision.answer,
            path=decision.path,
            abstained=decision.abstained or serves_abstention(decision),
            calls=decision.calls,
            seconds=perf_counter() - began_s,
            context_tokens=decision.contexts[0].tokens if decision.contexts else decision.brief.tokens,
            cached=answered.cache == "hit",
            decision=decision,
        )


def serves_abstention(decision: Decision) -> bool:
    """Whether a draft was served that says that the context has no answer, as a tier does that nobody judges."""
    served = (
        one.draft for one in decision.attempts if one.path == decision.path and one.draft.answer == decision.answer
    )
    return any(draft.abstains for draft in served)


class _NotServed(Answering):
    """Answering past cache and ledger, which gives back the decision of a model that said nothing instead of its fault."""

    @classmethod
    def like(cls, answering: Answering) -> "_NotServed":
        """Return one over the same ledger, which it does not write to."""
        return cls(
            ledger=answering.ledger,
            admission=answering.admission,
            observer=answering.observer,
            cache=None,
            frontier=None,
            shadowing=None,
        )

    async def answer(self, asked: Asked, decide: Decide) -> Answered:  # noqa: ARG002 - nothing is looked up or recorded
        """Decide. Raises the fault of a tier that is down."""
        ended = await decide()
        if ended.fault is not None and not (isinstance(ended.fault, TierDown) and ended.fault.silent):
            raise ended.fault
        return Answered(decision=ended.decision, cache="bypass")


class Stuffed:
    """The newest turns, as many as `tokens` hold, before the question, in one prompt for `tier`."""

    def __init__(self, memory: Memory, tier: ModelTier, *, tokens: int, deadline_s: float = _DEADLINE_S) -> None:
        self._memory = memory
        self._tier = tier
        self._tokens = tokens
        self._deadline_s = deadline_s

    async def answer(self, conversation: Conversation, question: LabelledQuestion) -> SystemOutcome:
        """Ask with the history in the prompt. Raises CascadeFault where the tier is down or its window too small."""
        trace = Trace(started_s=perf_counter(), deadline_s=self._deadline_s)
        history = stuff(await self._memory.history(conversation.scope), limit=self._tokens)
        window, said = self._tier.window_tokens, ""
        try:
            reply = await ask_raw(history.text, question.question, tier=self._tier, window_tokens=window, trace=trace)
        except TierDown as fault:
            if not fault.silent:
                raise
        else:
            if reply.refused:
                raise TooLong(tokens=reply.tokens + self._tier.max_tokens, window_tokens=window)
            said = reply.text
        return SystemOutcome(
            text=said,
            path="stuffed" if said else "error",
            abstained=lacks_answer(said) or _NOT_IN_TEXT in said.lower(),
            calls=tuple(trace.calls),
            seconds=trace.latency_ms() / 1_000,
            context_tokens=history.tokens,
        )
