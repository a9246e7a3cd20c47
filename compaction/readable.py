"""What a sentence needs beside it to be understood: one that begins with "it" or "they" needs the sentence before it."""

import re

from language import Passage, split_passages

__all__ = ["antecedent"]

_POINTS_BACK = re.compile(
    r"\W*(?:it|it's|they|they're|he|he's|she|she's|him|her|this|that|that's|these|those)\b", re.IGNORECASE
)


def antecedent(text: str, start: int) -> Passage | None:
    """Return the sentence before the one of `text` that begins at `start`, if that one points back; None if it need not be said."""
    if not start or not _POINTS_BACK.match(text, start):
        return None
    before = [passage for passage in split_passages(text) if passage.end <= start]
    return before[-1] if before else None
