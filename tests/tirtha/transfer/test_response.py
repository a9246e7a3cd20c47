"""An export on its way: whatever the client does, what is read is not held open for it, and a part never looks like the whole."""

import os
from collections.abc import Generator, Sequence
from pathlib import Path

import anyio
import pytest
from starlette.types import Message

from memory.errors import StoreUnavailable
from tests.support.disk import small_disk
from tirtha.transfer.response import ExportResponse

BLOCKS = [bytes([65 + n]) * 70_000 for n in range(20)]


class Source:
    """Blocks to send, and when they were read to the end or given up. One that fails does so once `client` has something."""

    def __init__(
        self, blocks: Sequence[bytes], *, fails_after: int | None = None, client: "Client | None" = None
    ) -> None:
        self.blocks = blocks
        self.fails_after = fails_after
        self.client = client
        self.closed = anyio.Event()
        self.read = 0

    def run(self) -> Generator[bytes]:
        try:
            for block in self.blocks:
                if self.read == self.fails_after:
                    if self.client:
                        anyio.from_thread.run(self.client.begun.wait)
                    raise StoreUnavailable("the disk is gone")
                self.read += 1
                yield block
        finally:
            anyio.from_thread.run_sync(self.closed.set)


class Client:
    """A client that reads as it is let, and may go away."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.begun = anyio.Event()
        self.reads = anyio.Event()
        self.gone = anyio.Event()

    async def receive(self) -> Message:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.body":
            await self.reads.wait()
            self.begun.set()
        self.messages.append(message)

    @property
    def body(self) -> bytes:
        return b"".join(message["body"] for message in self.messages if message["type"] == "http.response.body")


def response(source: Source, folder: Path) -> ExportResponse:
    return ExportResponse(source.run(), folder=folder, threads=anyio.CapacityLimiter(1))


async def answer(source: Source, client: Client, folder: Path) -> None:
    await response(source, folder)({"type": "http"}, client.receive, client.send)


async def test_reading_does_not_wait_for_a_slow_client(tmp_path: Path) -> None:
    source, client = Source(BLOCKS), Client()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(answer, source, client, tmp_path)
        with anyio.fail_after(10):
            await source.closed.wait()
        assert client.body == b""
        client.reads.set()
    assert client.body == b"".join(BLOCKS)
    assert client.messages[0]["status"] == 200
    assert client.messages[-1] == {"type": "http.response.body", "body": b"", "more_body": False}
    assert os.listdir(tmp_path) == []


async def test_reading_ends_when_the_client_goes_away(tmp_path: Path) -> None:
    def endless() -> Generator[bytes]:
        try:
            while True:
                yield BLOCKS[0]
        finally:
            anyio.from_thread.run_sync(closed.set)

    closed, client = anyio.Event(), Client()
    sending = ExportResponse(endless(), folder=tmp_path, threads=anyio.CapacityLimiter(1))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(sending, {"type": "http"}, client.receive, client.send)
        await anyio.sleep(0.05)
        client.gone.set()
        with anyio.fail_after(10):
            await closed.wait()


async def test_a_failure_before_the_first_block_can_be_answered(tmp_path: Path) -> None:
    client = Client()
    with pytest.raises(StoreUnavailable):
        await answer(Source(BLOCKS, fails_after=0), client, tmp_path)
    assert client.messages == []
    with pytest.raises(StoreUnavailable, match="cannot be kept while it is sent"):
        await answer(Source(BLOCKS), client, tmp_path / "nowhere")


async def test_a_failure_on_the_way_leaves_the_body_open(tmp_path: Path) -> None:
    client = Client()
    client.reads.set()
    with pytest.raises(StoreUnavailable):
        await answer(Source(BLOCKS, fails_after=15, client=client), client, tmp_path)
    assert client.messages, "a part was on its way"
    assert all(message.get("more_body", True) for message in client.messages), "no client takes it for the whole"


async def test_a_disk_that_fills_on_the_way_is_reported_and_given_back(tmp_path: Path) -> None:
    source, client = Source([BLOCKS[0]] * 300), Client()  # 21 MB, onto a disk of 8 MiB
    client.reads.set()
    with small_disk(tmp_path / "disk") as disk:
        with pytest.raises(StoreUnavailable, match="cannot be kept while it is sent: No space left"):
            await answer(source, client, disk)
        assert all(message.get("more_body", True) for message in client.messages), "no client takes it for the whole"
        assert source.closed.is_set(), "what is read is let go of"
        (disk / "room").write_bytes(bytes(7 * 2**20))
