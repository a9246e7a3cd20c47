"""No peeking at hidden tests while answers are being made."""

import contextlib
import os
import subprocess
from pathlib import Path

import pytest

from eval.harness.hidden_files import Peeked, closed


@pytest.mark.parametrize(
    "peek",
    [
        lambda file: file.read_bytes(),
        lambda file: os.open(file, os.O_RDONLY),
        lambda file: os.link(file, file.with_name("copy")),
        lambda file: subprocess.run(["cat", str(file)], check=True, capture_output=True),
        lambda file: Path(os.path.relpath(file)).read_text(),
    ],
)
def test_every_way_to_peek_is_caught_at_the_end_too(tmp_path: Path, peek: object) -> None:
    hidden = tmp_path / "hidden.jsonl"
    hidden.write_text("secret")
    with pytest.raises(Peeked, match="before the answers were sealed"), closed([hidden]), contextlib.suppress(Peeked):
        peek(hidden)  # type: ignore[operator]
    hidden.read_text()


def test_what_is_not_hidden_stays_open(tmp_path: Path) -> None:
    hidden, other = tmp_path / "hidden", tmp_path / "other"
    hidden.touch()
    other.write_text("plain")
    with closed([hidden]):
        assert other.read_text() == "plain"
