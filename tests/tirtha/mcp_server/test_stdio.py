"""`tirtha mcp`: a real process on standard input and output, beside a server and without one."""

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import anyio
import httpx
import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError

from memory.encoding.encoder import Encoder
from tests.support.agents import Era, Person, data, eras, process_agent, refusal, resource_text, sessions_of
from tests.support.command import tirtha, tirtha_here
from tests.support.server import COMMAND, environment, serving
from tests.test_architecture import loaded_by

TRAM = "My sister Anna moved to Lisbon and takes the tram to work."
FIRST = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Iterator[Path]:
    """The data folder of a server that runs."""
    folder = Path(tmp_path_factory.mktemp("stdio")) / "home"
    with serving(folder, encoder):
        yield folder


def reading_key(url: str, user: str) -> str:
    made = httpx.post(f"{url}/v1/keys", json={"name": "k", "rights": ["read"], "user_id": user})
    return str(made.json()["key"])


def server_of(home: Path) -> str:
    return (home / "server.url").read_text("ascii")


@eras
async def test_a_process_beside_a_server_has_its_memory(home: Path, era: Era) -> None:
    user = f"beside-{era}"
    async with process_agent(home, "--user", user, era=era) as client:
        assert len((await client.list_tools()).tools) == 5
        stored = data(await client.call_tool("remember", {"text": TRAM}))
        assert TRAM in data(await client.call_tool("recall", {"question": "Where does Anna live?"}))["text"]
        assert "Lisbon" in data(await client.call_tool("ask", {"question": "Where did Anna move?"}))["answer"]
        [session] = data(await client.call_tool("list_sessions", {}))["sessions"]
        assert TRAM in await resource_text(client, session["uri"])
        assert [one.uri for one in (await client.list_resources()).resources] == [session["uri"]]
        with pytest.raises(MCPError, match="nothing of that is remembered"):
            await client.read_resource("tirtha://sessions/never")
        assert "confirm: true" in refusal(await client.call_tool("forget", {"everything": True}))
    assert sessions_of(server_of(home), user) == [stored["session_id"]]


@pytest.mark.slow
@eras
async def test_the_user_is_asked_in_both_eras(home: Path, era: Era) -> None:
    user, yes, no = f"asked-{era}", Person(), Person(action="decline")
    async with process_agent(home, "--user", user, era=era, person=no) as client:
        data(await client.call_tool("remember", {"text": TRAM}))
        assert "did not agree" in refusal(await client.call_tool("forget", {"everything": True}))
    async with process_agent(home, "--user", user, era=era, person=yes) as client:
        assert data(await client.call_tool("forget", {"everything": True}))["turns"] == 1
    assert no.asked == yes.asked == [f"Forget everything that is remembered of the user {user!r}, for good?"]


@pytest.mark.slow
async def test_the_process_is_one_users_and_one_agents(home: Path) -> None:
    async with process_agent(home, "--user", "anna", "--agent", "coder") as client:
        data(await client.call_tool("remember", {"text": TRAM}))
        assert "one user_id only" in refusal(await client.call_tool("recall", {"question": "Who?", "user_id": "ben"}))
        assert "one agent_id" in refusal(await client.call_tool("recall", {"question": "Who?", "agent_id": "x"}))
    async with process_agent(home, "--user", "anna") as client:
        assert data(await client.call_tool("recall", {"question": "Where does Anna live?"}))["lines"] == []
        assert data(await client.call_tool("recall", {"question": "Where is Anna?", "agent_id": "coder"}))["lines"]
    async with process_agent(home) as client:
        data(await client.call_tool("remember", {"text": TRAM}))
    assert len(sessions_of(server_of(home), "default")) == 1


@pytest.mark.slow
async def test_its_key_decides_what_it_may(tmp_path: Path, encoder: Encoder) -> None:
    with serving(tmp_path / "home", encoder) as url:
        made = reading_key(url, "anna")
        async with process_agent(tmp_path / "home", "--user", "anna", TIRTHA_KEY=made) as client:
            assert "the right 'write'" in refusal(await client.call_tool("remember", {"text": TRAM}))
            data(await client.call_tool("recall", {"question": "Who?"}))
        async with process_agent(tmp_path / "home", "--user", "ben", TIRTHA_KEY=made) as client:
            assert "bound to one user" in refusal(await client.call_tool("recall", {"question": "Who?"}))
        async with process_agent(tmp_path / "home", "--key", "trt_wrong") as client:
            assert "not valid" in refusal(await client.call_tool("recall", {"question": "Who?"}))
        async with process_agent(tmp_path / "home", "--user", "ben") as client:  # whoever owns the folder may read it
            data(await client.call_tool("remember", {"text": TRAM}))


