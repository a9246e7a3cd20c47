"""LoCoMo's F1 as its own code has it, with and without label errors."""

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from eval.harness.runs import Options, run_benchmark
from eval.locomo.answers import LocomoAnswers, answer_f1, token_f1
from memory.encoding.encoder import Encoder
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


def test_each_category_is_scored_as_the_paper_does() -> None:
    assert answer_f1(1, "Paris, Rome", "Rome, Berlin", abstained=False) == pytest.approx(0.5)
    assert answer_f1(3, "yes; since she likes cats", "yes", abstained=False) == 1
    assert answer_f1(2, "7 May 2023", "7 May", abstained=False) == pytest.approx(0.8)
    assert answer_f1(5, "", "It is not mentioned.", abstained=False) == 1
    assert answer_f1(5, "", "That is not in memory.", abstained=True) == 1
    assert answer_f1(5, "", "A boat.", abstained=False) == 0


async def test_answers_are_scored_with_and_without_label_errors(
    data: Path, settings: Settings, encoder: Encoder
) -> None:
    benchmark = LocomoAnswers(settings=settings, encoder=encoder, file=data, exclude={"conv-1:2"})
    run = await run_benchmark(benchmark, settings=settings, options=Options(), console=QUIET)
    figures: Any = run.report.figures
    assert figures["all"]["categories 1 to 4"]["n"] == 3
    assert figures["without_excluded"]["categories 1 to 4"]["n"] == 2
    assert figures["all"]["adversarial"]["n"] == 1
    assert figures["all"]["temporal"]["f1"] > 0.8
    assert len(run.report.tables) == 2
