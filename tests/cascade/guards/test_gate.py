"""The gate, case by case: which of two drafts stays, and what is blamed. Its laws stand in `tests/cascade/test_guards.py`."""

from typing import Literal

import pytest

from cascade.decision import Attempt, Verdict
from cascade.guards.gate import better, blames
from cascade.model import Draft

Status = Literal["pass", "fail", "unsure", "error"]


def verdict(guard: str, status: Status, *, hard: bool = True, context: bool = False) -> Verdict:
    return Verdict(
        guard=guard, status=status, score=0.0, reason="", hard=hard, blames="context" if context else "draft"
    )


def attempt(*verdicts: Verdict) -> Attempt:
    draft = Draft(answer="", citations=())
    return Attempt(path="local", tier="local", model="m", context=0, draft=draft, verdicts=verdicts)


def stays(before: tuple[Verdict, ...], after: tuple[Verdict, ...]) -> bool:
    """Whether the first of two drafts stays."""
    incumbent, replacement = attempt(*before), attempt(*after)
    chosen = better(incumbent, replacement)
    assert chosen in (incumbent, replacement)
    return chosen is incumbent


def test_the_first_draft_comes_in_whatever_is_said_of_it() -> None:
    only = attempt(verdict("facts", "fail"))
    assert better(None, only) is only


@pytest.mark.parametrize(
    ("before", "after", "first"),
    [
        ("pass", "pass", False),
        ("pass", "unsure", True),
        ("pass", "fail", True),
        ("pass", "error", True),
        ("unsure", "pass", False),
        ("unsure", "unsure", False),
        ("unsure", "fail", True),
        ("unsure", "error", True),
        ("fail", "error", False),
        ("error", "fail", False),
    ],
)
def test_a_replacement_that_does_worse_is_refused(before: Status, after: Status, first: bool) -> None:
    assert stays((verdict("facts", before),), (verdict("facts", after),)) is first


def test_better_in_one_does_not_make_up_for_worse_in_another() -> None:
    before = verdict("citations", "fail"), verdict("facts", "unsure")
    after = verdict("citations", "pass"), verdict("facts", "fail")
    assert stays(before, after)


def test_a_guard_that_was_spared_counts_as_failed() -> None:
    asked, spared = (verdict("citations", "pass"), verdict("votes", "unsure")), (verdict("citations", "pass"),)
    assert stays(asked, spared)
    assert not stays(spared, asked)
    assert not stays((verdict("citations", "pass"), verdict("votes", "fail")), spared)


def test_only_hard_guards_keep_a_replacement_out() -> None:
    soft = verdict("confidence", "pass", hard=False)
    assert not stays((soft,), (verdict("confidence", "fail", hard=False),))
    assert not stays((soft,), (verdict("facts", "fail"),))


def test_what_passed_blames_nothing_whatever_it_would_blame() -> None:
    assert blames(()) == "nothing"
    assert blames((verdict("answerability", "pass", context=True), verdict("facts", "pass"))) == "nothing"


@pytest.mark.parametrize("status", ["fail", "unsure", "error"])
def test_the_context_is_blamed_if_any_guard_blames_it(status: Status) -> None:
    assert blames((verdict("facts", status),)) == "draft"
    assert blames((verdict("facts", "fail"), verdict("answerability", status, context=True))) == "context"
    assert blames((verdict("facts", status), verdict("answerability", "pass", context=True))) == "draft"
