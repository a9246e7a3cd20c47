"""Below, level or above: against the best search, question by question."""

import pytest

from eval.evidence.comparison import compare_with_best

WORST = [0.0] * 40
HALF = [0.5] * 40


@pytest.mark.parametrize(
    ("ours", "verdict"),
    [
        ([1.0] * 40, "above"),
        ([0.0] * 30 + [1.0] * 10, "below"),
        ([0.0, 1.0] * 20, "level"),
        (HALF, "level"),
    ],
)
def test_the_best_search_is_what_ours_is_held_against(ours: list[float], verdict: str) -> None:
    found = compare_with_best("all", "answer words", 165, ours=ours, searches={"worst": WORST, "half": HALF})
    assert (found.verdict, found.search, found.best_search, found.n) == (verdict, "half", 0.5, 40)
    assert found.low <= found.ours - 0.5 <= found.high
