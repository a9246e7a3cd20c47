"""From a text to its sentences, found by sentencex, as spans of the verbatim text.

A passage never crosses a line break and never exceeds `MAX_PASSAGE_CHARS`,
so that one endless line (a log, a pasted table) cannot become one unusable passage.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sentencex import get_sentence_boundaries

__all__ = ["MAX_PASSAGE_CHARS", "Passage", "split_passages", "split_sentences"]

MAX_PASSAGE_CHARS = 600
_LINE = re.compile(r"[^\r\n\u2028\u2029]+")
_LANGUAGE = "en"  # its abbreviations; the sentence marks of other scripts are known to it all the same


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A sentence of a text: the half-open character span `[start, end)`."""

    start: int
    end: int


def split_sentences(text: str) -> list[str]:
    """Return the sentences of `text` as strings, in order."""
    return [text[passage.start : passage.end] for passage in split_passages(text)]


def split_passages(text: str) -> list[Passage]:
    """Split `text` into its sentences, in order; text without any word still is one passage.

    Returns spans that never overlap and never start or end in white space; empty only for blank text.
    """
    return [piece for sentence in _sentences(text) for piece in _bounded(text, sentence)]


def _sentences(text: str) -> Iterator[Passage]:
    for line in _LINE.finditer(text):
        offset = line.start()
        for boundary in get_sentence_boundaries(_LANGUAGE, line.group()):
            yield from _stripped(text, offset + boundary["start_index"], offset + boundary["end_index"])


def _bounded(text: str, sentence: Passage) -> Iterator[Passage]:
    start = sentence.start
    while sentence.end - start > MAX_PASSAGE_CHARS:
        cut = text.rfind(" ", start + MAX_PASSAGE_CHARS // 2, start + MAX_PASSAGE_CHARS)
        end = cut if cut > 0 else start + MAX_PASSAGE_CHARS
        yield from _stripped(text, start, end)
        start = end
    yield from _stripped(text, start, sentence.end)


def _stripped(text: str, start: int, end: int) -> Iterator[Passage]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start < end:
        yield Passage(start=start, end=end)
