"""Commands beside a real server: one a module, whose tests have users of their own."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from memory.encoding.encoder import Encoder
from tests.support.server import serving
from tirtha.cli.app import app

__all__ = ["Tirtha", "home"]

Tirtha = Callable[..., Result]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Iterator[Path]:
    """The data folder of a server that runs."""
    folder = tmp_path_factory.mktemp("commands") / "home"
    with serving(folder, encoder):
        yield folder


@pytest.fixture
def tirtha(home: Path) -> Tirtha:
    """Run a command beside the server."""
    variables = {"TIRTHA_HOME": str(home), "COLUMNS": "200", "TERM": "dumb"}
    return lambda *arguments: CliRunner().invoke(app, [str(one) for one in arguments], env=variables)
