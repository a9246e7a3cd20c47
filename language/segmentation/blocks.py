"""What stands in lines and not in sentences: programs and tables.

Code is known by a fence around it, or by lines that look like code in several common languages. A table is known by lines in a row
that have equally many cells, between the same separators: Markdown, CSV, tabs, or columns two spaces apart. Its first line is its
header if none of its cells is a number. It does not know tables in HTML, or ones whose cells hold line breaks.
"""

import csv
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Literal

from language.segmentation.fences import fence_ends
from language.segmentation.leads import leads_in

__all__ = ["Block", "blocks_of", "header_before", "in_code", "kept_structure", "lead_before"]

Kind = Literal["prose", "code", "table"]

_LINE = re.compile(r"[^\r\n\u2028\u2029]+")
_LINE_END = re.compile(r"[\r\n\u2028\u2029]")
_SURELY_CODE = re.compile(
    r"""\s*(?:(?:async\s+)?def\s+\w+\s*\(|class\s+\w+\s*[:({]|(?:from\s+[\w.]+\s+)?import\s+[\w.{*]+\s*(?:$|,|as\b|from\b)
    |@\w+(?:\.\w+)*(?:\(.*\))?\s*$|(?:const|let|var)\s+\w+\s*=|(?:export\s+)?(?:async\s+)?function\b.*\(.*\)\s*\{?
    |(?:public|private|protected|static)\s.*[({;]\s*$|\#include\s*[<"]|\$\s+\S|File\ ".*",\ line\ \d+|at\s+[\w.$<>]+\(.*\)
    |(?:SELECT|INSERT\s+INTO|UPDATE|CREATE\s+TABLE)\s.*\b(?:FROM|VALUES|SET)\b|<(?:/?[a-z][\w-]*)(?:\s[^<>]*)?>.*</?[a-z]
    |[\w.\[\]"']+\s*(?:[-+*/|&]?=|:=)\s*\S+.*\(.*\)|return\s+[\w.]+\s*[-+*/(\[]|(?:if|while|for)\s*\(.*\)\s*\{)
    |.*(?:=>\s*[({]|\)\s*\{\s*$|\);\s*$|"{3}|'{3})""",
    re.VERBOSE,
)
_MAYBE_CODE = re.compile(
    r"""(?:\s{2,}|\t)\S|\s*[{}\[\]()]+[;,]*\s*$|.*[;{\\]\s*$|\s*[\w.\[\]"']+\s*(?:[-+*/|&]?=|:=)\s*\S|\s*(?:\#|//|--)\s"""
    r"""|\s*[\w.]+\(.*\)[;,]?\s*$|\s*</?[a-zA-Z][\w-]*(?:\s[^<>]*)?/?>\s*$"""
    r"""|\s*(?:if|elif|else|while|for|with|try|except|finally|return|raise|end|fi|done|then|do)\b.*:?\s*$""",
    re.VERBOSE,
)
_RULE_LINE = re.compile(r"\s*[|+]?(?:\s*:?-{2,}:?\s*[|+]?)+\s*")
_NUMBER_CELL = re.compile(r"[-+$\u20ac\u00a3]?\s*\d[\d.,:/%\s-]*")
_COLUMNS = re.compile(r"(?:\t+|\s{2,})")
_MEAN_WORDS_OF_CELL = 4
_LEAST_ROWS = {"|": 2, "\t": 2, ",": 3, ";": 3, "  ": 3}
_KEPT_TEXTS = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Lines in a row of one kind, as spans `[start, end)` of the text; the header of a table is one of its lines."""

    kind: Kind
    lines: tuple[tuple[int, int], ...]
    header: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    """Where programs and tables with a header stand in a text, and what its lines hang on: by where they begin, in order."""

    programs: tuple[Block, ...]
    tables: tuple[Block, ...]
    leads: tuple[tuple[int, tuple[int, int] | None], ...]


@lru_cache(maxsize=_KEPT_TEXTS)
def kept_structure(text: str) -> Structure:
    """Return the programs and tables of `text` and its lines' leads, and keep them for the next time."""
    blocks = [block for block in blocks_of(text) if block.kind != "prose"]
    return Structure(
        programs=tuple(block for block in blocks if block.kind == "code"),
        tables=tuple(block for block in blocks if block.header),
        leads=tuple(leads_in(text)),
    )


def header_before(text: str, start: int) -> tuple[int, int] | None:
    """Return the header of the table whose row begins at `start`; None if no row does, or if it is the header itself."""
    if "\n" not in text and "\r" not in text:
        return None
    table = _around(kept_structure(text).tables, start)
    return table.header if table and table.header and table.header[0] < start else None


def lead_before(text: str, start: int) -> tuple[int, int] | None:
    """Return the line that the line around `start` hangs on; None if it hangs on none."""
    if "\n" not in text and "\r" not in text:
        return None
    leads = kept_structure(text).leads
    line = bisect_right(leads, start, key=lambda one: one[0]) - 1
    return leads[line][1] if line >= 0 else None


