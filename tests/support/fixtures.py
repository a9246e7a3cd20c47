"""The fixtures that import the engine. Only processes that run tests load them (`tests/conftest.py`)."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from memory.api import Memory
from memory.encoding.encoder import Encoder
from tests.support.databases import new_home
from tests.support.encoding import KeptEncoder
from tests.support.memory import memory_in
from tirtha.caller import Caller, local_caller
from tirtha.http.app import create_app
from tirtha.service import Service
from tirtha.settings import Settings
from tirtha.wiring.service import open_service

__all__ = ["caller", "client", "encoder", "memory", "service", "settings"]


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    return KeptEncoder()


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
def caller() -> Caller:
    """The caller on this machine, who may do everything."""
    return local_caller()
