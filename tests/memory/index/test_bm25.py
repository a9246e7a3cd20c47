"""BM25 in memory: the formula, rows added one by one or at once, ties, and words that are nowhere."""

from math import log1p

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.index.bm25 import Postings, bm25_of, coverage_of, frequencies

WORDS = st.lists(st.sampled_from("abcdefg"), max_size=9)
TEXTS = st.lists(WORDS, max_size=30)


def read(texts: list[list[str]]) -> Postings:
    return Postings(pa.chunked_array([[" ".join(text) for text in texts]], type=pa.string()))


def bm25(texts: list[list[str]], terms: list[str]) -> list[float]:
    mean = sum(map(len, texts)) / len(texts) or 1.0
    scores = [0.0] * len(texts)
    for term in set(terms):
        held = sum(term in text for text in texts)
        for row, text in enumerate(texts):
            times = text.count(term)
            rarity = log1p((len(texts) - held + 0.5) / (held + 0.5))
            scores[row] += rarity * times * 2.2 / (times + 1.2 * (0.25 + 0.75 * len(text) / mean))
    return scores


@given(TEXTS, TEXTS, WORDS, st.integers(1, 12))
def test_the_best_rows_are_those_of_the_formula(
    first: list[list[str]], later: list[list[str]], terms: list[str], limit: int
) -> None:
    postings = read(first)
    for start in range(0, len(later), 4):
        postings.append(later[start : start + 4])
    texts = first + later
    best = postings.best(terms, limit)
    assert best == read(texts).best(terms, limit), "however they came"
    scores = bm25(texts, terms) if texts else []
    wanted = sorted((score for score in scores if score), reverse=True)[:limit]
    assert [scores[row] for row in best] == pytest.approx(wanted, rel=1e-5)


@given(TEXTS, TEXTS, WORDS)
def test_texts_at_hand_are_scored_as_rows_are(first: list[list[str]], later: list[list[str]], terms: list[str]) -> None:
    """By the statistics of the rows; and of texts beside them as if these were rows."""
    postings = read(first)
    postings.append(later)
    texts, asked = first + later, sorted(set(terms))
    statistics = postings.statistics(asked)
    scores = bm25_of(frequencies(asked, texts), [*map(len, texts)], statistics)
    assert scores.tolist() == pytest.approx(bm25(texts, terms) if texts else [], rel=1e-12)
    for row, best in zip(postings.best(asked, 5), sorted(scores[scores > 0], reverse=True), strict=False):
        assert scores[row] == pytest.approx(best, rel=1e-5)
    beside = read(first).statistics(asked, later)
    assert (beside.rarity.tolist(), beside.mean_length) == (statistics.rarity.tolist(), statistics.mean_length)


def test_coverage_is_the_share_by_rarity() -> None:
    frequency = frequencies(["tea", "pot", "gin"], [["tea", "tea"], ["pot", "tea"], ["cup"], []])
    assert frequency.tolist() == [[2, 0, 0], [1, 1, 0], [0, 0, 0], [0, 0, 0]]
    assert coverage_of(frequency, np.array([1.0, 2.0, 1.0])).tolist() == [0.25, 0.75, 0.0, 0.0]
    assert coverage_of(frequencies([], [["tea"]]), np.zeros(0)).tolist() == [0.0]


def test_equals_keep_their_order_and_unknown_words_find_nothing() -> None:
    postings = read([["tea"], ["coffee"], ["tea"], []])
    assert postings.best(["tea", "milk"], 5) == [0, 2]
    assert postings.best(["tea"], 1) == [0]
    assert postings.best(["milk"], 5) == []
    assert postings.best([], 5) == []


def test_a_word_repeated_beyond_counting_still_counts() -> None:
    postings = read([["no"] * 1_000, ["no"]])
    postings.append([["no"] * 1_000])
    assert sorted(postings.best(["no"], 5)) == [0, 1, 2]
    assert postings.bytes > 0
