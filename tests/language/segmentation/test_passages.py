import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from language import header_of, said_in
from language.segmentation.blocks import blocks_of, in_code
from language.segmentation.machine_text import machine_spans
from language.segmentation.passages import MAX_PASSAGE_CHARS, split_passages
from language.words import words


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


def test_a_mark_without_words_stays_with_its_sentence() -> None:
    assert quotes("Keep it up! 🌟") == ["Keep it up! 🌟"]
    assert quotes('He wrote """Roll out to ENV.""" there.') == ['He wrote """Roll out to ENV.""" there.']


@pytest.mark.parametrize(
    "code",
    [
        'def roll_out(env):\n    """Roll out to ENV."""\n    return deploy(env)',
        "const area = (r) => {\n  return Math.PI * r ** 2;\n};",
        '#include <stdio.h>\nint main() {\n\tprintf("Hello. World.");\n}',
        "SELECT name, city FROM people WHERE age > 3;",
        "for (let i = 0; i < 3; i++) {\n  go(i);\n}",
        'x = """Roll out. To ENV."""',
        "$ pip install heron==1.2. && heron --port 3",
        "import os\nfrom sys import argv\n\nprint(argv[0], os.name)",
        "public static void main(String[] args) {\n    run();\n}",
        '<div class="a">\n  <p>One. Two.</p>\n</div>',
    ],
)
def test_a_program_keeps_its_characters_and_lines(code: str) -> None:
    for text in (code, f"Here it is:\n{code}\nDo you like it? I do.", f"Look:\n```\n{code}\n```\nDone. Bye."):
        assert code in quotes(text), quotes(text)
        assert not any("```" in quote for quote in quotes(text))


def test_lines_of_a_program_keep_their_indentation_where_it_is_cut() -> None:
    code = "\n".join(["def area(r):", *(f"    step_{n} = work({n}, 'a. B')" for n in range(40)), "    return r"])
    pieces = quotes(f"```python\n{code}\n```")
    assert "\n".join(pieces) == code
    assert all(piece.startswith(("def", "    ")) for piece in pieces)
    assert max(map(len, pieces)) <= 240


@pytest.mark.parametrize(
    "text",
    [
        "My list:\n- call Ann; then Bo;\n- buy milk;",
        "For the trip we need:\n  a tent\n  a stove",
        "Hi Ann, how are you? I am fine. See you.",
        "Roses are red, violets blue\nI love you, you too\nGo home, now",
        "Dear Ann,\n\nI moved. It rains, mostly.\n\nYours, Bo",
        "While I slept, it rained. Return soon.",
    ],
)
def test_what_people_write_in_lines_is_prose(text: str) -> None:
    assert {block.kind for block in blocks_of(text)} == {"prose"}


def test_a_letter_in_a_fence_is_prose() -> None:
    assert quotes("```\nI moved. It rains.\n```\nBye.") == ["I moved.", "It rains.", "Bye."]


def test_a_fence_that_nothing_closes_is_no_fence() -> None:
    assert quotes("```\nI moved. It rains.") == ["I moved.", "It rains."]


@pytest.mark.parametrize(
    ("table", "header", "rows"),
    [
        (
            "| name | city |\n|---|---|\n| Bo | Ghent. Now |\n| Cy | Rome |",
            "| name | city |",
            ["| Bo | Ghent. Now |", "| Cy | Rome |"],
        ),
        ("name | city\n:--- | ---:\nBo | Ghent", "name | city", ["Bo | Ghent"]),
        ('name,city,age\nBo,Ghent,31\nCy,"Rome, Italy",32', "name,city,age", ["Bo,Ghent,31", 'Cy,"Rome, Italy",32']),
        ("name;age\nBo;31\nCy;32", "name;age", ["Bo;31", "Cy;32"]),
        ("name\tcity\nBo\tGhent", "name\tcity", ["Bo\tGhent"]),
        (
            "NAME     READY   AGE\nweb-1    yes     3 days\nweb-2    no      4 days",
            "NAME     READY   AGE",
            ["web-1    yes     3 days", "web-2    no      4 days"],
        ),
        ("day, km\nMonday, 5\nTuesday, 7", "day, km", ["Monday, 5", "Tuesday, 7"]),
    ],
)
def test_a_row_of_a_table_is_a_passage_that_knows_its_header(table: str, header: str, rows: list[str]) -> None:
    text = f"The data, as promised.\n\n{table}\n\nThat is all. Bye."
    passages = split_passages(text)
    assert quotes(text) == ["The data, as promised.", header, *rows, "That is all.", "Bye."]
    for passage, quote in zip(passages, quotes(text), strict=True):
        found = header_of(text, passage)
        assert (found and text[found.start : found.end]) == (header if quote in rows else None)
        assert said_in(text, passage) == (f"{header}\n{quote}" if quote in rows else quote)


def test_rows_without_names_above_them_have_no_header() -> None:
    text = "1,2,3\n4,5,6\n7,8,9"
    assert [header_of(text, passage) for passage in split_passages(text)] == [None, None, None]


def test_machine_text_is_in_no_passage_and_alone_it_is_found_by_its_beginning() -> None:
    data = "data:image/png;base64," + "iVBORw0KGgo/" * 5_000
    assert quotes(f"My logo: {data} Do you like the heron?") == ["My logo:", "Do you like the heron?"]
    assert quotes(data) == [data[:64]]


def test_a_text_of_tiny_lines_costs_no_more_than_prose() -> None:
    text = "\n".join("abcdefgh"[n % 8] for n in range(40_000))
    assert len(split_passages(text)) < 2_400
    assert quotes(f"{text}\nHe sleeps in the boathouse.")[-1] == "He sleeps in the boathouse."
    table = "\n".join(f"| {n} | {n * 7} |" for n in range(3_000))
    assert quotes(f"{table}\nHe sleeps in the boathouse.")[-1] == "He sleeps in the boathouse."
    assert "".join("".join(quotes(text)).split()) == "".join(text.split())


def test_in_code_recognises_lines_of_programs() -> None:
    text = "Look. Here:\ndef f():\n    return g(1)\nNice."
    assert [in_code(text, passage.start) for passage in split_passages(text)] == [False, False, True, False]


@given(st.text(max_size=3_000) | st.text(st.sampled_from('ab1 .,;|\n\t`-={}()"#'), max_size=400))
def test_passages_never_overlap_and_of_prose_only_lines_without_words_are_left_out(text: str) -> None:
    passages = split_passages(text)
    assert all(0 <= p.start < p.end <= len(text) and p.end - p.start <= MAX_PASSAGE_CHARS for p in passages)
    assert all(a.end <= b.start for a, b in zip(passages, passages[1:], strict=False))
    assert bool(passages) == bool(text.strip())
    if machine_spans(text) or any(block.kind != "prose" for block in blocks_of(text)) or "`" in text or "~" in text:
        return
    covered = "".join(text[p.start : p.end] for p in passages)
    lines = [line for line in re.split("[\r\n\u2028\u2029]", text) if words(line)] or [text]
    assert "".join(covered.split()) == "".join("".join(lines).split())
