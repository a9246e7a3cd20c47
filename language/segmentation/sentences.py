"""From a line of prose to its sentences, found by sentencex, as spans of the verbatim text."""

from collections.abc import Iterator

from sentencex import get_sentence_boundaries

from language.words import words

__all__ = ["sentence_spans"]

_LANGUAGE = "en"  # its abbreviations; the sentence marks of other scripts are known to it all the same


def sentence_spans(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Find the sentences of the line `[start, end)` of `text`, as spans; a piece without any word joins the one before it."""
    last: tuple[int, int] | None = None
    for boundary in get_sentence_boundaries(_LANGUAGE, text[start:end]):
        span = start + boundary["start_index"], start + boundary["end_index"]
        if last is None:
            last = span
        elif words(text[slice(*span)]):
            yield last
            last = span
        else:
            last = last[0], span[1]
    if last:
        yield last
