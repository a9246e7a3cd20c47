"""Real parts for every test: the embedding model (loaded once), folders of their own, and no way off this machine."""

import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from memory.api import Memory
from memory.encoding.encoder import Encoder
from tests.support.databases import new_home
from tests.support.memory import memory_in
from tirtha.caller import Caller, local_caller
from tirtha.http.app import create_app
from tirtha.service import Service
from tirtha.settings import Settings
from tirtha.wiring.service import open_service

pytest_plugins = ["tests.support.long_runs"]

LOOPBACK = {"127.0.0.1", "::1", "localhost"}
SHARED = Path(__file__).resolve().parent.parent.parent / "shared"

# A shell ignores SIGINT in what it runs in the background, and so would every process that a test starts and interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)


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


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    return Encoder()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=new_home(tmp_path / "home"))


@pytest.fixture
async def memory(tmp_path: Path, encoder: Encoder) -> AsyncIterator[Memory]:
    async with memory_in(tmp_path / "home", encoder) as opened:
        yield opened


@pytest.fixture
async def service(settings: Settings, encoder: Encoder) -> AsyncIterator[Service]:
    async with open_service(settings, encoder=encoder) as opened:
        yield opened


@pytest.fixture
async def client(service: Service, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(service, settings), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as opened:
        yield opened


@pytest.fixture
def shared_data() -> Path:
    """The folder of shared evaluation data, which only developers and CI have."""
    folder = SHARED / "data"
    if not folder.is_dir():
        pytest.skip("the shared evaluation data is not on this machine")
    return folder


@pytest.fixture
def caller() -> Caller:
    """The caller on this machine, who may do everything."""
    return local_caller()


@pytest.fixture
def tirtha_command() -> list[str]:
    return [str(Path(sys.executable).with_name("tirtha"))]
