"""From a line of prose to its sentences, found by sentencex, as spans of the verbatim text."""

import re
from collections.abc import Iterator

from sentencex import get_sentence_boundaries

from language.words import words

__all__ = ["sentence_spans"]

_MARK = re.compile(
    r"\s*(?:#{1,6}\s+)?(?:[-*+\u2022\u2013]\s+)?(?:\(?(?:\d{1,3}|[A-Za-z])(?:\.\d{1,2})*[.)])?\s*"  # of an item, a heading
)
_LANGUAGE = "en"  # its abbreviations; the sentence marks of other scripts are known to it all the same


def sentence_spans(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Find the sentences of the line `[start, end)` of `text`, as spans; a line without any word has none.

    A piece without any word joins the one before it. The mark of an item or of a heading ("3.", "### 2.") joins what it marks.
    """
    last: tuple[int, int] | None = None
    for boundary in get_sentence_boundaries(_LANGUAGE, text[start:end]):
        span = start + boundary["start_index"], start + boundary["end_index"]
        if last is None:
            last = span
        elif _MARK.fullmatch(text, *last):
            last = last[0], span[1]
        elif words(text[slice(*span)]):
            yield last
            last = span
        else:
            last = last[0], span[1]
    if last and words(text[slice(*last)]):
        yield last
