"""Whom a question means by a name that no speaker has."""

from datetime import UTC, datetime, timedelta

import pytest

from memory import NewTurn, Remember, Scope
from memory.api import Memory
from memory.recall.naming import meant_by_spelling, unknown_names

ASKED_AT = datetime(2024, 2, 1, tzinfo=UTC)
SCOPE = Scope(tenant="default", user_id="pair")


def chat(*lines: tuple[str, str]) -> Remember:
    """Return a session of lines, each of a speaker and what is said, a minute apart."""
    start = datetime(2024, 1, 5, 19, tzinfo=UTC)
    turns = [
        NewTurn(id=f"t{place}", role="user", speaker=speaker, text=text, said_at=start + timedelta(minutes=place))
        for place, (speaker, text) in enumerate(lines)
    ]
    return Remember(scope=SCOPE, session_id="s1", turns=turns)


TALK = (
    ("emi", "Hi! I spent the morning skiing."),
    ("elise", "Hi Kate! I was at the aquarium."),
    ("emi", "Which one?"),
    ("elise", "The one in Miami."),
    ("emi", "My favourite animal is the octopus."),
    ("elise", "Mine is the turtle. You'd love them, Kate!"),
)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("Muhammad", "Muhhamed"),
        ("Mohammed", "Muhhamed"),
        ("Elisabeth", "Elizabeth Ray"),
        ("Nicholas", None),
        ("Mark", None),
    ],
)
def test_a_slip_is_one_for_the_only_name_that_is_spelled_nearly_so(name: str, meant: str | None) -> None:
    assert meant_by_spelling(name, ["Muhhamed", "Elizabeth Ray", "Nicolas", "Nikolas", "Nicola", "Mary"]) == meant


def test_names_of_speakers_and_common_words_are_known() -> None:
    assert unknown_names("When did Kate and Tom Ray meet in May?", ["Tom Ray"]) == ("Kate",)


async def test_how_others_address_somebody_says_who_it_is(memory: Memory) -> None:
    await memory.remember(chat(*TALK))
    found = await memory.find(SCOPE, "What is Kate's favourite animal?", ASKED_AT)
    assert found.question.named == {"emi"}
    assert "Kate" not in found.question.topic
    best = (await memory.recall(SCOPE, "What is Kate's favourite animal?", ASKED_AT)).evidence[0]
    assert best.quote == "My favourite animal is the octopus."


async def test_somebody_talked_about_is_no_speaker(memory: Memory) -> None:
    talk = [("emi", "My sister Kate loves turtles."), ("elise", "Kate is lovely, tell Kate hello."), *TALK[2:5]]
    await memory.remember(chat(*talk))
    found = await memory.find(SCOPE, "What does Kate love?", ASKED_AT)
    assert found.question.named == frozenset()


async def test_a_name_that_both_are_called_by_is_nobodys(memory: Memory) -> None:
    talk = [("emi", "Hi Kate!"), ("elise", "Hi Kate, how are you?"), ("emi", "Fine, Kate!"), ("elise", "Good, Kate!")]
    await memory.remember(chat(*talk))
    found = await memory.find(SCOPE, "What does Kate love?", ASKED_AT)
    assert found.question.named == frozenset()


async def test_a_misspelled_speaker_is_meant_only_where_no_one_has_that_name(memory: Memory) -> None:
    await memory.remember(chat(("Muhhamed", "I bought a skateboard."), ("Fahim", "Great.")))
    assert (await memory.find(SCOPE, "What did Muhammad buy?", ASKED_AT)).question.named == {"Muhhamed"}
    later = chat(("Fahim", "My cousin Muhammad bought a kite."))
    await memory.remember(Remember(scope=SCOPE, session_id="s2", turns=later.turns))
    assert (await memory.find(SCOPE, "What did Muhammad buy?", ASKED_AT)).question.named == frozenset()
