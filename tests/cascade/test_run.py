from datetime import UTC, datetime
from time import perf_counter

import pytest

from cascade.call_trace import Trace
from cascade.decision import Attempt, Hashes, Status, Verdict
from cascade.errors import TierDown, TooLong
from cascade.model import Brief, Draft
from cascade.run import Run
from tests.support.briefs import brief, quote

NARROW = brief("What is the cat called?", quote(2, "My cat is called Miso.", 0.8))
WIDE = brief(
    "What is the cat called?", quote(2, "My dog is called Rex.", 0.7), quote(5, "Miso is my cat.", 0.6), budget=660
)


def run(*contexts: Brief) -> Run:
    trace = Trace(started_s=perf_counter(), deadline_s=5)
    return Run(trace=trace, max_tier="frontier", contexts=list(contexts or (NARROW,)), hashes=Hashes(policy="p"))


def attempt(answer: str, *, context: int = 0, cited: tuple[int, ...] = (2,), **verdicts: Status) -> Attempt:
    judged = tuple(Verdict(guard=guard, status=status, score=0.5, reason="") for guard, status in verdicts.items())
    draft = Draft(answer=answer, citations=cited)
    return Attempt(path="local", tier="local", model="m", context=context, draft=draft, verdicts=judged)


def test_what_passed_is_accepted_though_the_gate_prefers_what_had_one_more_guard() -> None:
    own = run()
    assert own.accepted is None
    certified = attempt("Bella.", facts="fail", certificate="pass")
    assert not own.add(certified)
    assert own.add(attempt("Miso.", facts="pass"))
    assert own.best == certified
    assert own.accepted == own.last


def test_a_review_that_breaks_an_accepted_draft_is_not_served() -> None:
    own = run()
    own.add(attempt("good", tests="pass"))
    assert not own.add(attempt("broken", tests="fail"))
    assert own.accepted is not None
    assert own.accepted.draft.answer == "good"


def test_an_answer_is_shown_with_the_context_that_it_is_from() -> None:
    own = run(NARROW, WIDE)
    own.add(attempt("Miso.", context=0, cited=(9, 2), facts="pass"))
    assert own.accepted is not None
    decision = own.serve(own.accepted, "passed", verified=True).decision
    assert (decision.brief, decision.contexts) == (NARROW, (NARROW, WIDE))
    assert decision.citations == NARROW.quotes, "a mark that no line has is no citation"
    assert (decision.id, decision.tier, decision.verified, decision.hashes) == (own.id, "local", True, own.hashes)


def test_what_is_not_served_is_shown_with_the_last_verdicts() -> None:
    own = run()
    unasked = (Verdict(guard="answerability", status="fail", score=0.1, reason="unlikely"),)
    assert own.abstain("No.", "unlikely", unasked).decision.verdicts == unasked
    own.add(attempt("Bella.", facts="fail"))
    decision = own.abstain("No.", "nothing passed", unasked).decision
    assert [verdict.guard for verdict in decision.verdicts] == ["facts"]
    assert (decision.answer, decision.abstained, decision.verified, decision.citations) == ("No.", True, False, ())


@pytest.mark.parametrize(
    "fault", [TierDown(tier="local", reason="500", retry_after_s=1), TooLong(tokens=9, window_tokens=8)]
)
async def test_a_tier_that_gives_no_draft_is_noted_and_a_broken_one_is_not_hidden(fault: Exception) -> None:
    async def gives(what: Exception | None) -> str:
        if what:
            raise what
        return "Miso."

    own = run()
    assert await own.drafted(gives(None)) == "Miso."
    assert await own.drafted(gives(fault)) is None
    assert own.faults == [fault]
    ended = own.fail(own.faults[-1])
    assert (ended.fault, ended.decision.path, ended.decision.reason) == (fault, "error", str(fault))
    with pytest.raises(ZeroDivisionError):
        await own.drafted(gives(ZeroDivisionError()))


def test_a_brief_without_evidence_has_none() -> None:
    asked_at = datetime(2024, 4, 1, tzinfo=UTC)
    empty = Brief.without_evidence("Write a function.", asked_at=asked_at, budget=165)
    assert (empty.question, empty.asked_at, empty.budget) == ("Write a function.", asked_at, 165)
    assert (empty.text, empty.tokens, empty.quotes, empty.answerable) == ("", 0, (), 0.0)
