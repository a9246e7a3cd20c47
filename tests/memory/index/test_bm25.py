"""BM25 in memory: the formula, rows added one by one or at once, ties, and words that are nowhere."""

from math import log1p

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.index.bm25 import Postings

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
