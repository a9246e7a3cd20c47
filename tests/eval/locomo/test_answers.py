"""LoCoMo's F1 as its own code has it, with and without label errors."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from eval.harness.runs import Options, run_benchmark
from eval.locomo.answers import LocomoAnswers, answer_f1, token_f1
from memory.encoding.encoder import Encoder
from tests.eval.locomo.conversations import conversation
from tirtha.settings import Settings

QUIET = Console(file=io.StringIO())


@pytest.mark.parametrize(
    ("gold", "answer", "f1"),
    [
        ("7 May 2023", "7 May 2023", 1.0),
        ("the cat", "A cat!", 1.0),
        ("running", "runs", 1.0),
        ("red and blue", "red", 2 / 3),
        ("red", "green", 0.0),
        ("red", "", 0.0),
    ],
)
def test_token_f1(gold: str, answer: str, f1: float) -> None:
    assert token_f1(gold, answer) == pytest.approx(f1)


def test_each_kind_is_scored_as_the_paper_does() -> None:
    assert answer_f1("multi-hop", "Paris, Rome", "Rome, Berlin", abstained=False) == pytest.approx(0.5)
    assert answer_f1("open-domain", "yes; since she likes cats", "yes", abstained=False) == 1
    assert answer_f1("temporal", "7 May 2023", "7 May", abstained=False) == pytest.approx(0.8)
    assert answer_f1("adversarial", "", "It is not mentioned.", abstained=False) == 1
    assert answer_f1("adversarial", "", "That is not in memory.", abstained=True) == 1
    assert answer_f1("adversarial", "", "A boat.", abstained=False) == 0


async def test_answers_are_scored_with_and_without_label_errors(
    data: Path, settings: Settings, encoder: Encoder
) -> None:
    benchmark = LocomoAnswers(settings=settings, encoder=encoder, file=data, exclude={"conv-1:2"})
    run = await run_benchmark(benchmark, settings=settings, options=Options(), console=QUIET)
    figures: Any = run.report.figures
    assert figures["all"]["categories 1 to 4"]["n"] == 4
    assert figures["without_excluded"]["categories 1 to 4"]["n"] == 3
    assert figures["all"]["adversarial"]["n"] == 1
    assert figures["all"]["temporal"]["f1"] > 0.8
    assert len(run.report.tables) == 3


async def test_no_question_is_dropped_without_a_word(tmp_path: Path, settings: Settings, encoder: Encoder) -> None:
    record = conversation()
    record["qa"] += [
        {"question": "Which category?", "answer": "x", "evidence": ["D1:1"], "category": 9},
        {"question": "No answer?", "evidence": ["D1:1"], "category": 4},
        {"question": "The last one?", "answer": "x", "evidence": [], "category": 5},
        {"question": "One too many?", "answer": "x", "evidence": ["D2:1"], "category": 4},
    ]
    file = tmp_path / "locomo.json"
    file.write_text(json.dumps([record]))
    benchmark = LocomoAnswers(settings=settings, encoder=encoder, file=file, limit=6)
    run = await run_benchmark(benchmark, settings=settings, options=Options(), console=QUIET)
    assert run.report.figures["questions"] == {
        "in_file": 9,
        "asked": 6,
        "asked_without_valid_evidence": 2,
        "left_out": {"no category of LoCoMo": 1, "no answer in the file": 1, "beyond --limit 6": 1},
    }
    assert run.report.notes[0].startswith(
        "Of 9 questions of the file 6 were asked, 2 of them without valid evidence; 3 were"
    )
    [counted] = [table for table in run.report.tables if table.title == "Questions of the file"]
    assert ("left out: no category of LoCoMo", "1") in counted.rows
