"""Plain searches: what they find, in which order, and that a history is encoded once."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import numpy as np
import pytest

from compaction import count_tokens
from eval.harness.baselines import RANKINGS, SEARCHES, History, pack, pack_whole_turns
from memory.encoding.encoder import Encoder
from memory.model import EncodedPassage, Turn, TurnPk

DAY = datetime(2024, 3, 15, tzinfo=UTC)
TEXTS = (
    "I baked a cake. My boat has a blue sail and a red hull, and I am proud of both.",
    "We sail tomorrow.",
    "The garden is full of roses.",
)


class CountingEncoder(Encoder):
    """The real encoder, which says how many turns it was given."""

    encoded = 0

    def encode_turns(
        self, turns: Sequence[Turn], between: Callable[[], None] = lambda: None
    ) -> list[list[EncodedPassage]]:
        """Count, and encode."""
        self.encoded += len(turns)
        return super().encode_turns(turns, between)


def turns(*texts: str, speaker: str | None = None) -> list[Turn]:
    return [
        Turn(
            pk=TurnPk(place), session_pk=1, id=f"t{place}", session_id="s", position=place, role="user", speaker=speaker,
            text=text, said_at=DAY,
        )
        for place, text in enumerate(texts)
    ]  # fmt: skip


def test_each_search_is_asked_over_turns_and_over_sentences(encoder: Encoder) -> None:
    found = History(turns(*TEXTS), encoder).search("Which colour is the sail of the boat?")
    assert set(found) == set(SEARCHES)
    for name, evidence in found.items():
        whole = len(TEXTS[0])
        assert evidence[0].turn.id == "t0", name
        assert evidence[0].quote.startswith("I baked" if name.endswith("turns") else "My boat"), name
        assert (evidence[0].passage.end - evidence[0].passage.start == whole) == name.endswith("turns")
        assert [one.score for one in evidence] == sorted((one.score for one in evidence), reverse=True)


def test_bm25_returns_only_what_shares_a_term_and_a_speaker_counts_as_said(encoder: Encoder) -> None:
    found = History(turns(*TEXTS), encoder).search("roses")
    assert [one.turn.id for one in found["BM25, turns"]] == ["t2"]
    assert len(found["dense, turns"]) == len(found["cosine + 0.7 BM25, turns"]) == 3
    named = History([*turns(*TEXTS), *turns("Hello.", speaker="Olga")], encoder).search("Who is Olga?")
    assert [one.quote for one in named["BM25, turns"]] == ["Hello."]


def test_words_of_nearly_every_text_do_not_decide(encoder: Encoder) -> None:
    common = [f"boat, harbour, water, {number}" for number in ("one", "two", "three", "four")]
    found = History(turns(*common, "a sail of linen"), encoder).search("boat harbour water sail")
    assert found["BM25, turns"][0].quote == "a sail of linen"


def test_a_history_is_encoded_once_whatever_is_asked_of_it() -> None:
    encoder = CountingEncoder()
    history = History(turns(*TEXTS), encoder)
    for question in ("sail", "roses", "cake"):
        history.search(question)
        assert [turn.id for turn in history.bm25_turns(question)]
    assert encoder.encoded == len(TEXTS)


def test_an_empty_history_finds_nothing(encoder: Encoder) -> None:
    history = History(turns(" "), encoder)
    assert not any(history.search("anything").values())
    assert not any(rank(history, "anything") for rank in RANKINGS.values())


@pytest.mark.parametrize("budget", [30, 60])
def test_what_is_found_is_packed_in_order_where_it_fits(budget: int, encoder: Encoder) -> None:
    found = History(turns(*TEXTS), encoder).search("Which colour is the sail of the boat?")
    context = pack(found["BM25, sentences"], budget)
    assert context.tokens == count_tokens(context.text) <= budget
    assert "blue sail" in context.text
    assert ("We sail" in context.text) == (budget > 30), "the second best, where there is room"
    assert "roses" not in context.text


def test_whole_turns_are_packed_whole(encoder: Encoder) -> None:
    ranked = History(turns(*TEXTS), encoder).newest_first("anything")
    assert [line.quote for line in pack_whole_turns(ranked, 90).lines] == list(TEXTS)


@pytest.mark.parametrize(
    ("asked", "first"),
    [("彼は弁護士ですか", "彼女は弁護士。"), ("猫がどこ", "猫がいる。"), ("변호사가 누구", "변호사입니다.")],
)
def test_scripts_without_spaces_are_searched_by_pairs(asked: str, first: str, encoder: Encoder) -> None:
    """A character that the question and a sentence have in common by chance is no word."""
    texts = ("士は護る人", "彼女は弁護士。", "猫がいる。", "변변한 호사", "변호사입니다.", "どうも")
    found = History(turns(*texts), encoder).search(asked)
    assert found["BM25, sentences"][0].quote == first


def test_what_bm25_says_is_lucenes(encoder: Encoder) -> None:
    [units] = [
        units
        for name, units in History(turns("red boat", "red red sail", "oak"), encoder).units.items()
        if name == "turns"
    ]
    rarity = {"red": np.log1p(1.5 / 2.5), "boat": np.log1p(2.5 / 1.5)}
    of_first = sum(each * 2.2 / (1 + 1.2) for each in rarity.values())  # its length is the mean
    of_second = rarity["red"] * 2 * 2.2 / (2 + 1.2 * (0.25 + 0.75 * 3 / 2))
    assert units.bm25("A red, red boat?") == pytest.approx([of_first, of_second, 0.0])
