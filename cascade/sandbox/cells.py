"""Cells: confined processes that run untrusted code. Starts them, talks to them within limits, and ends them.

A cell has no network, no environment, no files but the interpreter's own and an empty folder in memory, and no way to start
another program. The strongest confinement that works here is found once by trying; with none, nothing is run.
"""

import asyncio
import json
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from cascade.errors import SandboxUnavailable

__all__ = ["Cell", "CellDied", "Level", "Limits", "find_level", "open_cell"]

Level = Literal["bubblewrap", "namespaces"]

_INSIDE = Path(__file__).parent / "inside"
_PYTHON = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
_ENVIRONMENT = {"PYTHONHASHSEED": "0"}  # the same program must give the same answer every time
_START_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a cell may use: seconds of wall clock for its whole life and for one reply, of processor time, bytes, and threads."""

    wall_s: float = 10.0
    reply_s: float = 10.0
    cpu_s: int = 10
    memory_bytes: int = 1024 * 2**20
    file_bytes: int = 16 * 2**20
    reply_bytes: int = 4 * 2**20
    threads: int = 32


class CellDied(Exception):
    """The cell ended, hung, or said too much; the message says which."""


class Cell:
    """A running cell. Every reply is a claim of the code inside, and is never trusted for more than its value."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def say(self, **message: Any) -> None:
        """Send a message. Raises CellDied."""
        assert self._process.stdin  # noqa: S101 - it was opened as a pipe
        try:
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            await self._process.stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            raise CellDied("the program ended early") from None

    async def hear(self) -> dict[str, Any]:
        """Wait for a message. Raises CellDied."""
        assert self._process.stdout  # noqa: S101 - it was opened as a pipe
        try:
            line = await self._process.stdout.readuntil(b"\n")
            heard = json.loads(line)
        except (asyncio.IncompleteReadError, ConnectionResetError):
            raise CellDied("the program ended early") from None
        except asyncio.LimitOverrunError:
            raise CellDied("the program said more than it may") from None
        except (ValueError, RecursionError):
            raise CellDied("the program said something unreadable") from None
        if not isinstance(heard, dict):
            raise CellDied("the program said something unreadable")
        return heard


@asynccontextmanager
async def open_cell(level: Level, limits: Limits) -> AsyncIterator[Cell]:
    """Start a cell and end it, with all that it started, when the block is left.

    Raises:
        SandboxUnavailable: the confinement failed; nothing was run.
        CellDied: it did not start in time.
        TimeoutError: the block took longer than `limits.wall_s`.
    """
    process = await _start(level, limits)
    try:
        cell = Cell(process)
        try:
            async with asyncio.timeout(_START_S):
                greeting = await cell.hear()
        except TimeoutError:
            raise CellDied("it did not start in time") from None
        if "ready" not in greeting:
            raise SandboxUnavailable(reason=str(greeting.get("refused", "it did not start")))
        async with asyncio.timeout(limits.wall_s):
            yield cell
    finally:
        _kill(process)
        await process.wait()
        # Its pipes may outlive it, in what it started. Only the transport closes them at once, and asyncio shows it nowhere else.
        process._transport.close()  # type: ignore[attr-defined]


async def _start(level: Level, limits: Limits) -> asyncio.subprocess.Process:
    try:
        return await asyncio.create_subprocess_exec(
            *_command(level, limits),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=_ENVIRONMENT,
            cwd="/",
            limit=limits.reply_bytes,
            start_new_session=True,
        )
    except OSError as fault:
        raise SandboxUnavailable(reason=f"a cell cannot be started: {fault}") from fault


def _command(level: Level, limits: Limits) -> list[str]:
    allowed = {name: getattr(limits, name) for name in ("cpu_s", "memory_bytes", "file_bytes", "threads")}
    python = [str(_PYTHON), "-S", "-s", "-P", "-B", str(_INSIDE / "cell.py"), level, json.dumps(allowed)]
    if level == "namespaces":
        return python
    shown = dict.fromkeys(
        str(path) for path in (sys.base_prefix, "/usr", "/lib", "/lib64", _INSIDE) if Path(path).exists()
    )
    mounts = [part for path in shown for part in ("--ro-bind", path, path)]
    wrap = ["bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--clearenv", *mounts]
    wrap += ["--dev", "/dev", "--tmpfs", "/tmp", "--chdir", "/tmp"]  # noqa: S108 - a mount of the cell's own
    return [*wrap, *(part for name, value in _ENVIRONMENT.items() for part in ("--setenv", name, value)), *python]


def _kill(process: asyncio.subprocess.Process) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return  # it has ended, and all of its namespace with it


async def find_level() -> Level:
    """Find the strongest confinement that works here, by using it. Raises SandboxUnavailable, saying what each lacked."""
    lacked: list[str] = []
    for level in _LEVELS:
        if level == "bubblewrap" and not shutil.which("bwrap"):
            lacked.append("bubblewrap: bwrap is not installed")
            continue
        try:
            async with open_cell(level, Limits()) as cell:
                await cell.say(do="load", code="answer = 6 * 7")
                if "loaded" in await cell.hear():
                    return level
                lacked.append(f"{level}: a trial program failed")
        except (SandboxUnavailable, CellDied, TimeoutError) as fault:
            lacked.append(f"{level}: {fault}")
    raise SandboxUnavailable(reason="; ".join(lacked))


_LEVELS: tuple[Level, ...] = ("bubblewrap", "namespaces")
