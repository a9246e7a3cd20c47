"""What may be written on a terminal: nothing that steers it, nothing that poses as an entry, and JSON that reads back the same."""

import json
import logging
from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tirtha.terminal import FURTHER_LINE, PrintableFormatter, exact_json, one_entry, printable

# The categories of characters that steer, and the two of them that words and emoji are spelt with.
STEERING = {"Cc", "Cf", "Cs", "Zl", "Zp"}
SPELT = set("\n\t\u200c\u200d\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2Jgone", r"\x1b[2Jgone"),
        ("\x1b]0;owned\x07", r"\x1b]0;owned\x07"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", r"\x1b]8;;http://x\x1b\link\x1b]8;;\x1b" + "\\"),
        ("\x9b2J\x9d0;owned\x9c", r"\x9b2J\x9d0;owned\x9c"),
        ("pay 100\rpay 1", r"pay 100\rpay 1"),
        ("ab\b\bxy", r"ab\x08\x08xy"),
        (
            "\u202edrawkcab\u202c \u2066x\u2069 \u200e\u200f\u061c",
            r"\u202edrawkcab\u202c \u2066x\u2069 \u200e\u200f\u061c",
        ),
        ("a\u2028b\u2029c\x85d\x0be\x0cf", r"a\u2028b\u2029c\x85d\x0be\x0cf"),
        ("tag\U000e0041 \ufeffmark \u200bspace \xad", r"tag\U000e0041 \ufeffmark \u200bspace \xad"),
        ("half \ud800", r"half \ud800"),
        ("two\r\nlines\n\tand a tab", "two\nlines\n\tand a tab"),
    ],
)
def test_what_steers_a_terminal_is_spelt_out(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "Grüße, 你好, Привет, שלום, مرحبا",
        "👨‍👩‍👧 and 🇩🇪",
        "می‌خواهم",
        "a b\u00a0c\u3000d",
        "[red]no markup[/red] :smile:",
    ],
)
def test_words_of_every_script_stay(text: str) -> None:
    assert printable(text) == text


@given(st.text(st.characters(codec=None)))
def test_nothing_that_steers_is_left_and_twice_is_once(text: str) -> None:
    shown = printable(text)
    assert not [one for one in shown if category(one) in STEERING and one not in SPELT]
    assert printable(shown) == shown


@given(st.text())
def test_an_entry_has_one_first_line(text: str) -> None:
    first, *further = one_entry(text).split("\n")
    assert not first.startswith(FURTHER_LINE) or text.startswith(FURTHER_LINE)
    assert all(line.startswith(FURTHER_LINE) for line in further)


@given(
    st.recursive(
        st.text(st.characters(codec=None)) | st.integers(), lambda of: st.lists(of) | st.dictionaries(st.text(), of)
    )
)
def test_json_reads_back_the_same_and_steers_nothing(value: object) -> None:
    for ascii_only in (False, True):
        written = exact_json(value, ascii_only=ascii_only)
        assert json.loads(written) == value
        assert not [one for one in written if category(one) in STEERING and one not in SPELT]


def test_json_keeps_letters_readable() -> None:
    assert (
        exact_json({"text": "Grüße \x9b \u202e \U000e0041"}) == '{\n  "text": "Grüße \\u009b \\u202e \\udb40\\udc41"\n}'
    )


def test_a_log_record_cannot_forge_another() -> None:
    record = logging.LogRecord("x", logging.INFO, "", 0, "asked %s", ("\x1b[2J\n2026-01-01 INFO forged",), None)
    assert PrintableFormatter("%(levelname)s %(message)s").format(record) == (
        "INFO asked \\x1b[2J\n  | 2026-01-01 INFO forged"
    )
