"""What a line hangs on, in what people and models write in lines."""

import pytest

from language import lead_of, said_in, split_passages


def led(text: str) -> list[tuple[str, str | None]]:
    """The passages of a text, each with what it hangs on."""
    leads = [(passage, lead_of(text, passage)) for passage in split_passages(text)]
    return [(text[one.start : one.end], text[lead.start : lead.end] if lead else None) for one, lead in leads]


@pytest.mark.parametrize("mark", ["- ", "* ", "\u2022 ", "1. ", "1) ", "(a) ", "  - "])
def test_an_item_hangs_on_the_line_that_announces_it(mark: str) -> None:
    text = f"It is long. My allergies:\n{mark}peanuts\n{mark}shellfish\n\nI also hate rain."
    item = mark.strip()
    assert led(text) == [
        ("It is long.", None),
        ("My allergies:", None),
        (f"{item} peanuts", "My allergies:"),
        (f"{item} shellfish", "My allergies:"),
        ("I also hate rain.", None),
    ]


def test_a_blank_line_may_stand_between_a_list_and_what_announces_it() -> None:
    assert led("We need:\n\n- a tent\n\n- a stove\n\nBye.")[1:] == [
        ("- a tent", "We need:"),
        ("- a stove", "We need:"),
        ("Bye.", None),
    ]


def test_lines_without_marks_hang_on_what_announces_them_until_a_blank_line() -> None:
    assert led("My address:\n12 Elm Street\nGhent\n\nI moved in May.")[1:] == [
        ("12 Elm Street", "My address:"),
        ("Ghent", "My address:"),
        ("I moved in May.", None),
    ]


def test_a_deeper_item_hangs_on_the_shallower_one_above_it() -> None:
    assert led("1. Kitchen\n   - a kettle\n     still boxed\n   - two pans\n2. Bath\n   - towels") == [
        ("1. Kitchen", None),
        ("- a kettle", "1. Kitchen"),
        ("still boxed", "- a kettle"),
        ("- two pans", "1. Kitchen"),
        ("2. Bath", None),
        ("- towels", "2. Bath"),
    ]


@pytest.mark.parametrize("heading", ["## Costs", "### 2. Costs", "**Costs**", "**Costs**:", "__Costs__"])
def test_what_stands_under_a_heading_hangs_on_it(heading: str) -> None:
    assert led(f"Hi.\n\n{heading}\n\nWe pay 300. It rises.\n\n# Next\nNothing.") == [
        ("Hi.", None),
        (heading, None),
        ("We pay 300.", heading),
        ("It rises.", heading),
        ("# Next", None),
        ("Nothing.", "# Next"),
    ]


def test_a_program_hangs_on_what_announces_it_and_a_row_on_its_header() -> None:
    text = "Try this:\n```python\nx = f(1)\n\ny = f(2)\n```\nRents:\n\n| city | rent |\n|---|---|\n| Ghent | 900 |"
    found = dict(led(text))
    assert found["x = f(1)\n\ny = f(2)"] == "Try this:"
    assert found["| city | rent |"] == "Rents:"
    assert found["| Ghent | 900 |"] == "| city | rent |"


@pytest.mark.parametrize(
    "text",
    [
        "Dear Ann,\nI moved.\n- Bo",
        "I moved.\n- It rains.",
        "Hello: it is me",
        "One. Two.\nThree.",
        f"{'x ' * 99}:\n- a",
    ],
)
def test_what_nothing_short_announces_hangs_on_nothing(text: str) -> None:
    assert {lead for _, lead in led(text)} == {None}


def test_what_a_passage_says_is_below_what_it_hangs_on() -> None:
    text = "My allergies:\n- peanuts\n- shellfish"
    assert said_in(text, split_passages(text)[2]) == "My allergies:\n- shellfish"
    assert said_in(text, split_passages(text)[0]) == "My allergies:"


@pytest.mark.parametrize(
    ("line", "passages"),
    [
        ("3. Book the hall. Then rest.", ["3. Book the hall.", "Then rest."]),
        ("### 2. Costs", ["### 2. Costs"]),
        ("2.1. Foo bar", ["2.1. Foo bar"]),
        ("I have 3. You have 4.", ["I have 3.", "You have 4."]),
        ("J. Smith came. He left.", ["J. Smith came.", "He left."]),
        ("3.", ["3."]),
        ("\U0001f600", ["\U0001f600"]),
    ],
)
def test_a_mark_is_no_sentence(line: str, passages: list[str]) -> None:
    assert [quote for quote, _ in led(line)] == passages


def test_a_line_without_words_is_no_passage_beside_others() -> None:
    assert [quote for quote, _ in led("One.\n---\n/\n\\[\nTwo.\n\U0001f600")] == ["One.", "Two."]


@pytest.mark.parametrize("close", ["```\n", ""])
def test_what_stands_behind_a_fence_hangs_on_what_it_would_without_it_even_if_none_closes_it(close: str) -> None:
    assert led(f"## Setup\n\nRun this:\n```\npip install it\n{close}\nThen we were done.\n\n- tea")[-2:] == [
        ("Then we were done.", "## Setup"),
        ("- tea", "## Setup"),
    ]
