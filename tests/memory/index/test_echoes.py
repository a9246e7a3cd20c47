"""Recalled text that comes back is no new fact; a person's own words said again are."""

import pytest

from language.segmentation.passages import split_passages
from memory.index.echoes import fingerprint, fresh
from memory.model import Role
from tests.support.turns import held

FACT = "I adopted a grey cat named Miso."
DATED = "I went to a support group yesterday."
KNOWN = {fingerprint(text) for text in (FACT, DATED, "It was a fine day.")}


def kept(text: str, role: Role = "user") -> list[str]:
    turn = held(text, role=role)
    return [text[p.start : p.end] for p in fresh(turn, split_passages(text), KNOWN)]


@pytest.mark.parametrize("role", ["user", "assistant", "system", "tool"])
def test_a_pasted_context_is_an_echo(role: Role) -> None:
    pasted = f"8 May 2023\n[1] Caroline: {FACT}\n[2] Mel: I went to a support group yesterday (7 May 2023)."
    assert kept(pasted, role) == []


@pytest.mark.parametrize(
    "text", [f'You told me: "{FACT}"', f"As you said: {FACT}", FACT, FACT.upper(), f'I recall "{FACT}" well.', DATED]
)
def test_an_assistant_that_quotes_is_an_echo(text: str) -> None:
    assert kept(text, "assistant") == []


def test_a_user_who_quotes_is_an_echo() -> None:
    assert kept(f'Earlier I said: "{FACT}"') == []
    assert kept(f"{FACT} What shall I feed her?") == ["What shall I feed her?"]


def test_a_user_who_says_it_again_is_heard() -> None:
    assert kept(FACT) == [FACT], "may be news: I live in Berlin - again"
    assert kept("It was a fine day. We swam.") == ["It was a fine day.", "We swam."]
    assert kept(f"Hi! {DATED}") == ["Hi!", DATED], "another yesterday"


def test_new_words_are_kept() -> None:
    assert kept("I adopted a dog named Miso.", "assistant") == ["I adopted a dog named Miso."]
    assert kept("Great! 8 May 2023", "assistant") == ["Great!", "8 May 2023"]
