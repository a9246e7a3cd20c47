"""What passages are said to be, worked out by hand; and that a feature is 0 where it has nothing to say."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from language import Passage
from memory.index.bm25 import Postings
from memory.model import EncodedPassage, Turn
from memory.recall.features import LEXICAL_SHARE, Candidate, Features, Found, passage_features
from memory.recall.neighbour_features import PARTS, with_neighbours
from memory.recall.question import read_question
from tests.support.turns import MAY_8, held

ASKED = np.array([1.0, 0.0], np.float32)
LATER = datetime(2024, 1, 1, tzinfo=UTC)


def of(asked: str, *turns: Turn, familiarity: float = 1.0, cosines: tuple[float, ...] = ()) -> Features:
    """Features of whole turns, of which each has the given cosine with the question; without, 0.5."""
    speakers = {turn.speaker for turn in turns if turn.speaker}
    question = read_question(asked, speakers=speakers, asked_at=LATER)
    candidates = [
        Candidate(turn=turn, encoded=encoded(turn, cosine))
        for turn, cosine in zip(turns, cosines or (0.5,) * len(turns), strict=True)
    ]
    rows = [" ".join(one.analysed.terms) for one in candidates]
    statistics = Postings(pa.chunked_array([rows], type=pa.string())).statistics(question.terms)
    found = Found(
        question=question, vector=ASKED, candidates=candidates, statistics=statistics, familiarity=familiarity
    )
    return with_neighbours(found, passage_features(found))


def encoded(turn: Turn, cosine: float) -> EncodedPassage:
    vector = np.array([cosine, np.sqrt(1 - cosine**2)], np.float32)
    return EncodedPassage(
        turn_pk=turn.pk, passage=Passage(start=0, end=len(turn.text)), vector=vector, turn_vector=vector
    )


def turns_of(*texts: str, speaker: str | None = None) -> list[Turn]:
    return [held(text, pk=place, position=3 * place, speaker=speaker) for place, text in enumerate(texts, 1)]


def test_every_part_is_described_and_nothing_else() -> None:
    features = of("Where does Ann work?", *turns_of("I work at the mill.", "Good morning."))
    weighed = {"fusion", *(name for names in PARTS.values() for name in names)}
    assert features.keys() == weighed | {"dense", "bm25", "related", "turn_coverage"}
    assert {values.shape for values in features.values()} == {(2,)}
    assert all(np.isfinite(values).all() for values in features.values())


@pytest.mark.parametrize("asked", ["Where does Lucy work?", "Where do I work?", "Lucy 在哪里工作?"])
def test_without_named_speakers_who_speaks_says_nothing(asked: str) -> None:
    """A question in the first person asks of the user, who all these are: it singles out none."""
    features = of(asked, *turns_of("Lucy works at the mill.", "Omar works at the school.", "Good morning."))
    assert len(set(features["speaker"].tolist())) == 1
    assert not features["mentions"].any(), "of speakers, of whom there are none"
    if "I" not in asked.split():
        assert not any(features[name].any() for name in PARTS["speaker"])


def test_the_speaker_who_is_named_and_who_is_spoken_of() -> None:
    ann, ben = held("I work at the mill.", pk=1, speaker="Ann"), held("Ann works at the mill.", pk=2, speaker="Ben")
    features = of("Where does Ann work?", ann, ben)
    assert features["speaker"].tolist() == [1, 0]
    assert features["of_themselves"].tolist() == [1, 0]
    assert features["mentions"].tolist() == [0, 1]
    both = of("Where do Ann and Ben work?", ann, ben)
    assert not both["speaker"].any(), "which of the two it is for is not known"


def test_i_is_the_user_and_you_the_assistant() -> None:
    user, assistant = held("Fish.", pk=1, speaker=None), held("Try fish.", pk=2, speaker=None, role="assistant")
    assert of("What did I cook?", user, assistant)["speaker"].tolist() == [1, 0]
    assert of("What did you suggest?", user, assistant)["speaker"].tolist() == [0, 1]


def test_what_is_not_asked_for_is_zero() -> None:
    turns = turns_of("On 3 May Lucy bought 12 boats in Bergen.", "Good morning.")
    plain = of("Why is the sea blue?", *turns)
    for name in ("time", "tells_time", "number", "proper_name"):
        assert not plain[name].any(), name
    assert of("How many boats are there?", *turns)["number"].tolist() == [1, 0]
    assert of("When was it?", *turns)["tells_time"].tolist() == [1, 0]
    assert of("Where was it?", *turns)["proper_name"].tolist() == [1, 0]


def test_a_name_a_number_or_a_time_counts_as_far_as_its_passage_matches() -> None:
    turns = turns_of(
        "He sleeps in the boathouse at night.", "I was in Harrogate for the heron show.", "Ben has a barn in Leeds."
    )
    matched = of("Where does the heron sleep at night?", *turns)
    assert 0 < matched["proper_name"][1] < 1
    assert matched["proper_name"][2] < matched["proper_name"][1]
    assert of("Where was it?", *turns_of("I started in January.", "I ran on Sunday."))["proper_name"].tolist() == [
        0,
        0,
    ], "a month is no place"


def test_the_time_asked_about_is_when_it_was_said_or_what_is_spoken_of() -> None:
    may = held("We dined.", pk=1)
    said_later = held("We dined on 5 May 2023.", pk=2, said_at=LATER)
    never = held("We dined.", pk=3, said_at=LATER)
    assert of("Who dined in May 2023?", may, said_later, never)["time"].tolist() == [1, 1, 0]
    assert not of("Who dined?", may, said_later, never)["time"].any()


def test_the_fusion_is_cosine_and_bm25() -> None:
    turns = turns_of("The mill is old and red.", "The mill burned.", "Good morning.")
    features = of("Which mill burned?", *turns, cosines=(0.3, 0.6, 0.1))
    assert features["bm25"].argmax() == 1
    assert features["fusion"] == pytest.approx(
        features["dense"] + LEXICAL_SHARE * features["bm25"] / features["bm25"].max()
    )
    assert features["dense"] == pytest.approx([0.3, 0.6, 0.1])
    assert features["turn_coverage"][1] == 1
    assert features["turn_coverage"][2] == features["bm25"][2] == 0
    assert not features["dense_pieces"].any()


def test_what_the_encoder_cannot_read_words_must_carry() -> None:
    turns = turns_of("露西在磨坊工作。", "奥马尔在学校工作。")
    read = of("露西在哪里工作?", *turns, cosines=(0.2, 0.9))
    unread = of("露西在哪里工作?", *turns, cosines=(0.2, 0.9), familiarity=0.0)
    assert not unread["dense"].any()
    assert not unread["turn_dense"].any()
    assert not unread["dense_pieces"].any()
    half = of("露西在哪里工作?", *turns, cosines=(0.2, 0.9), familiarity=0.5)
    assert half["dense_pieces"] == pytest.approx(read["dense"] / 4)
    assert half["length"] == pytest.approx(read["length"] / 2)
    assert not unread["length"].any()
    assert read["fusion"].argmax() == 1
    assert unread["fusion"].argmax() == 0


def test_a_form_of_a_word_counts_where_the_word_itself_is_not() -> None:
    features = of("¿Cuál es el trabajo?", *turns_of("Lucy trabaja aquí.", "Su trabajo es este.", "Buenos días."))
    assert features["inflected"][0] > 0
    assert features["inflected"][1] == features["inflected"][2] == 0
    assert features["turn_coverage"][1] > features["turn_coverage"][0]


def test_form_is_read_from_the_passage_alone() -> None:
    features = of("Where is the mill?", *turns_of("Where is the mill?", "Wow!", "The mill is in the valley."))
    assert features["question"].tolist() == [1, 0, 0]
    assert features["filler"].tolist() == [1, 1, 0]
    assert features["length"] == pytest.approx(np.log1p([18, 4, 26]))


def test_the_words_of_the_turn_count_for_its_passages() -> None:
    turn = held("The mill burned. It was arson.", pk=1)
    question = read_question("Why did the mill burn?", speakers=(), asked_at=MAY_8)
    whole = encoded(turn, 0.5)
    candidates = [
        Candidate(turn=turn, encoded=replace(whole, passage=Passage(start=start, end=end)))
        for start, end in ((0, 16), (17, 30))
    ]
    statistics = Postings(pa.chunked_array([["mill burn", "arson"]], type=pa.string())).statistics(question.terms)
    features = passage_features(Found(question=question, vector=ASKED, candidates=candidates, statistics=statistics))
    assert features["turn_coverage"].tolist() == [1, 1]


def test_a_question_without_a_word_describes_all_the_same() -> None:
    features = of("???", *turns_of("The mill burned.", "Good morning."))
    for name in (*PARTS["words"], "speaker"):
        assert not features[name].any(), name
    assert all(np.isfinite(values).all() for values in features.values())
