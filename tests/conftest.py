"""Real parts for every test: the embedding model (loaded once), folders of their own, and no way off this machine."""

import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import certifi
import pytest
from hypothesis import settings

from tests.support.laws import QUICK

pytest_plugins = ["tests.support.long_runs"]

LOOPBACK = {"127.0.0.1", "::1", "localhost"}
SHARED = Path(__file__).resolve().parent.parent.parent / "shared"

# A shell ignores SIGINT in what it runs in the background, and so would every process that a test starts and interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)


settings.register_profile(QUICK, max_examples=10, deadline=None)


def pytest_configure(config: pytest.Config) -> None:
    """Load what imports the engine, but not where pytest-xdist hands tests out: that takes many seconds, and no test runs there."""
    hands_out = bool(config.getoption("numprocesses", None)) and not hasattr(config, "workerinput")
    if not hands_out:
        config.pluginmanager.import_plugin("tests.support.fixtures")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every scenario is slow."""
    for item in items:
        if "scenarios" in item.path.parts:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def _no_way_out() -> Iterator[None]:
    """Refuse every connection of this process that leaves the machine (servers that tests start are given loopback only)."""
    connect = socket.socket.connect

    def guarded(own: socket.socket, address: Any) -> None:
        if own.family in {socket.AF_INET, socket.AF_INET6} and address[0] not in LOOPBACK:
            raise PermissionError(f"a test tried to reach {address[0]}")
        connect(own, address)

    socket.socket.connect = guarded  # type: ignore[method-assign, assignment]
    yield
    socket.socket.connect = connect  # type: ignore[method-assign]


@pytest.fixture(scope="session", autouse=True)
def _one_authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Have every client, also of processes that tests start, trust one authority: to read all takes a client 50 ms each time."""
    end = "-----END CERTIFICATE-----\n"
    file = tmp_path_factory.mktemp("authorities") / "one.pem"
    file.write_text(Path(certifi.where()).read_text("utf-8").partition(end)[0] + end, "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(file))
        yield


@pytest.fixture
def shared_data() -> Path:
    """The folder of shared evaluation data, which only developers and CI have."""
    folder = SHARED / "data"
    if not folder.is_dir():
        pytest.skip("the shared evaluation data is not on this machine")
    return folder


@pytest.fixture
def tirtha_command() -> list[str]:
    return [str(Path(sys.executable).with_name("tirtha"))]
