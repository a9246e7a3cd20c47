"""A model that says nothing has not said "not in memory": the next tier answers, or the decision is an error."""

import json
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import pytest

from cascade import Cascade, CodeCascade, CodeTask, Ended, Policy
from cascade.call_trace import Trace
from cascade.errors import TierDown
from cascade.guards import (
    AgreementGuard,
    AnswerabilityGuard,
    Case,
    CitationGuard,
    EntailmentGuard,
    FinishGuard,
    SchemaGuard,
)
from cascade.guards.guard import Guard, judge
from cascade.model import Completion, Draft, Usage
from cascade.ports import Chat
from cascade.sandbox import PublicTests, TrialOutcome
from cascade.tiers.deployment import Deployment
from cascade.tiers.recording import DecisionChat, RecordingChat, read_recordings
from tests.support.briefs import brief, quote
from tests.support.tiers import DEAR, OneContext, Scripted, tier

ASKED = brief("What is the cat called?", quote(2, "My cat is called Miso.", 0.8))
CONTEXTS = OneContext((ASKED,))
RIGHT, WRONG, NULL = (
    json.dumps({"answer": answer, "citations": cited})
    for answer, cited in (("Miso.", [2]), ("Bella.", [9]), (None, []))
)
REFUSAL = "I'm sorry, but I can't help with that."


def said(text: str, finish: str = "stop", reasoning: str = "") -> Completion:
    usage = Usage(prompt_tokens=7, completion_tokens=1)
    return Completion(text=text, model="", finish_reason=finish, usage=usage, reasoning=reasoning)


SILENT = {
    "an empty reply": said(""),
    "length": said("", "length", reasoning="hm"),
    "content_filter": said("Mis", "content_filter"),
    "refusal": said("No.", "refusal"),
    "nothing said aloud": said("<think>Miso</think>"),
    "a refusal": said(REFUSAL),
    "an empty answer": said('{"answer": "", "citations": []}'),
    "max_tokens": said('{"answer": "Mis', "max_tokens"),
}


def cascade(local: Scripted | None, frontier: Scripted | None = None, *, policy: Policy | None = None) -> Cascade:
    return Cascade(
        guards=(FinishGuard(), SchemaGuard(), AnswerabilityGuard(threshold=0.3), CitationGuard()),
        quote_guards=(),
        answerable_from=0.3,
        local=tier(local) if local else None,
        frontier=tier(frontier, name="frontier", price=DEAR) if frontier else None,
        policy=policy or Policy(),
    )


async def end(own: Cascade) -> Ended:
    return await own.answer(CONTEXTS, budget=165, started_s=perf_counter())


@pytest.mark.parametrize(("why", "silent"), SILENT.items(), ids=SILENT)
async def test_a_silent_tier_leaves_the_next_one_to_answer_and_its_call_is_paid_and_told(
    why: str, silent: Completion
) -> None:
    decision = (await end(cascade(Scripted(silent), Scripted(RIGHT)))).decision
    assert (decision.path, decision.answer) == ("frontier", "Miso.")
    silence = decision.calls[0]
    assert (silence.fault, silence.cost_nanousd) == (f"said_nothing: {why}", 5_000)
    assert [attempt.path for attempt in decision.attempts] == ["frontier"]
    assert len(decision.calls) == 2, "the same silence is not asked for twice"


@pytest.mark.parametrize(("why", "silent"), SILENT.items(), ids=SILENT)
@pytest.mark.parametrize("tiers", [1, 2])
async def test_where_every_tier_is_silent_it_is_an_error_and_no_abstention(
    why: str, silent: Completion, tiers: int
) -> None:
    ended = await end(cascade(Scripted(silent), Scripted(silent) if tiers == 2 else None))
    assert isinstance(ended.fault, TierDown)
    assert (ended.fault.silent, ended.fault.reason) == (True, why)
    assert "said nothing" in str(ended.fault)
    assert ended.fault.retry_after_s >= 1
    assert (ended.decision.path, ended.decision.answer, len(ended.decision.calls)) == ("error", "", tiers)


@pytest.mark.parametrize(
    ("local", "frontier", "path"),
    [
        (said(""), NULL, "abstain"),  # the dearest tier has said that it is not there
        (NULL, said(""), "error"),  # nobody dearer has confirmed it
        (WRONG, said(REFUSAL), "error"),
        (NULL, None, "abstain"),
        (said("She called it", "length"), None, "error"),  # cut off: nothing whole was said
        (said("She called it", "length"), said("It is", "length"), "error"),
        (said("She called it", "length"), NULL, "abstain"),
        (WRONG, said("It is", "length"), "error"),
        (WRONG, None, "abstain"),
    ],
)
async def test_only_words_to_that_effect_and_rejected_answers_are_abstentions(
    local: str | Completion, frontier: str | Completion | None, path: str
) -> None:
    ended = await end(cascade(Scripted(local), Scripted(frontier) if frontier else None))
    assert (ended.decision.path, ended.fault is not None) == (path, path == "error")


