"""A hidden file of two tasks, and the scorer where code can be confined."""

import gzip
import json
from pathlib import Path

import pytest

from cascade.errors import SandboxUnavailable
from cascade.sandbox import Sandbox
from eval.code.scoring import Scorer

ROW = {
    "task_id": "HumanEval/0",
    "prompt": "def halve(x):\n    '''Halve x.'''\n",
    "entry_point": "halve",
    "canonical_solution": "    return x / 2\n",
    "test": "def check(candidate):\n    assert candidate(4) == 2\n",
    "base_input": [[4], [2]],
    "plus_input": [[5], [-3]],
    "atol": 0,
}


@pytest.fixture
def hidden(tmp_path: Path) -> Path:
    """A file in HumanEval+'s format: two tasks alike."""
    file = tmp_path / "HumanEvalPlus.jsonl.gz"
    with gzip.open(file, "wt") as lines:
        lines.write(
            json.dumps(ROW) + "\n" + json.dumps(ROW | {"task_id": "HumanEval/1", "entry_point": "halve"}) + "\n"
        )
    return file


@pytest.fixture
async def scorer() -> Scorer:
    """The scorer; tests that need one are skipped where code cannot be confined."""
    try:
        return Scorer(await Sandbox.found(at_once=2))
    except SandboxUnavailable as fault:
        pytest.skip(str(fault))
