"""Words that are near in meaning, and forms of one word."""

import pytest

from language.words import content_terms
from memory.recall.related_terms import inflected, relatedness


def test_the_nearest_word_of_a_text_counts() -> None:
    near = relatedness(["pet", "qzx"], [["dog"], ["spanner"], ["dog", "pet"], [], ["qzx"]])
    assert near.shape == (5, 2)
    assert near[2, 0] == 1
    assert near[0, 0] > near[1, 0]
    assert near[3].tolist() == [0, 0]
    assert near[:, 1].tolist() == [0, 0, 0, 0, 1], "a word outside the table is related to itself alone"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("trabajo", "trabaja"),  # Spanish
        ("arbeitet", "arbeitete"),  # German
        ("travaille", "travaillait"),  # French
        ("работает", "работала"),  # Russian
        ("lavora", "lavorava"),  # Italian
    ],
)
def test_forms_of_a_word_are_like_it_in_any_language(asked: str, said: str) -> None:
    [term], [form] = content_terms(asked), content_terms(said)
    [[own]] = inflected([term], [[form]])
    assert term == form or 0.6 <= own < 1
    assert inflected([term], [["word"]]).tolist() == [[0]]


def test_likeness_is_the_share_of_the_longer_that_both_begin_with() -> None:
    assert inflected(["trabajo"], [["trabaja"], ["trabajadores"]]).tolist() == [[6 / 7], [0]]
    assert inflected(["abcdef"], [["abcdxyz", "abcdez"]]).tolist() == [[5 / 6]], "the likeliest"


@pytest.mark.parametrize("text", [["trabajo", "trabaja"], ["trabajo"], ["trab"], ["rabajo"], []])
def test_a_text_that_holds_the_word_or_nothing_like_it_gets_nothing(text: list[str]) -> None:
    assert inflected(["trabajo"], [text]).tolist() == [[0]]


def test_short_words_and_pairs_of_characters_have_no_forms() -> None:
    assert not inflected(["car", "弁護"], [["cars", "cart"], ["弁論"]]).any()
    assert inflected([], [["cars"], []]).shape == (2, 0)
