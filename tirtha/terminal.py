"""What may be written on a terminal: text that somebody remembered can neither steer the terminal nor pose as ours.

A terminal obeys what it is sent: escape sequences clear it, set its title or make links, C1 controls do the same in one character,
a carriage return or a backspace writes over what stands there, bidirectional overrides turn letters round. All of these are
characters of the Unicode categories Cc, Cf, Cs, Zl and Zp, so the rule is about categories and not about sequences.
Right-to-left letters themselves stay: a terminal that lays them out moves their neighbours, as it does in any text.
"""

import json
import logging
from unicodedata import category

__all__ = ["FURTHER_LINE", "PrintableFormatter", "exact_json", "one_entry", "printable"]

FURTHER_LINE = "  | "  # no line of ours begins so
_STEERING = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_JOINERS = "\u200c\u200d"  # Persian and Indic words and emoji families are spelt with them
_ARABIC_SIGNS = (
    "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2"  # seen, though they count as format
)
_HARMLESS = frozenset("\n\t" + _JOINERS + _ARABIC_SIGNS)


def printable(text: str) -> str:
    r"""Return `text` with every character that steers a terminal spelt out: `\x1b`, `\u202e`.

    Line breaks and tabs stay (CRLF becomes one line break); a carriage return alone does not. What is printable already is
    returned as it is, so that applying this twice changes nothing.
    """
    if text.isprintable():
        return text
    return "".join(_escaped(one) if _steers(one) else one for one in text.replace("\r\n", "\n"))


def one_entry(text: str) -> str:
    """Return `text`, printable, as one entry: its further lines are marked, so that none looks like an entry of its own."""
    return printable(text).replace("\n", f"\n{FURTHER_LINE}")


def exact_json(value: object, *, ascii_only: bool = False) -> str:
    """Write `value` as JSON that reads back the same, without a character that steers a terminal."""
    written = json.dumps(value, indent=2, ensure_ascii=ascii_only)
    if ascii_only:
        return written
    # JSON escapes the controls below U+0020 itself; what is left stands inside strings, where an escape means the same.
    return "".join(json.dumps(one)[1:-1] if _steers(one) else one for one in written)


class PrintableFormatter(logging.Formatter):
    """Log records as printable entries: a record's further lines, tracebacks too, cannot look like records."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one entry."""
        return one_entry(super().format(record))


def _steers(character: str) -> bool:
    return not character.isprintable() and character not in _HARMLESS and category(character) in _STEERING


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()
