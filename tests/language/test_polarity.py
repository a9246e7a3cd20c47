import pytest
from hypothesis import given
from hypothesis import strategies as st

from language.polarity import clauses, denies


@pytest.mark.parametrize(
    "text",
    [
        "I did not go",
        "I didn\u2019t go",
        "I didn't go",
        "I cannot swim",
        "NOBODY came",
        "I never eat meat",
        "We hardly met",
        "without my dog",
        "They refused",
        "We missed the bus",
        "The trip was canceled",
        "The trip was cancelled",
        "She failed to call",
        "I no longer work there",
        "I walked instead of taking the bus",
        "I do not doubt it",
        "Ich habe keine Zeit",
        "Ich gehe nicht",
        "Je ne mange rien",
        "Il n\u2019a rien vu",
        "No tengo coche",
        "Non ho la macchina",
        "N\u00e3o vi nada",
        "Ik heb geen auto",
        "\u042f \u043d\u0435 \u0435\u043b",
        "\u6211\u6ca1\u6709\u53bb",
        "\u884c\u304d\u307e\u305b\u3093",
        "\u884c\u304b\u306a\u3044",
        "\uc548 \uac14\uc5b4\uc694",
        "\uc5c6\uc5b4\uc694",
    ],
)
def test_a_word_of_denial_denies(text: str) -> None:
    assert denies(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I went",
        "another notable knot in the north",
        "I can't wait",
        "not only that",
        "There is no doubt about it",
        "No problem at all",
        "Why not go?",
        "It's not bad",
        "I couldn't be happier",
        "I have never been happier",
        "whether or not",
        "I miss you",
        "She failed the exam",
        "Tengo un coche",
        "\u043d\u0435\u0431\u043e \u0433\u043e\u043b\u0443\u0431\u043e\u0435",
        "\u6211\u53bb\u4e86",
        "\u884c\u3063\u305f",
        "\uac14\uc5b4\uc694",
        "\uc548\ub155\ud558\uc138\uc694",
    ],
)
def test_what_only_looks_like_a_denial_does_not(text: str) -> None:
    assert not denies(text)


def test_one_idiom_does_not_hide_another_denial() -> None:
    assert denies("I can't wait, and I am not afraid")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("I went, but I didn't like it.", ["I went", "I didn't like it"]),
        ("I didn't go because it rained.", ["I didn't go", "it rained"]),
        ("Yes! No?", ["Yes", "No"]),
        ("We came (late) - and left", ["We came", "late", "left"]),
        ("one\ntwo", ["one", "two"]),
        ("a well-known band", ["a well-known band"]),
        ("The island is candid", ["The island is candid"]),  # "and" within words divides nothing
        ("Wir gingen, aber sie blieb", ["Wir gingen", "sie blieb"]),
        ("\u6211\u6ca1\u53bb\uff0c\u4ed6\u53bb\u4e86\u3002", ["\u6211\u6ca1\u53bb", "\u4ed6\u53bb\u4e86"]),
        ("...", []),
        ("and", []),
        ("", []),
    ],
)
def test_clauses_stand_between_punctuation_and_words_that_join(text: str, parts: list[str]) -> None:
    assert clauses(text) == parts


@given(st.text(max_size=200))
def test_any_text_is_read_without_error(text: str) -> None:
    denies(text)
    assert all(clause and clause == clause.strip() and clause in text for clause in clauses(text))
