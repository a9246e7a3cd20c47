"""Haystacks: what is hidden lies at its depth, lengths are exact, and no filler is said twice."""

from pathlib import Path

import pytest

from compaction.tokens import count_tokens
from eval.errors import Unusable
from eval.long_context.haystack import bury, paragraphs, take


def test_what_is_hidden_lies_at_its_depth_and_the_length_is_kept() -> None:
    texts = bury([(0.0, "FIRST"), (0.5, "MIDDLE"), (1.0, "LAST")], tokens=2_000, filler=paragraphs(3))
    assert texts[0] == "FIRST"
    assert texts[-1] == "LAST"
    assert abs(texts.index("MIDDLE") - len(texts) / 2) <= 2
    assert 1_800 <= count_tokens("\n".join(texts)) <= 2_000
    with pytest.raises(Unusable, match="more than the 1 of the history"):
        bury([(0.0, "much too long")], tokens=1, filler=paragraphs(3))


def test_filler_never_says_anything_twice_and_a_short_text_is_no_haystack(tmp_path: Path) -> None:
    sentences = " ".join(take(paragraphs(1), 20_000)).split(". ")
    assert len(set(sentences)) == len(sentences)
    (tmp_path / "short.txt").write_text("One.\n\nTwo.")
    with pytest.raises(Unusable, match="give a longer --haystack"):
        take(paragraphs(1, tmp_path / "short.txt"), 100)
