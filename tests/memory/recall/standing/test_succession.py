"""Which instructions replace which: only where it is certain."""

import pytest

from memory import Instruction
from memory.recall.standing.succession import with_successors
from tests.support.turns import MAY_8, held


def replaced(older: str, newer: str, *, by: str = "Caroline") -> bool:
    """Whether the older of two, said on two days, is replaced."""
    turns = [
        held(newer, pk=2, position=1, speaker=by, said_at=MAY_8.replace(day=20)),
        held(older, pk=1, position=0, speaker="Caroline"),
    ]
    newest, oldest = with_successors([Instruction(turn=one, start=0, end=len(one.text)) for one in turns])
    assert newest.in_force
    assert (oldest.replaced_by is None) == oldest.in_force
    return oldest.replaced_by is not None


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("Call me Sam.", "Call me Samuel."),
        ("Nenn mich Sam.", "Nenn mich bitte Samuel."),
        ("叫我小王就行。", "请叫我小李。"),
        ("Always use tables.", "Actually, no more tables."),
        ("Always use tables when comparing phones.", "No more tables, please."),
        ("Never use emojis.", "Please always use emojis."),
        ("I prefer short answers.", "I hate short answers."),
        ("Keep answers under five sentences.", "Keep answers under ten sentences."),
        ("I prefer tea over coffee.", "I prefer coffee over tea."),
        ("Always show types.", "Always show types."),
    ],
)
def test_a_later_one_of_the_same_subject_takes_its_place(older: str, newer: str) -> None:
    assert replaced(older, newer)


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("Call me Sam.", "My pronouns are they/them."),
        ("Call me Sam.", "Don't call me early in the morning."),
        ("Always use tables.", "Never use tables in emails to my boss."),
        ("Always show types.", "Always cite sources."),
        ("I don't eat meat.", "I don't eat nuts."),
        ("I prefer trains to planes.", "I prefer tea to coffee."),
        ("Never use emojis.", "Never use jargon."),
        ("Always mention rule 3.", "Always mention rule 4."),
    ],
)
def test_another_subject_or_a_narrower_one_leaves_it_in_force(older: str, newer: str) -> None:
    assert not replaced(older, newer)


def test_no_one_replaces_what_another_said() -> None:
    assert not replaced("Call me Sam.", "Call me Ann.", by="Ann")


def test_the_newest_of_several_takes_the_place_of_all() -> None:
    turns = [
        held(f"Call me {name}.", pk=pk, position=pk, said_at=MAY_8.replace(day=pk))
        for pk, name in ((3, "Sammy"), (2, "Samuel"), (1, "Sam"))
    ]
    found = with_successors([Instruction(turn=one, start=0, end=len(one.text)) for one in turns])
    assert [one.in_force for one in found] == [True, False, False]
