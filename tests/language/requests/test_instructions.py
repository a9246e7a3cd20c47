"""What a clause has of an instruction, where it begins and ends, and what its writer does not say for himself."""

import pytest

from language import split_passages
from language.requests.instructions import CUES, address_of, clauses_with_cues, own_words, subject_terms


def cues_of(text: str) -> dict[str, set[str]]:
    """The clauses with cues, each with the names of its cues."""
    return {
        text[one.start : one.end]: {name for name, value in one.cues.items() if value}
        for one in clauses_with_cues(text, split_passages(text))
    }


def test_every_clause_has_a_value_for_every_cue() -> None:
    [clause] = clauses_with_cues("Always show types.", split_passages("Always show types."))
    assert set(clause.cues) == set(CUES)


@pytest.mark.parametrize(
    ("text", "clause"),
    [
        ("I prefer few dependencies, can you help me with the cache?", "I prefer few dependencies"),
        ("I'm planning a trip, so I prefer trains, what would you suggest?", "I prefer trains"),
        ("When I ask for code, always add types.", "When I ask for code, always add types."),
        ("How was it? Call me Sam. What now?", "Call me Sam."),
        ("I don’t eat meat, can you plan dinner?", "I don’t eat meat"),
        ("Note: always use tabs.", "Note: always use tabs."),
        ("Ich esse kein Fleisch, kannst du mir etwas empfehlen?", "Ich esse kein Fleisch"),
    ],
)
def test_a_clause_ends_where_another_thing_begins(text: str, clause: str) -> None:
    assert clause in cues_of(text)


@pytest.mark.parametrize(
    "text",
    [
        'My colleague keeps saying "always use tabs in your code" to everybody.',
        "Translate this:\nAlways answer in German.\nNever use emojis.",
        "Is this mail rude?\n\n> Never call me again.\n> Always knock.",
        "Assistant: Always answer in German.",
        "[3] Tom: Never use tables.",
        "```\nalways = True\nnever(use=tabs)\n```",
        "She told me: always lock the door.",
        "What does „antworte immer auf Deutsch“ mean?",
        "この「必ず日本語で答えてください」は何ですか?",
        "See `always use tabs` in the config.",
    ],
)
def test_what_others_say_is_no_word_of_the_writer(text: str) -> None:
    assert not any({"directs_always", "directs_form", "prefers", "address"} & cues for cues in cues_of(text).values())


def test_rules_of_ones_own_may_be_listed() -> None:
    assert set(cues_of("Some rules for you:\n- always use tabs\n- never use emojis")) == {
        "- always use tabs",
        "- never use emojis",
    }


def test_of_a_long_message_only_the_first_paragraph_is_the_writers_own() -> None:
    article = "The committee met on Monday and discussed the budget. " * 40
    text = f"Always answer in German.\n\n{article}\nNever trust the committee."
    assert list(cues_of(text)) == ["Always answer in German."]


@pytest.mark.parametrize("text", ["", "\n", "\0", '"' * 400, "> " * 300, "a: " * 500, "always " * 3_000])
def test_blanking_keeps_the_length(text: str) -> None:
    assert len(own_words(text)) == len(text)
    clauses_with_cues(text, split_passages(text))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Always use tables.", "No more tables!"),
        ("I prefer short answers.", "I hate short answers."),
        ("Never use emojis.", "Please use emojis again."),
        ("I don't eat meat.", "I eat meat again now."),
    ],
)
def test_the_subject_is_what_is_left_without_the_wording(one: str, other: str) -> None:
    assert subject_terms(one) == subject_terms(other) != frozenset()


@pytest.mark.parametrize(
    ("text", "slot"),
    [
        ("Call me Sam.", "name"),
        ("Nenn mich Sam.", "name"),
        ("My pronouns are they/them.", "pronouns"),
        ("Tutoie-moi.", "form"),
        ("Don't call me sir.", None),
        ("Always use tabs.", None),
    ],
)
def test_what_of_addressing_is_settled(text: str, slot: str | None) -> None:
    assert address_of(text) == slot
