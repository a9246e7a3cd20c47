"""How much a question takes to answer, and what says that not all of it fits the budget."""

from datetime import timedelta

import pytest

from compaction import distill
from memory import Evidence
from memory.model import Breadth
from tests.support.turns import MAY_8, evidence, held


def scored(position: int, text: str, score: float, session: int = 1) -> Evidence:
    """Return a turn of a session as evidence, whole."""
    pk = session * 100 + position
    at = MAY_8 + timedelta(days=session, minutes=position)
    turn = held(text, pk=pk, position=position, session_id=f"s{session}", session_pk=session, said_at=at)
    return evidence(turn, 0, len(text), score)


RANKED = [scored(place, f"The garden plan got step number {place} drawn.", 0.9 - place / 100) for place in range(10)]


@pytest.mark.parametrize(
    ("breadth", "complete"), [("one", True), ("two", True), ("several", False), ("history", False)]
)
def test_a_context_says_that_more_was_asked_for_than_fits(breadth: Breadth, complete: bool) -> None:
    assert distill(RANKED, budget=80, breadth=breadth).complete is complete


def test_a_budget_that_holds_all_that_is_likely_is_complete() -> None:
    assert distill(RANKED, budget=2_000, breadth="history").complete
    assert distill(RANKED[:2], budget=80, breadth="several").complete
