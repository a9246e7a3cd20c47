"""A story of agents over real processes: what one session hears the next knows, a stranger never, whatever way they come."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.agents import agent, data, process_agent, refusal
from tests.support.command import tirtha
from tests.support.server import Server, running

SAID = [
    {"role": "user", "text": "We decided to ship the payments service on Kubernetes, not on Nomad."},
    {"role": "assistant", "text": "Noted."},
    {"role": "user", "text": "My daughter Mira is allergic to hazelnuts."},
]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def server(home: Path) -> Iterator[Server]:
    with running(home) as started:
        yield started


def key_of(home: Path, *options: str) -> str:
    made = tirtha(home, "keys", "create", "agent", *options)
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


async def test_what_is_said_in_one_session_the_next_knows_and_a_stranger_does_not(home: Path, server: Server) -> None:
    annas, bens, foreign = (
        key_of(home, "--user", "anna"),
        key_of(home, "--user", "ben"),
        key_of(home, "--tenant", "acme"),
    )
    async with agent(server.url, key=annas) as first:
        data(await first.call_tool("remember", {"turns": SAID, "session_id": "monday"}))
    async with agent(server.url, key=annas, era="legacy") as second:
        answered = data(await second.call_tool("ask", {"question": "What is Mira allergic to?"}))
        assert "hazelnuts" in answered["answer"]
        assert answered["citations"][0]["session_id"] == "monday"
        found = data(await second.call_tool("recall", {"question": "Where do we ship the payments service?"}))
        assert "Kubernetes" in found["text"]
    async with process_agent(home, "--user", "anna", TIRTHA_KEY=annas) as third:
        assert "Kubernetes" in data(await third.call_tool("recall", {"question": "Kubernetes or Nomad?"}))["text"]
        data(await third.call_tool("remember", {"text": "Mira starts school on 1 September 2027."}))
    async with agent(server.url, key=annas) as fourth:
        assert "2027" in data(await fourth.call_tool("ask", {"question": "When does Mira start school?"}))["answer"]
        assert len(data(await fourth.call_tool("list_sessions", {}))["sessions"]) == 2
    for stranger in (agent(server.url, key=bens), agent(server.url, key=foreign, user="anna", era="legacy")):
        async with stranger as client:
            assert data(await client.call_tool("ask", {"question": "What is Mira allergic to?"}))["abstained"] is True
            assert data(await client.call_tool("recall", {"question": "What is Mira allergic to?"}))["lines"] == []
            assert (await client.list_resources()).resources == []
    async with agent(server.url, key=bens) as client:
        words = refusal(await client.call_tool("recall", {"question": "Who is Mira?", "user_id": "anna"}))
        assert "one user_id only" in words


async def test_what_was_said_outlives_the_server_and_what_was_forgotten_is_gone(home: Path) -> None:
    with running(home) as server:
        async with agent(server.url) as client:
            data(await client.call_tool("remember", {"turns": SAID, "session_id": "monday"}))
        server.kill()
    with running(home) as server:
        async with agent(server.url) as client:
            assert (
                "hazelnuts" in data(await client.call_tool("ask", {"question": "What is Mira allergic to?"}))["answer"]
            )
            assert data(await client.call_tool("forget", {"session_id": "monday", "confirm": True}))["turns"] == 3
            assert data(await client.call_tool("ask", {"question": "What is Mira allergic to?"}))["abstained"] is True


async def test_a_process_finds_the_server_again_when_it_was_started_anew(home: Path) -> None:
    with running(home) as server:
        async with process_agent(home, "--user", "u") as client:
            data(await client.call_tool("remember", {"turns": SAID}))
            server.process.terminate()
            server.process.wait(timeout=30)
            with running(home):
                found = data(await client.call_tool("recall", {"question": "What is Mira allergic to?"}))
                assert "hazelnuts" in found["text"]
