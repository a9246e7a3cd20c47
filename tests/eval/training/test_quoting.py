"""What counts as a right quote, and what a threshold serves."""

import json
from pathlib import Path

import numpy as np
import pytest

from eval.harness.conversations import LabelledQuestion
from eval.realtalk.data import read_realtalk
from eval.training.quoting import Quoted, count, is_right, quote_all
from memory.encoding.encoder import Encoder
from tests.eval.realtalk.test_data import CHAT


def question(answer: str, *, answerable: bool = True) -> LabelledQuestion:
    evidence = frozenset({"D1:1"})
    return LabelledQuestion(
        id="c:0", question="?", answer=answer, kind="temporal", evidence=evidence, answerable=answerable
    )


@pytest.mark.parametrize(
    ("gold", "answer", "right"),
    [
        ("The cello", 'Ann said on 8 May 2023: "I play the cello."', True),
        ("cello and piano", 'Ann said on 8 May 2023: "I play the cello."', False),
        ("2 cats", 'Ann said on 8 May 2023: "My two cats are old."', True),
        ("2 cats", 'Ann said on 8 May 2023: "My three cats are old."', False),
        ("7 May 2023", "On 7 May 2023.", True),
    ],
)
def test_right_is_what_holds_the_words_and_numbers(gold: str, answer: str, *, right: bool) -> None:
    assert is_right(question(gold), answer) == right


def test_nothing_is_right_where_there_is_no_answer() -> None:
    assert not is_right(question("", answerable=False), "anything")


def test_a_threshold_serves_what_is_likely_enough() -> None:
    figures = {"share": 0.5, "answerable": 0.0}
    quoted = [
        Quoted(conversation="c", figures=figures, right=True),
        Quoted(conversation="c", figures=None, right=False),
        Quoted(conversation="c", figures=figures, right=False),
        Quoted(conversation="c", figures=figures, right=True),
    ]
    likely = np.array([0.9, 0.5, 0.2])
    assert count(quoted, likely, 0.0) == (2, 1, 1)
    assert count(quoted, likely, 0.5) == (1, 1, 2)
    assert count(quoted, likely, 0.6) == (1, 0, 3)


async def test_every_question_is_asked_and_its_draft_described(tmp_path: Path, encoder: Encoder) -> None:
    (tmp_path / "Chat_1.json").write_text(json.dumps(CHAT))
    played, cats = await quote_all(read_realtalk(tmp_path), encoder)
    assert played.right
    assert played.figures
    assert set(played.figures) == {"share", "answerable"}
    assert (cats.right, cats.conversation) == (False, "Chat_1")
