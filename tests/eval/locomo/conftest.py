"""A small file in LoCoMo's format."""

import json
from pathlib import Path

import pytest

from tests.eval.locomo.conversations import conversation


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A file of one conversation."""
    file = tmp_path / "locomo.json"
    file.write_text(json.dumps([conversation()]))
    return file
