"""Segmentation: into which pieces a text falls. Passages of sentences, of lines of programs and of rows of tables, without machine text."""

from language.segmentation.machine_text import readable
from language.segmentation.passages import (
    MAX_PASSAGE_CHARS,
    Passage,
    header_of,
    said_in,
    split_passages,
    split_sentences,
)

__all__ = ["MAX_PASSAGE_CHARS", "Passage", "header_of", "readable", "said_in", "split_passages", "split_sentences"]
