"""Reading a question: names, kinds, times."""

from datetime import UTC, datetime

import pytest

from language.requests.kinds import KINDS
from memory.recall.question import read_question
from memory.recall.related_terms import relatedness

JUNE = datetime(2023, 6, 1, tzinfo=UTC)


def test_names_of_speakers_say_whose_words_and_not_about_what() -> None:
    question = read_question(
        "When did Caroline's group meet Mel's?", speakers=["Caroline", "Mel", "Tom"], asked_at=JUNE
    )
    assert question.named == {"Caroline", "Mel"}
    assert question.topic == "When did group meet ?"
    assert question.terms == ("group", "meet")


def test_a_question_about_nothing_but_a_name_keeps_it() -> None:
    question = read_question("Who is Tom?", speakers=["Tom"], asked_at=JUNE)
    assert question.topic == "Who is Tom?"
    assert question.terms == ("tom",)


def test_a_name_inside_a_word_is_none() -> None:
    question = read_question("Was the tomato ripe?", speakers=["Tom", "to"], asked_at=JUNE)
    assert question.named == frozenset()
    assert question.topic == "Was the tomato ripe?"


@pytest.mark.parametrize(
    ("text", "speaker", "named"),
    [
        ("What did the dentist say?", "The Boss", False),
        ("What did the boss say?", "The Boss", True),
        ("Who adopted a cat?", "Dr. Who", False),
        ("中国で何を食べた?", "田中", False),
        ("田中は何を食べた?", "田中", True),
    ],
)
def test_stop_words_and_single_characters_name_no_one(text: str, speaker: str, named: bool) -> None:
    assert bool(read_question(text, speakers=[speaker], asked_at=JUNE).named) is named


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("When did she leave?", "when"),
        ("What date was it?", "when"),
        ("How many cats?", "how_many"),
        ("How long did it take?", "how_long"),
        ("Who came?", "who"),
        ("Where is it?", "where"),
        ("What city is it in?", "where"),
        ("Why?", "why"),
        ("Which one?", "which"),
        ("What is it?", "what"),
        ("Did she come?", "whether"),
        ("猫の名前は？", "other"),
    ],
)
def test_kinds(text: str, kind: str) -> None:
    assert read_question(text, speakers=[], asked_at=JUNE).kind == kind
    assert kind in KINDS


@pytest.mark.parametrize(
    ("text", "breadth"),
    [
        ("Which cities has Tom seen?", "several"),
        ("What is his job?", "one"),
        ("What does he do?", "one"),
        ("Where is the tent?", "one"),
        ("Which came first, the tent or the stove?", "two"),
        ("How many times did Tom go to Porto?", "history"),
        ("Can you summarise what we decided?", "history"),
    ],
)
def test_how_much_it_takes_to_answer(text: str, breadth: str) -> None:
    assert read_question(text, speakers=[], asked_at=JUNE).breadth == breadth


@pytest.mark.parametrize(
    ("text", "you", "me"),
    [
        ("Can you tell me where Ann lives?", False, False),
        ("Could you remind me what you recommended?", True, False),
        ("Can you list what I bought?", False, True),
        ("What did you recommend?", True, False),
    ],
)
def test_a_request_asks_nothing_of_whom_it_is_put_to(text: str, you: bool, me: bool) -> None:
    words = read_question(text, speakers=[], asked_at=JUNE).words
    assert ("you" in words, not words.isdisjoint({"i", "me", "my"})) == (you, me)


def test_what_somebody_is_called_is_taken_out_like_a_name() -> None:
    question = read_question(
        "What are Kate's hobbies?", speakers=["emi", "elise"], asked_at=JUNE, called={"Kate": "emi"}
    )
    assert question.named == {"emi"}
    assert question.terms == ("hobbi",)


def test_words_of_one_meaning_are_related() -> None:
    near = relatedness(["pet", "citi"], [["dog"], ["pari"], [], ["pet", "unheardofword"]])
    assert near.shape == (4, 2)
    assert near[0, 0] > 0.5 > near[0, 1]
    assert near[1, 1] > near[1, 0]
    assert near[2].tolist() == [0, 0]
    assert near[3, 0] == 1
    assert relatedness(["unheardofword"], [["unheardofword"], ["dog"]]).tolist() == [[1], [0]]
    assert relatedness([], [["dog"]]).shape == (1, 0)
