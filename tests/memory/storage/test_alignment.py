"""Which of the turns that a client sends are new, and which it has replaced: cases, and laws that hold for any conversation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.storage.intake.alignment import Alignment, align, align_new

TURNS = st.lists(st.sampled_from("abcde"), max_size=9)


def known(start: int, count: int) -> Alignment:
    return Alignment(start=start, known=count, replaces=False)


def replaces(start: int, count: int) -> Alignment:
    return Alignment(start=start, known=count, replaces=True)


@pytest.mark.parametrize(
    ("held", "sent", "aligned"),
    [
        ("", "u", known(0, 0)),
        ("uA", "uAv", known(0, 2)),
        ("uAv", "uAv", known(0, 3)),
        ("uAvB", "uAw", replaces(0, 2)),  # edited
        ("uAvB", "wBv", known(4, 0)),  # the first one edited: nothing in common
        ("uAvB", "uAv", replaces(0, 3)),  # regenerated
        ("uA", "u", replaces(0, 1)),  # the first answer regenerated
        ("uAvB", "u", known(4, 0)),  # "hi" again, from a client that sends only what is new
        ("uAvB", "uA", known(0, 2)),  # an answer stands last: nobody waits for another
        ("uAvB", "uAvCw", replaces(0, 3)),  # regenerated elsewhere
        ("uAvBwC", "vBwCx", known(2, 4)),  # the oldest dropped
        ("uAvBwC", "wCx", known(4, 2)),
        ("uAvBwC", "Cx", known(5, 1)),
        ("uAvBwC", "vBx", replaces(2, 2)),  # dropped and edited
        ("uAvBwC", "vBw", replaces(2, 3)),  # dropped and regenerated
        ("uAvBwC", "x", known(6, 0)),  # only what is new
        ("uAvBw", "w", known(4, 1)),  # only what is new, again
        ("uAvBuC", "Bx", known(6, 0)),  # one turn alike proves nothing
        ("xuAvuAw", "uAz", known(7, 0)),  # two places alike: which of them was edited?
        ("uAuB", "uBv", known(2, 2)),  # what explains more, and replaces nothing
        ("uAu", "u", known(2, 1)),  # a retry, and not the first answer again
    ],
)
def test_a_conversation_is_compared_with_what_is_held(held: str, sent: str, aligned: Alignment) -> None:
    assert align(held, sent, awaits_answer=sent[-1].islower()) == aligned


@pytest.mark.parametrize(
    ("held", "sent", "aligned"), [("uA", "v", known(2, 0)), ("uAv", "v", known(2, 1)), ("u", "uA", known(1, 0))]
)
def test_new_turns_are_appended_unless_they_are_the_last_ones_again(held: str, sent: str, aligned: Alignment) -> None:
    assert align_new(held, sent) == aligned


@given(held=TURNS, sent=TURNS, awaits_answer=st.booleans())
def test_what_is_known_is_held_and_what_stands_then_ends_with_what_was_sent(
    held: list[str], sent: list[str], awaits_answer: bool
) -> None:
    found = align(held, sent, awaits_answer=awaits_answer)
    end = found.start + found.known
    assert held[found.start : end] == sent[: found.known]
    assert not found.replaces or end < len(held), "there is something to replace"
    stands = [*(held[:end] if found.replaces else held), *sent[found.known :]]
    if found.known < len(sent) or found.replaces:
        assert stands[len(stands) - len(sent) :] == sent
    again = align(stands, sent, awaits_answer=awaits_answer)
    if found.known < len(sent):
        assert (again.known, again.replaces) == (len(sent), False), "sent again, it is known"


@given(held=TURNS, more=TURNS)
def test_a_conversation_that_goes_on_replaces_nothing(held: list[str], more: list[str]) -> None:
    found = align(held, [*held, *more], awaits_answer=True)
    assert (found.known, found.replaces) == (len(held), False)
