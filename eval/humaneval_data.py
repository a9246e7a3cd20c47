"""Reading HumanEval+, the public tests of its prompts, and recorded completions.

`base_input` and `plus_input` are arguments only; what they should give is found by running the canonical solution. The public
tests are what a prompt's own examples say; `test` is HumanEval's own base test.
"""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Problem", "RecordedCompletion", "read_problems", "read_recorded"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A task of HumanEval+. Inputs are lists of positional arguments; `atol` is the tolerance for floats."""

    id: str
    prompt: str
    entry_point: str
    canonical_solution: str
    base_test: str
    public_tests: str
    base_inputs: tuple[tuple[Any, ...], ...]
    plus_inputs: tuple[tuple[Any, ...], ...]
    atol: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedCompletion:
    """A real completion that somebody recorded: the messages sent, the answer, its tokens and its time."""

    problem: str
    model: str
    sample: int
    messages: tuple[tuple[str, str], ...]
    output: str
    prompt_tokens: int
    completion_tokens: int
    latency_s: float


def read_problems(humaneval_plus: Path, public_tests: Path) -> dict[str, Problem]:
    """Read the problems by id. Raises OSError, ValueError or KeyError for files that are not of this format."""
    public = json.loads(public_tests.read_text("utf-8"))
    return {
        row["task_id"]: Problem(
            id=row["task_id"],
            prompt=row["prompt"],
            entry_point=row["entry_point"],
            canonical_solution=row["prompt"] + row["canonical_solution"],
            base_test=row["test"],
            public_tests="\n".join(public[row["task_id"]]),
            base_inputs=tuple(tuple(one) for one in row["base_input"]),
            plus_inputs=tuple(tuple(one) for one in row["plus_input"]),
            atol=float(row["atol"]),
        )
        for row in _rows(humaneval_plus)
    }


def read_recorded(file: Path) -> list[RecordedCompletion]:
    """Read recorded completions, in the order of the file. Raises as `read_problems` does."""
    return [
        RecordedCompletion(
            problem=row["task_id"],
            model=row["model"],
            sample=row["sample"],
            messages=tuple((message["role"], message["content"]) for message in row["messages"]),
            output=row["output"],
            prompt_tokens=row["prompt_tokens"],
            completion_tokens=row["completion_tokens"],
            latency_s=row["latency_s"],
        )
        for row in _rows(file)
    ]


def _rows(file: Path) -> Iterator[dict[str, Any]]:
    opened = gzip.open if file.suffix == ".gz" else open
    with opened(file, "rt", encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                yield json.loads(line)
