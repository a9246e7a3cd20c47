from hypothesis import given
from hypothesis import strategies as st

from language.sentences import MAX_PASSAGE_CHARS, split_passages


def quotes(text: str) -> list[str]:
    return [text[passage.start : passage.end] for passage in split_passages(text)]


def test_sentences_are_found_in_many_scripts() -> None:
    assert quotes("Dr. Smith came at 5 p.m. yesterday. She left!") == [
        "Dr. Smith came at 5 p.m. yesterday.",
        "She left!",
    ]
    assert quotes("我喜欢猫。你呢？") == ["我喜欢猫。", "你呢？"]
    assert quotes("😀 Hi there. Bye.") == ["😀 Hi there.", "Bye."]


def test_a_passage_never_crosses_a_line_break() -> None:
    assert quotes("- milk\n- eggs\r\n\r\nand a photo") == ["- milk", "- eggs", "and a photo"]


def test_text_without_words_is_still_found() -> None:
    assert quotes("...") == ["..."]
    assert quotes("👍") == ["👍"]


def test_an_endless_line_is_cut_at_spaces() -> None:
    pieces = quotes("word " * 1_000)
    assert all(len(piece) <= MAX_PASSAGE_CHARS for piece in pieces)
    assert " ".join(pieces) == ("word " * 1_000).strip()


@given(st.text(max_size=3_000))
def test_passages_cover_all_but_white_space_and_never_overlap(text: str) -> None:
    passages = split_passages(text)
    assert all(0 <= p.start < p.end <= len(text) and p.end - p.start <= MAX_PASSAGE_CHARS for p in passages)
    assert all(a.end <= b.start for a, b in zip(passages, passages[1:], strict=False))
    covered = "".join(text[p.start : p.end] for p in passages)
    assert "".join(covered.split()) == "".join(text.split())
