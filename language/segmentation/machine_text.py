"""Machine text: stretches of a text that no one reads, such as encoded data, keys, dumps, minified code and long rows of numbers.

They stay verbatim where the text is kept. What reads a text (passages, terms, times) passes over them: they say nothing in words,
cost much to encode, and push aside the words beside them. Recognised by form alone, in one pass over the text.

A hash, an id, a path or a short URL is a word that somebody may ask for, and no machine text. It does not know encodings: data
with spaces inside, such as text in base 85, is read as words.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import groupby, pairwise

__all__ = ["machine_spans", "readable"]

Span = tuple[int, int]

_SHORTEST = 128  # characters; a SHA-512 in hexadecimal digits is as long, and still a word
_DATA_URI = re.compile(r"data:[\w.+-]+/[\w.+-]+(?:;[\w=.+-]+)*;base64,[A-Za-z0-9+/=_%-]*")
_URL = re.compile(r"https?://[!-~]{160,}")
_URL_HEAD = 160
_RUN = re.compile(r"[A-Za-z0-9+/=_-]{129,}")
_LETTERS_AND_DIGITS = re.compile(r"[A-Za-z0-9]+")
_LONG_PIECE = (
    20  # mean length of what stands between the marks of a run: 32 and more in base 64, under 12 in paths and names
)
_NUMBER = re.compile(r"[-+]?(?:0x[0-9A-Fa-f]+|\d[\d.]*(?:[eE][-+]?\d+)?)")
_HEX_BYTES = re.compile(r"(?<![0-9A-Za-z])(?:[0-9A-Fa-f]{2}[ :,]+){48,}(?:[0-9A-Fa-f]{2}\b)?")
_BETWEEN_NUMBERS = re.compile(r"[ \t,;:|\[\](){}]{1,4}")
_NUMBERS_IN_A_ROW = 40
_LINE = re.compile(r"[^\r\n]+")
_ENCODED_LINE = re.compile(r"\s*[A-Za-z0-9+/=]{56,128}\s*")
_DUMPED_LINE = re.compile(r"\s*[0-9A-Fa-f]{4,16}:?\s+(?:[0-9A-Fa-f]{2,8}\s+){4,}.*")
_NUMBER_LINE = re.compile(r"[\s\[\](){},;\"]*[-+]?\d[\d.eE+-]*[\s\[\](){},;\"]*")
_MINIFIED_CHARS = 1_000
_MINIFIED_SPACES = 1 / 12
_MARK = re.compile(r"[(){}\[\]<>;:,.=+*/!?&|\"'-]")
_MINIFIED_MARKS = 1 / 8
_LEAST_LINES = {"encoded": 3, "dumped": 3, "number": 20, "minified": 1}


def machine_spans(text: str) -> list[Span]:
    """Return the stretches `[start, end)` of `text` that are machine text, in order and apart."""
    if len(text) < _SHORTEST:
        return []
    found: list[Span] = [match.span() for match in _DATA_URI.finditer(text)]
    found += _opaque_runs(text)
    found += [(_end_of_head(match), match.end()) for match in _URL.finditer(text)]
    found += [match.span() for match in _HEX_BYTES.finditer(text)]
    found += _number_rows(text)
    found += _line_groups(text)
    return _apart(found)


def readable(text: str) -> str:
    """Return `text` with a space for each stretch of machine text; the text itself if there is none."""
    spans = machine_spans(text)
    if not spans:
        return text
    bounds = [0, *(place for span in spans for place in span), len(text)]
    return " ".join(text[start:end] for start, end in zip(bounds[::2], bounds[1::2], strict=True))


def _opaque_runs(text: str) -> Iterator[Span]:
    """Find runs of letters and digits whose pieces are too long for paths and compound names."""
    for match in _RUN.finditer(text):
        pieces = [len(piece) for piece in _LETTERS_AND_DIGITS.findall(match.group())]
        if pieces and sum(pieces) >= _LONG_PIECE * len(pieces):
            yield match.span()


def _end_of_head(match: re.Match[str]) -> int:
    """Return where the part of a long URL ends that may be read: before its query, or after its last "/" that is near enough."""
    head = match.group()[:_URL_HEAD]
    query = re.search(r"[?#]", head)
    return match.start() + (query.start() if query else head.rfind("/") + 1)


def _number_rows(text: str) -> Iterator[Span]:
    """Find rows of numbers with nothing but separators between them, within a line."""
    numbers = [match.span() for match in _NUMBER.finditer(text)]
    if len(numbers) < _NUMBERS_IN_A_ROW:
        return
    first = 0
    for place, (one, following) in enumerate(pairwise([*numbers, (len(text) + 9, len(text) + 9)]), 1):
        if _BETWEEN_NUMBERS.fullmatch(text, one[1], following[0]):
            continue
        if place - first >= _NUMBERS_IN_A_ROW:
            yield numbers[first][0], one[1]
        first = place


def _line_groups(text: str) -> Iterator[Span]:
    """Find lines of one kind of machine text in a row."""
    lines = [(match.span(), _kind_of_line(match.group())) for match in _LINE.finditer(text)]
    for kind, group in groupby(lines, key=lambda line: line[1]):
        spans = [span for span, _ in group]
        if kind and len(spans) >= _LEAST_LINES[kind]:
            yield spans[0][0], spans[-1][1]


def _kind_of_line(line: str) -> str | None:
    if len(line) > _MINIFIED_CHARS:
        dense = sum(map(str.isspace, line)) < len(line) * _MINIFIED_SPACES
        return "minified" if dense and len(_MARK.findall(line)) > len(line) * _MINIFIED_MARKS else None
    if _ENCODED_LINE.fullmatch(line):
        return "encoded"
    if _NUMBER_LINE.fullmatch(line):
        return "number"
    return "dumped" if _DUMPED_LINE.fullmatch(line) else None


def _apart(spans: Iterable[Span]) -> list[Span]:
    """Join stretches that touch or overlap."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], end)
        elif start < end:
            joined.append((start, end))
    return joined
