"""The server of a GGUF file: watched, started again, stopped; and what cannot be served is told."""

import asyncio
import json
import os
import signal
import struct
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from cascade.call_trace import Trace
from cascade.errors import ChatFailed, ModelNotServed, TierDown
from cascade.model import ChatRequest, Message
from cascade.tiers.deployment import Deployment
from cascade.tiers.gguf import GgufChat, GgufModel, GgufServer, gguf_server, installed_runtime, trained_window
from cascade.tiers.gguf import server as server_module
from cascade.tiers.model import ModelTier
from tests.support.gguf import small_gguf
from tests.support.tiers import CHEAP, no_wait

CHILD = Path(server_module.__file__).with_name("child.py")
GREETING = ChatRequest(messages=(Message(role="user", content="Say hello."),), max_tokens=3)
PATIENCE_S = 240.0


def model(file: Path, *, context_tokens: int = 1_024) -> GgufModel:
    return GgufModel(file=file, name=file.name, context_tokens=context_tokens, threads=1)


@asynccontextmanager
async def chatting(server: GgufServer) -> AsyncIterator[GgufChat]:
    chat = GgufChat(server)
    try:
        yield chat
    finally:
        await chat.close()


async def until(server: GgufServer, *, up: bool) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while bool(server.address) != up:  # noqa: ASYNC110 - a process dies, and nothing here is told
            await asyncio.sleep(0.05)


@pytest.mark.slow
async def test_a_server_that_dies_is_started_again_and_its_circuit_is_open_meanwhile() -> None:
    async with gguf_server(model(small_gguf())) as server, chatting(server) as chat:
        assert (await chat.complete(GREETING, timeout_s=PATIENCE_S)).model == server.model.name
        before, pid = server.address, server.pid
        assert before
        assert pid
        os.kill(pid, signal.SIGKILL)
        await until(server, up=False)
        with pytest.raises(ChatFailed) as caught:
            await chat.complete(GREETING, timeout_s=PATIENCE_S)
        assert (caught.value.kind, caught.value.lasting) == ("circuit_open", True)
        assert (caught.value.retry_after_s or 0) >= 1
        trace = Trace(started_s=0, deadline_s=float("inf"))
        with pytest.raises(TierDown) as down:
            await tier_over(chat).ask(GREETING, trace, purpose="draft")
        assert down.value.retry_after_s >= 1
        await until(server, up=True)
        assert (server.starts, server.pid != pid, server.address != before) == (2, True, True)
        assert (await chat.complete(GREETING, timeout_s=PATIENCE_S)).text
        last = server.pid
        assert last
    assert not psutil.pid_exists(last)


def tier_over(chat: GgufChat) -> ModelTier:
    return ModelTier(
        name="local",
        model="small",
        price=CHEAP,
        window_tokens=1_024,
        max_tokens=3,
        timeout_s=PATIENCE_S,
        tries=3,
        deployments=[Deployment(chat, name="only")],
        count=lambda text: len(text.split()),
        sleep=no_wait,
    )


@pytest.mark.slow
async def test_it_answers_to_its_key_only_and_its_window_is_at_most_the_models_own() -> None:
    async with gguf_server(model(small_gguf(), context_tokens=1_000_000)) as server:
        assert server.address
        assert server.address.url.startswith("http://127.0.0.1:")
        assert 1_024 <= server.context_tokens < 1_000_000
        [listening] = {one.laddr.ip for one in psutil.Process(server.pid).net_connections() if one.status == "LISTEN"}
        assert listening == "127.0.0.1"
        reader = await asyncio.create_subprocess_exec(
            sys.executable, "-c", f"import httpx; print(httpx.get('{server.address.url}/models').status_code)",
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert (await reader.communicate())[0].strip() == b"401"


async def test_a_file_that_is_broken_is_not_served_and_nothing_is_left(tmp_path: Path) -> None:
    if installed_runtime() is None:
        pytest.skip("xllamacpp is not installed")
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(header({}))
    server = GgufServer(model(broken))
    with pytest.raises(ModelNotServed, match=r"broken\.gguf") as caught:
        await server.start()
    assert caught.value.file == broken
    assert server.pid is None
    assert server.address is None


def start_child(parent: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-I", str(CHILD), str(parent)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


def test_a_child_whose_parent_is_gone_already_ends_at_once() -> None:
    with start_child(os.getpid() + 1) as child:
        assert child.wait(timeout=30) == 1


def test_a_child_that_cannot_load_its_file_says_so(tmp_path: Path) -> None:
    config = {"file": str(tmp_path / "none"), "name": "x", "key": "k", "context_tokens": 512, "threads": 1}
    with start_child(os.getpid()) as child:
        assert child.stdin
        assert child.stdout
        child.stdin.write(json.dumps(config).encode() + b"\n")
        child.stdin.flush()
        assert "fault" in json.loads(child.stdout.readline())
        assert child.wait(timeout=60) == 1


def test_a_child_ends_with_its_input() -> None:
    with start_child(os.getpid()) as child:
        assert child.stdin
        child.stdin.close()
        assert child.wait(timeout=60) == 1, "without a configuration there is nothing to serve"


def header(numbers: dict[str, int], *, before: bytes = b"", count: int | None = None) -> bytes:
    """A GGUF file without tensors, with these numbers in its header, after some other values."""
    held = len(numbers) + bool(before) if count is None else count
    file = b"GGUF" + struct.pack("<IQQ", 3, 0, held) + before
    for key, number in numbers.items():
        file += struct.pack("<Q", len(key)) + key.encode() + struct.pack("<II", 4, number)
    return file


TOKENS = struct.pack("<Q", 6) + b"tokens" + struct.pack("<IIQ", 9, 8, 2) + (struct.pack("<Q", 1) + b"a") * 2
SCORES = struct.pack("<Q", 6) + b"scores" + struct.pack("<IIQ", 9, 6, 3) + bytes(12)
NAME = struct.pack("<Q", 4) + b"name" + struct.pack("<IQ", 8, 3) + b"abc"


@pytest.mark.parametrize("before", [b"", TOKENS, SCORES, NAME])
def test_the_window_of_a_model_is_read_from_its_header(before: bytes, tmp_path: Path) -> None:
    file = tmp_path / "model.gguf"
    file.write_bytes(header({"general.version": 1, "llama.context_length": 2_048}, before=before))
    assert trained_window(file) == 2_048
    file.write_bytes(header({"general.version": 1}, before=before))
    assert trained_window(file) is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04",
        header({}, count=1),
        header({"llama.context_length": 1})[:-2],
        header({}, before=struct.pack("<QQ", 2**40, 0)),
        header({}, before=struct.pack("<Q", 1) + b"k" + struct.pack("<I", 77)),
    ],
    ids=["empty", "another format", "too short", "cut off", "a key without end", "an unknown type"],
)
def test_a_header_that_cannot_be_read_is_refused(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "model.gguf"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=r"header|begin"):
        trained_window(file)
