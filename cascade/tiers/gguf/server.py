"""The server of a GGUF file: a child process that is started, watched, started again if it ends, and stopped.

It listens on loopback, on a port that the system picks, and answers only to a key that is made anew for each start. While no
process answers there is no address: another listener on the old port is sent nothing. It knows nothing of requests; `chat`
makes them.
"""

import asyncio
import importlib.util
import json
import logging
import os
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from time import monotonic

import httpx
from pydantic import SecretStr

from cascade.errors import ModelNotServed
from cascade.tiers.gguf.header import trained_window

__all__ = ["Address", "GgufModel", "GgufServer", "gguf_server", "installed_runtime"]

log = logging.getLogger(__name__)

_CHILD = Path(__file__).with_name("child.py")
_LOADED_S = 300.0  # a file of some GB from a slow disk
_ENDED_S = 5.0
_FIRST_WAIT_S, _LONGEST_WAIT_S = 1.0, 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GgufModel:
    """What is served: a file, the name that its server gives it, threads (None: as many as cores), and its window in tokens."""

    file: Path
    name: str
    context_tokens: int
    threads: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where the running process answers, and to which key."""

    url: str
    key: SecretStr


def installed_runtime() -> str | None:
    """Return the name and version of the package that runs GGUF files; None where it is not installed."""
    return f"xllamacpp {version('xllamacpp')}" if importlib.util.find_spec("xllamacpp") else None


@asynccontextmanager
async def gguf_server(model: GgufModel) -> AsyncIterator["GgufServer"]:
    """Serve `model` as long as the block runs. It answers when the block begins. Raises ModelNotServed."""
    server = GgufServer(model)
    await server.start()
    watching = asyncio.create_task(server.watch())
    try:
        yield server
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await server.stop()


class GgufServer:
    """The process and what became of it. `address` is None while it does not answer; `context_tokens` is what its window holds."""

    def __init__(self, model: GgufModel) -> None:
        self.model = model
        self.address: Address | None = None
        self.context_tokens = model.context_tokens
        self.starts = 0
        self._process: asyncio.subprocess.Process | None = None
        self._answers_at_s = 0.0
        self._took_s = 0.0

    @property
    def pid(self) -> int | None:
        """The process that serves, or is loading the model."""
        return self._process.pid if self._process else None

    def answers_in_s(self) -> float:
        """Return the seconds until it is thought to answer again; 0 while it does."""
        return 0.0 if self.address else max(1.0, self._answers_at_s - monotonic())

    async def start(self) -> None:
        """Start the process and wait until the model answers. Raises ModelNotServed, and then nothing runs."""
        began_s, key = monotonic(), SecretStr(secrets.token_urlsafe(32))
        self.starts += 1
        try:
            trained_on = await asyncio.to_thread(trained_window, self.model.file)
        except (OSError, ValueError) as fault:
            raise self._not_served(str(fault)) from fault
        self.context_tokens = min(self.model.context_tokens, trained_on or self.model.context_tokens)
        try:
            async with asyncio.timeout(_LOADED_S):
                url = await self._launch(key)
                await self._first_answer(Address(url=url, key=key))
        except TimeoutError:
            await self.stop()
            raise self._not_served(f"it did not answer within {_LOADED_S:.0f} s") from None
        except BaseException:
            await self.stop()
            raise
        self._took_s = monotonic() - began_s
        self.address = Address(url=f"{url}/v1", key=key)
        log.info("%s answers at %s, after %.1f s", self.model.name, url, self._took_s)

    async def watch(self) -> None:
        """Start the process again whenever it ends, after a wait that doubles as long as it ends soon."""
        wait_s = _FIRST_WAIT_S
        while True:
            began_s = monotonic()
            if self._process:
                status = await self._process.wait()
                wait_s = _FIRST_WAIT_S if monotonic() - began_s > _LONGEST_WAIT_S else wait_s
                log.warning("the server of %s ended (status %d): again in %.0f s", self.model.name, status, wait_s)
            self.address, self._process = None, None
            self._answers_at_s = monotonic() + wait_s + self._took_s
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, _LONGEST_WAIT_S)
            try:
                await self.start()
            except ModelNotServed as fault:
                log.warning("%s", fault)

    async def stop(self) -> None:
        """End the process: the end of its input asks it to, and it is killed if it takes long."""
        process, self._process, self.address = self._process, None, None
        if process is None:
            return
        if process.stdin:
            process.stdin.close()
        try:
            async with asyncio.timeout(_ENDED_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()

    async def _launch(self, key: SecretStr) -> str:
        """Start the process; return its URL once the model is loaded. Raises ModelNotServed."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",  # nothing of the folder that we were started in
            str(_CHILD),
            str(os.getpid()),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for us: requests under way still need the model
        )
        self._process = process
        assert process.stdin  # noqa: S101 - it was opened as a pipe
        assert process.stdout  # noqa: S101
        config = {
            "file": str(self.model.file),
            "name": self.model.name,
            "threads": self.model.threads,
            "context_tokens": self.context_tokens,
            "key": key.get_secret_value(),
        }
        try:
            process.stdin.write(json.dumps(config).encode() + b"\n")
            await process.stdin.drain()
            reported = json.loads(await process.stdout.readline() or b"{}")
        except (BrokenPipeError, ConnectionResetError):
            reported = {}
        if "address" not in reported:
            raise self._not_served(reported.get("fault") or "its process ended while it was loaded")
        return str(reported["address"])

    async def _first_answer(self, address: Address) -> None:
        """Wait until the server lists its model. Raises ModelNotServed."""
        headers = {"authorization": f"Bearer {address.key.get_secret_value()}"}
        async with httpx.AsyncClient(trust_env=False, headers=headers, timeout=_LOADED_S) as client:
            try:
                (await client.get(f"{address.url}/v1/models")).raise_for_status()
            except httpx.HTTPError as fault:
                raise self._not_served(f"it does not list its model: {type(fault).__name__}") from fault

    def _not_served(self, reason: str) -> ModelNotServed:
        return ModelNotServed(file=self.model.file, reason=reason)
