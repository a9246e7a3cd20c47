"""From a text to its passages: what is recalled, quoted and cited, as spans of the verbatim text.

A passage of prose is a sentence. One of a program is a few whole lines, with their indentation; one of a table is a row. Machine
text is in none. No passage exceeds `MAX_PASSAGE_CHARS`, and none of prose crosses a line break: an endless line is cut. Behind the
first `_SEPARATE` passages of a text, rows and lines of a few words are joined, so that a text of one-letter lines costs no more
than prose.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from language.segmentation.blocks import Block, blocks_of, header_before, in_code, lead_before
from language.segmentation.machine_text import machine_spans
from language.segmentation.sentences import sentence_spans

__all__ = [
    "MAX_PASSAGE_CHARS",
    "PASSAGES_VERSION",
    "Passage",
    "header_of",
    "said_in",
    "split_passages",
    "split_sentences",
]

# Of `split_passages` and `said_in`, with all that they call: another version means that stored passages are of no use, and every
# index is made anew.
PASSAGES_VERSION = "1"
MAX_PASSAGE_CHARS = 600
_LINES_CHARS = 240  # lines that make one passage, if together they are no longer
_SEPARATE = 2_000
_SENTENCE_WORDS = 5
_HEAD_CHARS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A piece of a text: the half-open character span `[start, end)`."""

    start: int
    end: int


def split_sentences(text: str) -> list[str]:
    """Return the passages of `text` as strings, in order: of prose, its sentences."""
    return [text[passage.start : passage.end] for passage in split_passages(text)]


def split_passages(text: str) -> list[Passage]:
    """Split `text` into its passages, in order.

    Returns spans that never overlap. They neither start nor end in white space, but for the indentation of programs. Text
    without any word still is one passage, and of one that is machine text alone the first characters are one, so that it can be
    found at all; empty only for blank text.
    """
    found = [
        passage
        for start, end in _read_parts(text)
        for block in blocks_of(text[start:end])
        for passage in _of_block(text, start, block)
    ]
    if not found and text.strip():
        start = len(text) - len(text.lstrip())
        found = list(_trimmed(text, [Passage(start=start, end=min(start + _HEAD_CHARS, len(text)))]))
    return [*found[:_SEPARATE], *_short_ones_joined(text, found[_SEPARATE:])]


def header_of(text: str, passage: Passage) -> Passage | None:
    """Return the header of the table that the passage is a row of; None for what is no row, or the header itself."""
    header = header_before(text, passage.start)
    return Passage(start=header[0], end=header[1]) if header else None


def lead_of(text: str, passage: Passage) -> Passage | None:
    """Return the line that the passage hangs on: a row's header, what announces an item, a heading; None if it stands alone."""
    lead = header_before(text, passage.start) or lead_before(text, passage.start)
    return Passage(start=lead[0], end=lead[1]) if lead and lead[1] <= passage.start else None


def said_in(text: str, passage: Passage) -> str:
    """Return what a passage says: its verbatim text, below the line that it hangs on."""
    lead = lead_of(text, passage)
    own = text[passage.start : passage.end]
    return f"{text[lead.start : lead.end]}\n{own}" if lead else own


def _read_parts(text: str) -> Iterator[tuple[int, int]]:
    """Cut `text` at its machine text, and leave that out."""
    start = 0
    for out_from, out_to in machine_spans(text):
        yield start, out_from
        start = out_to
    yield start, len(text)


def _of_block(text: str, offset: int, block: Block) -> Iterator[Passage]:
    lines = [(offset + start, offset + end) for start, end in block.lines]
    if block.kind == "code":
        whole = [Passage(start=start, end=end) for start, end in lines if text[start:end].strip()]
        yield from _trimmed(text, _joined([piece for line in whole for piece in _bounded(text, line)], _LINES_CHARS))
        return
    for start, end in lines:
        for span in [(start, end)] if block.kind == "table" else sentence_spans(text, start, end):
            for piece in _bounded(text, Passage(start=span[0], end=span[1])):
                yield from _stripped(text, piece)


def _joined(passages: Iterable[Passage], chars: int) -> Iterator[Passage]:
    """Join passages that follow each other, up to `chars` characters together."""
    last: Passage | None = None
    for passage in passages:
        if last and passage.end - last.start <= chars:
            last = Passage(start=last.start, end=passage.end)
            continue
        if last:
            yield last
        last = passage
    if last:
        yield last


def _short_ones_joined(text: str, passages: Sequence[Passage]) -> Iterator[Passage]:
    """Join passages of a few words, and rows of tables; a sentence stands alone."""
    for alone, run in groupby(passages, lambda passage: _is_sentence(text, passage)):
        together = list(run)
        yield from together if alone else _joined(together, _LINES_CHARS)


def _is_sentence(text: str, passage: Passage) -> bool:
    several = len(text[passage.start : passage.end].split(maxsplit=_SENTENCE_WORDS)) >= _SENTENCE_WORDS
    return several and header_of(text, passage) is None and not in_code(text, passage.start)


def _bounded(text: str, piece: Passage) -> Iterator[Passage]:
    """Cut a piece that is too long, at a space if there is one near."""
    start = piece.start
    while piece.end - start > MAX_PASSAGE_CHARS:
        cut = text.rfind(" ", start + MAX_PASSAGE_CHARS // 2, start + MAX_PASSAGE_CHARS)
        end = cut if cut > 0 else start + MAX_PASSAGE_CHARS
        yield Passage(start=start, end=end)
        start = end
    yield Passage(start=start, end=piece.end)


def _trimmed(text: str, passages: Iterable[Passage]) -> Iterator[Passage]:
    """Leave out white space at the end, and what is white space alone."""
    for passage in passages:
        end = passage.start + len(text[passage.start : passage.end].rstrip())
        if end > passage.start:
            yield Passage(start=passage.start, end=end)


def _stripped(text: str, passage: Passage) -> Iterator[Passage]:
    own = text[passage.start : passage.end]
    yield from _trimmed(text, [Passage(start=passage.start + len(own) - len(own.lstrip()), end=passage.end)])