async def test_a_draft_that_was_cut_off_is_mended_as_any_other() -> None:
    decision = (await end(cascade(Scripted(said("She called it", "length"), RIGHT)))).decision
    assert decision.path == "local_repaired"


async def test_what_is_served_unverified_is_what_was_said() -> None:
    serve = Policy(unverified="serve")
    assert (await end(cascade(Scripted(WRONG), Scripted(said("")), policy=serve))).decision.answer == "Bella."
    assert (await end(cascade(Scripted(said("")), Scripted(said("")), policy=serve))).decision.path == "error"


def recorded(folder: Path) -> list[str]:
    return [line for file in folder.glob("*.jsonl") for line in file.read_text().splitlines()]


async def test_a_decision_with_silences_replays_as_it_was(tmp_path: Path) -> None:
    votes = ("yes", said(""), "yes")
    local = Scripted(RIGHT, *votes)

    def own(cheap: Chat) -> Cascade:
        made = replace(tier(Scripted("")), deployments=[Deployment(cheap, name="a")])
        return Cascade(
            guards=(CitationGuard(), EntailmentGuard(tier=made)), quote_guards=(), answerable_from=0.3, local=made
        )

    decision = (await end(own(RecordingChat(local, model="local", folder=tmp_path)))).decision
    assert (decision.path, [bool(call.fault) for call in decision.calls]) == ("local", [False, False, True, False])
    recordings = read_recordings(recorded(tmp_path))
    replayed = await end(own(DecisionChat(decision.calls, recordings, tier="local", model="local")))
    assert replayed.decision.timeless() == decision.timeless()


def case() -> Case:
    trace = Trace(started_s=perf_counter(), deadline_s=5)
    return Case(brief=ASKED, draft=Draft(answer="Miso.", citations=(2,)), model="local", trace=trace)


@pytest.mark.parametrize(
    ("votes", "verdict", "asked"),
    [
        (["No. The reply says yesterday.", "no"], "fail", 2),
        (["yes", "", "<think>no?</think>Yes."], "pass", 3),
        (["", ""], "unsure", 2),
        (["It could be yes or no.", REFUSAL], "unsure", 2),
        (["yes", "hm", "hm"], "unsure", 3),
        (["no", "", ""], "fail", 2),
    ],
)
async def test_a_vote_that_says_nothing_is_neither_yes_nor_no(votes: list[str], verdict: str, asked: int) -> None:
    chat = Scripted(*votes)
    found = await EntailmentGuard(tier=tier(chat)).check(case())
    assert (found.status, len(chat.requests)) == (verdict, asked), found.reason


@pytest.mark.parametrize(
    ("other", "status"), [(RIGHT, "pass"), ("", "error"), (REFUSAL, "error"), ('{"answer": "Miso.', "unsure")]
)
async def test_a_second_opinion_that_says_nothing_is_no_agreement(other: str, status: str) -> None:
    guards: tuple[Guard, ...] = (AgreementGuard(tier=tier(Scripted(other))),)
    [found] = await judge(guards, case())
    assert found.status == status, found.reason


PROGRAM = "```python3\r\ndef add(a, b):\r\n    return a + b\r\n```"
TASK = CodeTask(question="Add two numbers.", entry_point="add", tests="assert add(1, 2) == 3")


async def passes(program: str, tests: PublicTests) -> TrialOutcome:
    return TrialOutcome(passed="a + b" in program, why="so it is")


@pytest.mark.parametrize(
    ("local", "frontier", "path"),
    [
        ((said("", "length"),), PROGRAM, "frontier"),
        ((said(REFUSAL),), None, "error"),
        ((said("<think>```python\ndef add(a, b): return a + b\n```</think>"),), said(""), "error"),
        ((PROGRAM, said("")), None, "local"),  # the review said nothing: the draft that passed is served
        (("```python\ndef add(a, b): return 0\n```",), None, "abstain"),
    ],
)
async def test_a_code_task_is_no_different(
    local: tuple[str | Completion, ...], frontier: str | Completion | None, path: str
) -> None:
    own = CodeCascade(
        try_program=passes,
        local=tier(Scripted(*local)),
        frontier=tier(Scripted(frontier), name="frontier", price=DEAR) if frontier else None,
    )
    ended = await own.answer(TASK, started_s=perf_counter())
    assert (ended.decision.path, isinstance(ended.fault, TierDown)) == (path, path == "error")
