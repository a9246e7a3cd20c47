"""Segmentation: a text in passages: sentences, lines of programs, rows of tables; machine text is left out."""

from language.segmentation.machine_text import readable
from language.segmentation.passages import (
    MAX_PASSAGE_CHARS,
    Passage,
    header_of,
    lead_of,
    said_in,
    split_passages,
    split_sentences,
)

__all__ = [
    "MAX_PASSAGE_CHARS",
    "Passage",
    "header_of",
    "lead_of",
    "readable",
    "said_in",
    "split_passages",
    "split_sentences",
]
