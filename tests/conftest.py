"""Real parts for every test: the embedding model (loaded once), folders of their own, and no way off this machine."""

import socket
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from memory import Memory, MemorySettings, open_memory
from memory.encoder import Encoder
from tirtha.api.app import create_app
from tirtha.service import Service, open_service
from tirtha.settings import Settings

LOOPBACK = {"127.0.0.1", "::1", "localhost"}
SHARED = Path(__file__).resolve().parent.parent.parent / "shared"


@pytest.fixture
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
    return Settings(home=tmp_path / "home")


@pytest.fixture
async def memory(tmp_path: Path, encoder: Encoder) -> AsyncIterator[Memory]:
    async with open_memory(MemorySettings(home=tmp_path / "home"), encoder=encoder) as opened:
        yield opened


@pytest.fixture
async def service(settings: Settings, encoder: Encoder) -> AsyncIterator[Service]:
    async with open_service(settings, encoder=encoder) as opened:
        yield opened


@pytest.fixture
async def client(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(service), raise_app_exceptions=False)
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
def tirtha_command() -> list[str]:
    return [str(Path(sys.executable).with_name("tirtha"))]
