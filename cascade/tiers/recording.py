"""Recording and replay: any model's calls written down, and answered again from what was written, strictly.

A recording is a line of JSON: the request's key (a hash of all of it), its sample's number, what was answered, and how long it
took. A replay never calls anybody: what is not recorded is an error.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from os import SEEK_END
from pathlib import Path
from time import perf_counter

import anyio
from pydantic import TypeAdapter

from cascade.decision import Call
from cascade.errors import SAID_NOTHING, ChatFailed, NotRecorded
from cascade.model import ChatRequest, Completion
from cascade.ports import Chat
from cascade.prompts import request_key

__all__ = ["DecisionChat", "Recorded", "RecordingChat", "Recordings", "ReplayChat", "append_line", "read_recordings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One answered call."""

    key: str
    sample: int
    model: str
    request: ChatRequest
    completion: Completion
    latency_s: float
    at: datetime


_RECORDED = TypeAdapter(Recorded)
Recordings = Mapping[tuple[str, int], Recorded]


class RecordingChat:
    """Passes calls on to a `Chat` and appends what was answered to `folder/<day>.jsonl`. Keys and addresses are not written."""

    def __init__(self, chat: Chat, *, model: str, folder: Path) -> None:
        self._chat = chat
        self._model = model
        self._folder = folder
        self._writing = anyio.CapacityLimiter(1)

    async def complete(self, request: ChatRequest, *, timeout_s: float) -> Completion:
        """Answer `request` and write it down. Raises ChatFailed."""
        began_s = perf_counter()
        completion = await self._chat.complete(request, timeout_s=timeout_s)
        at = datetime.now(UTC)
        row = Recorded(
            key=request_key(self._model, request),
            sample=request.sample,
            model=self._model,
            request=request,
            completion=completion,
            latency_s=round(perf_counter() - began_s, 4),
            at=at,
        )
        await anyio.to_thread.run_sync(self._write, row, limiter=self._writing)
        return completion

    def _write(self, row: Recorded) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        append_line(self._folder / f"{row.at:%Y-%m-%d}.jsonl", _RECORDED.dump_json(row) + b"\n")


def append_line(file: Path, line: bytes) -> None:
    """Append a line to a file, in the place of a last one that was cut short. Raises OSError."""
    _drop_cut_line(file)
    with file.open("ab") as out:
        out.write(line)


def _drop_cut_line(file: Path) -> None:
    """Remove a last line that a kill or a full disk cut short: what is appended to it would be lost with it."""
    if not file.is_file():
        return
    with file.open("r+b") as day:
        day.seek(max(day.seek(0, SEEK_END) - 1, 0))
        last = day.read()
        if last and not last.endswith(b"\n"):
            day.seek(0)
            day.truncate(day.read().rfind(b"\n") + 1)


class ReplayChat:
    """Answers from recordings, by request and sample."""

    def __init__(self, recordings: Recordings, *, model: str) -> None:
        self._recordings = recordings
        self._model = model

    async def complete(self, request: ChatRequest, *, timeout_s: float) -> Completion:  # noqa: ARG002 - nothing takes time
        """Return what was recorded. Raises NotRecorded."""
        key = request_key(self._model, request)
        found = self._recordings.get((key, request.sample))
        if found is None:
            raise NotRecorded(model=self._model, key=key, sample=request.sample)
        return found.completion


class DecisionChat:
    """Answers the calls of one decision again, in their order, those that failed with their failure. Raises NotRecorded."""

    def __init__(self, calls: Iterable[Call], recordings: Recordings, *, tier: str, model: str) -> None:
        self._calls = [call for call in calls if call.tier == tier]
        self._replay = ReplayChat(recordings, model=model)
        self._model = model

    async def complete(self, request: ChatRequest, *, timeout_s: float) -> Completion:
        """Return what this call gave then."""
        key = request_key(self._model, request)
        if not self._calls or self._calls[0].request != key:
            raise NotRecorded(model=self._model, key=key, sample=request.sample)
        call = self._calls.pop(0)
        if call.fault:
            kind, _, reason = call.fault.partition(": ")
            lasting = kind == SAID_NOTHING or not self._calls or self._calls[0].request != key
            raise ChatFailed(kind, reason, lasting=lasting, usage=call.usage)
        return await self._replay.complete(request, timeout_s=timeout_s)

    @property
    def exhausted(self) -> bool:
        """Whether no call is left, so that the tier was out of reach from here on."""
        return not self._calls


def read_recordings(lines: Iterable[str]) -> dict[tuple[str, int], Recorded]:
    """Read recordings, one a line; the latest of the same request and sample counts. Raises ValueError for a broken line."""
    rows = [_RECORDED.validate_python(json.loads(line)) for line in lines if line.strip()]
    return {(row.key, row.sample): row for row in rows}