def in_code(text: str, start: int) -> bool:
    """Return whether the line of a program begins at `start`, or holds it."""
    if not _LINE_END.search(text):  # most messages: no need to take them apart
        return bool(_SURELY_CODE.match(text))
    return _around(kept_structure(text).programs, start) is not None


def _around(blocks: Sequence[Block], place: int) -> Block | None:
    """Return the block that `place` is in; blocks are in order."""
    after = bisect_right(blocks, place, key=lambda block: block.lines[0][0])
    return blocks[after - 1] if after and place < blocks[after - 1].lines[-1][1] else None


def blocks_of(text: str) -> Iterator[Block]:
    """Cut `text` into blocks, in order. Lines that only separate (fences, rules of a table, blank ones) are in none."""
    lines = _Lines(text)
    place = 0
    while place < len(lines.spans):
        block, place = _next_block(lines, place)
        if block:
            yield block


class _Lines:
    """The lines of a text, and what is known of each before blocks are made: each is looked at once."""

    def __init__(self, text: str) -> None:
        self.spans = [match.span() for match in _LINE.finditer(text)]
        self.texts = [text[start:end] for start, end in self.spans]
        self.sure = [bool(_SURELY_CODE.match(line)) for line in self.texts]
        self.program_ends = self._ends_of_programs()
        self.fence_ends = fence_ends(self.texts)
        self.closing = set(self.fence_ends.values())

    def _ends_of_programs(self) -> dict[int, int]:
        """Return the place behind each run of lines that may be code, one of them surely, by the run's first place."""
        ends: dict[int, int] = {}
        for may_be, run in groupby(
            range(len(self.texts)), lambda at: self.sure[at] or bool(_MAYBE_CODE.match(self.texts[at]))
        ):
            places = list(run)
            if may_be and any(self.sure[at] for at in places):
                ends[places[0]] = places[-1] + 1
        return ends


def _next_block(lines: _Lines, place: int) -> tuple[Block | None, int]:
    """Return the block that begins with the line at `place`, and the place behind it."""
    close = lines.fence_ends.get(place)
    if close is not None and (lines.texts[place].strip("`~ \t") or any(lines.sure[place:close])):
        return _code(lines, place + 1, close), close + 1
    if close is not None or place in lines.closing:
        return None, place + 1
    rows = _table_rows(lines.texts, place)
    if rows:
        return _table(lines.texts[place : place + rows], lines.spans[place : place + rows]), place + rows
    end = lines.program_ends.get(place)
    if end:
        return _code(lines, place, end), end
    prose = Block(kind="prose", lines=(lines.spans[place],)) if lines.texts[place].strip() else None
    return prose, place + 1


def _code(lines: _Lines, start: int, end: int) -> Block | None:
    return Block(kind="code", lines=tuple(lines.spans[start:end])) if start < end else None


def _table_rows(lines: Sequence[str], place: int) -> int:
    """Count the lines from `place` on that are rows of one table; 0 if they are none."""
    for separator, least in _LEAST_ROWS.items():
        wanted = len(_cells(lines[place], separator))
        if wanted < 2:
            continue
        rows = 1
        while place + rows < len(lines) and _continues(lines[place + rows], separator, wanted):
            rows += 1
        if rows >= least and not _is_verse(lines[place : place + rows], separator, wanted):
            return rows
    return 0


def _is_verse(rows: Sequence[str], separator: str, cells: int) -> bool:
    """Return whether two halves of a line, with a comma between, are no cells: "Roses are red, violets blue"."""
    numbers = (_NUMBER_CELL.fullmatch(cell) for row in rows for cell in _cells(row, separator))
    return separator in {",", ";"} and cells == 2 and all(f"{separator} " in row for row in rows) and not any(numbers)


def _continues(line: str, separator: str, cells: int) -> bool:
    return bool(_RULE_LINE.fullmatch(line)) or len(_cells(line, separator)) == cells


def _cells(line: str, separator: str) -> list[str]:
    """Return the cells of a line between separators; none if it reads like a sentence and not like a row."""
    if separator == "  ":
        cells = _COLUMNS.split(line.strip()) if not line[:1].isspace() else []
    elif separator not in line:
        return []
    elif separator == "|":
        cells = line.strip().strip("|").split("|")
    else:
        cells = next(csv.reader([line], delimiter=separator, skipinitialspace=True))
    if separator in {"|", "\t"}:
        return cells
    long = sum(len(cell.split()) for cell in cells) > _MEAN_WORDS_OF_CELL * len(cells)
    return [] if long or line.rstrip().endswith((".", "!", "?", ":")) else cells


def _table(lines: Sequence[str], spans: Sequence[tuple[int, int]]) -> Block:
    rows = [place for place, line in enumerate(lines) if not _RULE_LINE.fullmatch(line)]
    first = lines[rows[0]]
    separator = next((mark for mark in _LEAST_ROWS if len(_cells(first, mark)) > 1), "|")
    named = len(rows) > 1 and not any(_NUMBER_CELL.fullmatch(cell.strip()) for cell in _cells(first, separator))
    return Block(kind="table", lines=tuple(spans[row] for row in rows), header=spans[rows[0]] if named else None)
