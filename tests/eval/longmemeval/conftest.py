"""Small files in LongMemEval's official format, and a real server."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from memory.encoding.encoder import Encoder
from tests.eval.longmemeval.questions import question, session
from tests.support.server import serving


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A file of three questions: answered by the user's turn, by no turn, by the assistant's turn."""
    records = [
        question("q1"),
        question("q2_abs", question="Where did I buy a yacht?"),
        question(
            "q3",
            haystack_sessions=[
                session("Suggest a bread.", "A redeemed coupon gets you rye.", answer=1),
                session("How do I bake bread?", "Mix flour and water."),
            ],
        ),
    ]
    file = tmp_path / "longmemeval_tiny.json"
    file.write_text(json.dumps(records))
    return file


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file of two questions over one history, which answers the first only."""
    found = tmp_path / "longmemeval_tiny.json"
    found.write_text(json.dumps([question("q1"), question("q2_abs", question="Where did I buy a yacht?")]))
    return found


@pytest.fixture
def server(tmp_path: Path, encoder: Encoder) -> Iterator[str]:
    """The address of a server that remembers nothing yet."""
    with serving(tmp_path / "home", encoder) as url:
        yield url
