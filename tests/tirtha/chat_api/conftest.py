"""A served Tirtha before a scripted model, with the OpenAI package as its client; nothing else is scripted."""

from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest
from openai import OpenAI

from memory.encoding.encoder import Encoder
from tests.support.chat_server import ChatServer, chat_server
from tests.support.server import serving

__all__ = ["Memories", "client", "memories", "model", "tier", "tirtha_url", "user"]


def tier(model: ChatServer) -> dict[str, str]:
    """The settings of a local tier that is the scripted model."""
    return {
        "TIRTHA_LOCAL_URL": model.url,
        "TIRTHA_LOCAL_MODEL": "small",
        "TIRTHA_LOCAL_INPUT_USD_PER_MTOK": "1",
        "TIRTHA_LOCAL_OUTPUT_USD_PER_MTOK": "2",
        "TIRTHA_LOCAL_TRIES": "1",
    }


@pytest.fixture(scope="package")
def model() -> Iterator[ChatServer]:
    with chat_server("small") as server:
        yield server


@pytest.fixture(scope="package")
def tirtha_url(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder, model: ChatServer) -> Iterator[str]:
    """A server without keys, on loopback."""
    with serving(tmp_path_factory.mktemp("chat") / "home", encoder, **tier(model)) as url:
        yield url


@pytest.fixture
def user() -> str:
    """Somebody whom nothing is known of."""
    return f"u-{uuid4().hex[:8]}"


@pytest.fixture
def client(tirtha_url: str, user: str) -> Iterator[OpenAI]:
    """A client whose requests are of `user`."""
    headers = {"x-tirtha-user": user}
    with OpenAI(base_url=f"{tirtha_url}/v1", api_key="none", max_retries=0, default_headers=headers) as opened:
        yield opened


@pytest.fixture
def memories(tirtha_url: str, user: str) -> "Memories":
    return Memories(tirtha_url, user)


class Memories:
    """What is remembered of `user`."""

    def __init__(self, url: str, user: str) -> None:
        self._url = url
        self._user = user

    def turns(self) -> list[tuple[str, str, str | None]]:
        """Role, text and flag of every turn."""
        answer = httpx.get(f"{self._url}/v1/memories", params={"user_id": self._user, "limit": 500}, timeout=60)
        return [(turn["role"], turn["text"], turn["flag"]) for turn in answer.json()["turns"]]

    def speakers(self) -> list[str | None]:
        """Who said each turn."""
        answer = httpx.get(f"{self._url}/v1/memories", params={"user_id": self._user}, timeout=60)
        return [turn["speaker"] for turn in answer.json()["turns"]]

    def said(self) -> list[str]:
        """The texts that are evidence."""
        return [text for _, text, flag in self.turns() if flag is None]

    def remember(self, *texts: str) -> None:
        turns = [{"role": "user", "text": text} for text in texts]
        answer = httpx.post(
            f"{self._url}/v1/remember", json={"user_id": self._user, "turns": turns, "wait": "indexed"}, timeout=60
        )
        assert answer.status_code == 201, answer.text