def spoken(process: subprocess.Popen[str], *messages: object) -> None:
    assert process.stdin
    for message in messages:
        process.stdin.write(json.dumps(message) + "\n")
    process.stdin.flush()


def started(home: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [COMMAND, "mcp", *arguments],
        env=environment(home, TIRTHA_LOG_LEVEL="debug"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_standard_output_has_the_protocol_and_nothing_else(home: Path) -> None:
    process = started(home)
    call = {"name": "recall", "arguments": {"question": "Who?"}}
    spoken(
        process,
        FIRST,
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": call},
    )
    assert process.stdout
    lines = [process.stdout.readline() for _ in range(2)]
    spoken(process, "no message")
    rest, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    for line in [*lines, *rest.splitlines()]:
        assert json.loads(line)["jsonrpc"] == "2.0"
    assert json.loads(lines[1])["result"]["isError"] is False


@pytest.mark.parametrize("by", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_a_signal_ends_it(home: Path, by: signal.Signals) -> None:
    process = started(home)
    spoken(process, FIRST)
    assert process.stdout
    assert process.stdout.readline()
    process.send_signal(by)
    process.communicate(timeout=30)
    assert process.returncode == 128 + by


def test_what_is_wrong_with_its_options_is_reported(tmp_path: Path) -> None:
    for options in (("--user", ""), ("--agent", "x" * 129)):
        ended = tirtha_here(tmp_path, "mcp", *options)
        assert ended.returncode == 2
        assert ended.stdout == ""
        assert options[0] in ended.stderr


def test_beside_a_server_it_imports_no_engine() -> None:
    modules = (
        "tirtha.cli.commands.agents, tirtha.cli.server_on_demand, tirtha.mcp_server.stdio, tirtha.mcp_server.over_http"
    )
    assert loaded_by(modules, ("torch", "memory", "cascade", "lancedb", "numpy", "fastapi", "eval")) == []


@pytest.mark.slow
async def test_without_a_server_it_opens_the_folder_and_others_go_through_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    async with process_agent(home, "--user", "u") as first:
        await first.list_tools()
        assert not (home / "server.url").exists()  # nothing is opened before it is needed
        data(await first.call_tool("remember", {"text": TRAM}))
        async with process_agent(home, "--user", "u", era="legacy") as second:
            assert TRAM in data(await second.call_tool("recall", {"question": "Where does Anna live?"}))["text"]
            shown = tirtha(home, "recall", "Where does Anna live?", "--user", "u", "--json")
            assert "Lisbon" in shown.stdout
            assert len(sessions_of(server_of(home), "u")) == 1
    assert not (home / "server.url").exists()
    assert not (home / "server.proof").exists()


@pytest.mark.slow
async def test_when_the_process_that_has_the_folder_ends_the_next_one_opens_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    first = started(home, "--user", "u")
    call = {"name": "remember", "arguments": {"text": TRAM}}
    spoken(first, FIRST, {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": call})
    assert first.stdout
    [_, stored] = [json.loads(first.stdout.readline()) for _ in range(2)]
    assert stored["result"]["isError"] is False
    async with process_agent(home, "--user", "u") as second:
        data(await second.call_tool("recall", {"question": "Who?"}))
        first.terminate()
        first.communicate(timeout=30)
        assert TRAM in data(await second.call_tool("recall", {"question": "Where does Anna live?"}))["text"]
        assert server_of(home)


@pytest.mark.slow
async def test_processes_that_open_the_folder_at_the_same_time_share_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    async with process_agent(home, "--user", "u") as first, process_agent(home, "--user", "u") as second:

        async def remembered(client: Client, session_id: str) -> None:
            data(await client.call_tool("remember", {"text": TRAM, "session_id": session_id}))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(remembered, first, "one")
            tasks.start_soon(remembered, second, "two")
        for client in (first, second):
            sessions = data(await client.call_tool("list_sessions", {}))["sessions"]
            assert {one["session_id"] for one in sessions} == {"one", "two"}
