"""The tables of plain facts are whole, their parts share nothing, and every question has one answer."""

import re
import unicodedata
from itertools import combinations

import pytest

from eval.plain_facts.data import ATTRIBUTES, LANGUAGES, Part, PlainFacts, read_table, worded

PARTS: tuple[Part, ...] = ("fitting", "judging")
WITHOUT_SPACES = ("zh", "ja", "ko")  # Korean writes particles together with the word


def holds(language: str, text: str, value: str) -> bool:
    """Whether a text holds a value as words of its own, or as characters where words are not apart."""
    if language in WITHOUT_SPACES:
        return re.search(rf"(?<!\d){re.escape(value)}(?!\d)", text) is not None
    return f" {spaced(value)} " in f" {spaced(text)} "


def spaced(text: str) -> str:
    """The words of a text, their combining signs kept, with one space between two."""
    kept = (sign if unicodedata.category(sign)[0] in "LMN" else " " for sign in text.casefold())
    return " ".join("".join(kept).split())


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_table_is_complete(language: str) -> None:
    table = read_table(language)
    assert set(table.attributes) == {attribute for part in PARTS for attribute in ATTRIBUTES[part]}
    for part in PARTS:
        names = [name.name for name in table.names[part]]
        assert len(set(names)) == len(names) >= 15
    for attribute, entry in table.attributes.items():
        for texts, least in ((entry.statements, 2), (entry.questions, 3), (entry.values, 12)):
            assert len(set(texts)) == len(texts) >= least, attribute
        assert all("{value}" in statement for statement in entry.statements), attribute
        assert not any("{value}" in question for question in entry.questions), attribute
        for wording in (*entry.statements, *entry.questions):
            assert re.search(r"\{(name|genitive|dative)\}", wording), wording


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_parts_share_nothing(language: str) -> None:
    fitting, judging = (read_table(language).names[part] for part in PARTS)
    assert not {one.name for one in fitting} & {one.name for one in judging}
    assert not set(ATTRIBUTES["fitting"]) & set(ATTRIBUTES["judging"])
    entries = {part: [read_table(language).attributes[one] for one in ATTRIBUTES[part]] for part in PARTS}
    for field in ("statements", "questions"):
        wordings = {part: {text for entry in entries[part] for text in getattr(entry, field)} for part in PARTS}
        assert not wordings["fitting"] & wordings["judging"]


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_attributes_are_stated_alike_or_asked_alike(language: str, part: Part) -> None:
    table = read_table(language)
    for first, second in combinations((table.attributes[one] for one in ATTRIBUTES[part]), 2):
        assert not set(first.statements) & set(second.statements)
        assert not set(first.questions) & set(second.questions)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_value_is_in_the_sentence_of_its_attribute_alone(language: str, part: Part) -> None:
    """Whatever is drawn: one person's sentences about other attributes never hold the value."""
    table = read_table(language)
    name = table.names[part][0]
    for attribute in ATTRIBUTES[part]:
        others = [
            worded(statement, name, value)
            for other in ATTRIBUTES[part]
            if other != attribute
            for statement in table.attributes[other].statements
            for value in table.attributes[other].values
        ]
        for value in table.attributes[attribute].values:
            answer = worded(value, name)
            assert [text for text in others if holds(language, text, answer)] == [], (attribute, answer)


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_question_has_one_answer(language: str, part: Part, seed: int) -> None:
    memory = PlainFacts(language=language, part=part, seed=seed)
    assert len(memory.facts) == len(memory.questions) == 50
    assert len({fact.text for fact in memory.facts}) == 50
    assert len({question.question for question in memory.questions}) == 50
    texts = {fact.turn_id: fact.text for fact in memory.facts}
    assert len(texts) == 50
    for question in memory.questions:
        assert holds(language, texts[question.turn_id], question.answer), question
        assert question.answer not in question.question
    for wording in (*texts.values(), *(question.question for question in memory.questions)):
        assert not set("{}[]|/") & set(wording)


def test_a_seed_is_one_draw_and_another_seed_another() -> None:
    memory = PlainFacts(language="en")
    assert memory.facts == PlainFacts(language="en", part="judging", seed=1).facts
    assert memory.questions == PlainFacts(language="en", part="judging", seed=1).questions
    assert memory.facts != PlainFacts(language="en", seed=2).facts
    assert memory.facts[0].text == "Yuki's sister is called Olga."


def test_a_wording_changes_the_questions_alone() -> None:
    direct, other = (PlainFacts(language="en", wording=wording) for wording in (0, 2))
    assert direct.facts == other.facts == PlainFacts(language="en").facts
    asked = {one.question for memory in (direct, other) for one in memory.questions}
    assert len(asked) == 100
    assert "What is Yuki's sister called?" not in asked
    assert {one.answer for one in direct.questions} == {one.answer for one in other.questions}


def test_languages_share_the_attributes_of_a_seed() -> None:
    for seed in range(4):
        drawn = {
            frozenset(one.attribute for one in PlainFacts(language=each, seed=seed).questions) for each in LANGUAGES
        }
        assert len(drawn) == 1


def test_sentences_fit_the_person() -> None:
    dmitri = next(name for name in read_table("ru").names["judging"] if name.name == "Дмитрий")
    lucy = next(name for name in read_table("ru").names["judging"] if name.name == "Люси")
    assert worded("{name} [родился|родилась] у {genitive}: {value}", dmitri, "x") == "Дмитрий родился у Дмитрия: x"
    assert worded("{name} [родился|родилась], {dative}", lucy) == "Люси родилась, Люси"
