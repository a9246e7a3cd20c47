"""Reading HumanEval+ and MBPP+, in two halves: what a program may be written from, and what scores it.

`base_input` and `plus_input` are arguments only; what they should give is found by running the canonical solution. Public tests are
what a prompt's own examples say; base tests are the data set's first ones, which the plus inputs extend.
"""

import gzip
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from eval.code.mbpp_rules import with_types
from eval.errors import Unusable

__all__ = ["DataSet", "Hidden", "Problem", "format_of", "read_hidden", "read_problems"]

DataSet = Literal["humaneval", "mbpp"]
_ASSERTION = re.compile(r"^assert .+$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A task as its solver sees it; `public_tests` and `base_tests` may gate a program."""

    id: str
    prompt: str
    entry_point: str
    public_tests: str
    base_tests: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hidden:
    """What scores a task. Inputs are lists of positional arguments; `atol` is the tolerance for floats."""

    id: str
    entry_point: str
    canonical_solution: str
    base_inputs: tuple[tuple[Any, ...], ...]
    plus_inputs: tuple[tuple[Any, ...], ...]
    atol: float

    @property
    def data_set(self) -> DataSet:
        """Whose rules judge it."""
        return "mbpp" if self.id.startswith("Mbpp/") else "humaneval"


def read_problems(file: Path, public_tests: Path | None = None) -> dict[str, Problem]:
    """Read what a solver may see, by id; from HumanEval's own file, or a plus file of which nothing else is kept.

    `public_tests` (JSON: assertions by task) stands for those that are found in the prompts.

    Raises OSError, and Unusable for files that are not of this format.
    """
    public = _public(public_tests) if public_tests else {}
    with format_of(file):
        return {row["task_id"]: _problem(row, public.get(row["task_id"])) for row in _rows(file)}


def read_hidden(file: Path) -> dict[str, Hidden]:
    """Read what scores, by id, from a plus file. Raises as `read_problems` does."""
    with format_of(file):
        return {row["task_id"]: _hidden(row) for row in _rows(file)}


def _problem(row: dict[str, Any], public: list[str] | None) -> Problem:
    assertions = public if public is not None else _ASSERTION.findall(row["prompt"])
    return Problem(
        id=row["task_id"],
        prompt=row["prompt"],
        entry_point=row["entry_point"],
        public_tests="\n".join(assertions),
        base_tests=row.get("test") or row.get("assertion") or "",
    )


def _hidden(row: dict[str, Any]) -> Hidden:
    id_, mbpp = row["task_id"], row["task_id"].startswith("Mbpp/")
    typed = with_types if mbpp else lambda _, inputs: tuple(inputs)
    return Hidden(
        id=id_,
        entry_point=row["entry_point"],
        canonical_solution=row["canonical_solution"] if mbpp else row["prompt"] + row["canonical_solution"],
        base_inputs=tuple(typed(id_, one) for one in row["base_input"]),
        plus_inputs=tuple(typed(id_, one) for one in row["plus_input"]),
        atol=float(row["atol"]),
    )


@contextmanager
def format_of(file: Path) -> Iterator[None]:
    """Raise Unusable, which names the file, for what its lines lack."""
    try:
        yield
    except (KeyError, TypeError, AttributeError, ValueError, EOFError) as fault:
        raise Unusable(
            f"{file} is not in the format of HumanEval+, MBPP+ or recorded completions: {fault!r}"
        ) from fault


def _public(file: Path) -> dict[str, list[str]]:
    with format_of(file):
        return {str(task): list(tests) for task, tests in json.loads(file.read_text("utf-8")).items()}


def _rows(file: Path) -> Iterator[dict[str, Any]]:
    opened = gzip.open if file.suffix == ".gz" else open
    with opened(file, "rt", encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                yield json.loads(line)
