"""The paper's definitions, against figures worked out by hand."""

from math import log2

import pytest

from eval.harness.ranking_metrics import judge_ranking

RANKING = ("b", "a", "c", "d", "e")


@pytest.mark.parametrize(("k", "any_", "all_"), [(1, 0, 0), (2, 1, 0), (4, 1, 1), (5, 1, 1)])
def test_recall(k: int, any_: float, all_: float) -> None:
    figures = judge_ranking(RANKING, {"a", "d"}, k)
    assert (figures.recall_any, figures.recall_all) == (any_, all_)


def test_the_first_two_ranks_weigh_the_same_and_the_ideal_is_over_the_corpus() -> None:
    figures = judge_ranking(RANKING, {"a", "d"}, 3)
    assert figures.ndcg_any == pytest.approx((1 / log2(2)) / (1 + 1 / log2(2)))
    whole = judge_ranking(RANKING, {"a", "d"}, 5)
    assert whole.ndcg_any == pytest.approx((1 / log2(2) + 1 / log2(4)) / 2)


def test_no_target_is_all_of_nothing_as_in_the_papers_code() -> None:
    figures = judge_ranking(RANKING, frozenset(), 5)
    assert (figures.recall_any, figures.recall_all, figures.ndcg_any) == (0, 1, 0)
