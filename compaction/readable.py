"""What a passage needs beside it: "it" or "they" need the sentence before, a row its header, an item the line that announces it."""

import re

from language import Passage, lead_of, split_passages
from language.segmentation import MAX_PASSAGE_CHARS
from language.segmentation.blocks import in_code

__all__ = ["antecedent"]

_POINTS_BACK = re.compile(
    r"\W*(?:it|it's|they|they're|he|he's|she|she's|him|her|this|that|that's|these|those)\b", re.IGNORECASE
)

_LONGEST_BEFORE = 300  # characters
_LOOKED_BACK = 2 * MAX_PASSAGE_CHARS


def antecedent(text: str, passage: Passage) -> Passage | None:
    """Return what must be said before a passage of `text`; None if it stands alone."""
    lead = lead_of(text, passage)
    if lead:
        return lead
    start = passage.start
    if not start or not _POINTS_BACK.match(text, start):
        return None
    window = max(start - _LOOKED_BACK, 0)  # of a long text only the last sentences are split again
    before = split_passages(text[window:start])
    if not before or before[-1].end - before[-1].start > _LONGEST_BEFORE or in_code(text, window + before[-1].start):
        return None  # a paragraph, data in words or a program: it would push out the sentence that it should help
    return Passage(start=window + before[-1].start, end=window + before[-1].end)
