"""Commands beside a real server, of one data folder."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from memory.encoding.encoder import Encoder
from tests.support.server import serving
from tirtha.cli.app import app

__all__ = ["Tirtha"]

Tirtha = Callable[..., Result]


@pytest.fixture
def tirtha(tmp_path: Path, encoder: Encoder) -> Iterator[Tirtha]:
    """Run a command beside a server."""
    home = tmp_path / "home"
    with serving(home, encoder):
        variables = {"TIRTHA_HOME": str(home), "COLUMNS": "200", "TERM": "dumb"}
        yield lambda *arguments: CliRunner().invoke(app, [str(one) for one in arguments], env=variables)
