"""How much memory a server takes to import and export 50 MB, above what it takes idle.

Run by `make bench`; `python -m eval.bench moving` runs it alone. The turns are machine text, of which little is encoded: so the
figures are of moving more than of the encoder, which works later and at its own pace. The process's resident memory is looked at
every few milliseconds, until the answer is there, and until all is indexed.
"""

import json
import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from threading import Event, Thread
from time import perf_counter, sleep

import httpx
import psutil
from rich.table import Table

from eval.harness.serving import serving

__all__ = ["moving_memory_table"]

MB = 1_000_000
SIZE_MB = 50
LINE_BYTES = 2_500
TURNS_PER_SESSION = 500
SETTLE_S = 5
LOOK_EVERY_S = 0.005
_CHUNK_BYTES = 65_536
_NDJSON = {"content-type": "application/x-ndjson"}


@dataclass(slots=True, kw_only=True)
class Moved:
    """Megabytes of resident memory: before, at the most until the answer, and until all is indexed; seconds; megabytes moved."""

    idle_mb: float
    peak_mb: float = 0.0
    indexed_mb: float = 0.0
    seconds: float = 0.0
    moved_mb: float = 0.0


def moving_memory_table() -> Table:
    """Import an export of 50 MB, export it, and import what is known already, each in a fresh server."""
    with tempfile.TemporaryDirectory() as folder:
        home, file = Path(folder) / "home", Path(folder) / "export.jsonl"
        _write_export(file)
        rows: dict[str, Moved] = {}
        with _fresh(home) as (client, process):
            rows["POST /v1/import"] = _import(client, process, file)
        with _fresh(home) as (client, process):
            rows["GET /v1/export"] = _export(client, process)
        with _fresh(home) as (client, process):
            rows["POST /v1/import, all of it known"] = _import(client, process, file)
    columns = ("MB", "seconds", "idle MB", "peak above idle", "until indexed")
    table = Table("", *columns, title=f"Resident memory while {SIZE_MB} MB of NDJSON are moved")
    for what, row in rows.items():
        figures = (row.moved_mb, row.seconds, row.idle_mb, row.peak_mb - row.idle_mb, row.indexed_mb - row.idle_mb)
        table.add_row(what, *(f"{figure:,.1f}" for figure in figures))
    return table


@contextmanager
def _fresh(home: Path) -> Iterator[tuple[httpx.Client, psutil.Process]]:
    with serving(home) as (url, process), httpx.Client(base_url=url, timeout=600) as client:
        _warm_up(client)
        yield client, process


def _warm_up(client: httpx.Client) -> None:
    """Have the encoder loaded and the scope of another user in memory, as in a server that has worked before."""
    turn = {"role": "user", "text": "My cat is called Miso."}
    client.post("/v1/remember", json={"user_id": "cat", "turns": [turn], "wait": "indexed"}).raise_for_status()
    client.post("/v1/context", json={"user_id": "cat", "question": "What is my cat called?"}).raise_for_status()


def _import(client: httpx.Client, process: psutil.Process, file: Path) -> Moved:
    with _watched(client, process) as moved:
        report = client.post("/v1/import", content=_chunks(file), headers=_NDJSON).raise_for_status().json()
        assert report["stored"] + report["duplicates"] == report["received"]
        moved.moved_mb = file.stat().st_size / MB
    return moved


def _export(client: httpx.Client, process: psutil.Process) -> Moved:
    with _watched(client, process) as moved, client.stream("GET", "/v1/export?user_id=u1") as response:
        moved.moved_mb = sum(len(chunk) for chunk in response.raise_for_status().iter_bytes()) / MB
    return moved


@contextmanager
def _watched(client: httpx.Client, process: psutil.Process) -> Iterator[Moved]:
    """Time a block, and look at the process's memory until what the block stored is indexed."""
    sleep(SETTLE_S)
    idle_mb = _resident_mb(process)
    moved = Moved(idle_mb=idle_mb, indexed_mb=idle_mb)
    done = Event()

    def look() -> None:
        while not done.wait(LOOK_EVERY_S):
            moved.indexed_mb = max(moved.indexed_mb, _resident_mb(process))

    looking = Thread(target=look)
    looking.start()
    try:
        started_s = perf_counter()
        yield moved
        moved.seconds, moved.peak_mb = perf_counter() - started_s, moved.indexed_mb
        while client.get("/readyz").raise_for_status().json()["waiting"]:
            sleep(0.1)
    finally:
        done.set()
        looking.join()


def _resident_mb(process: psutil.Process) -> float:
    return process.memory_info().rss / MB


def _write_export(file: Path) -> None:
    """Write an export of one user, as `/v1/export` does."""
    header = {
        "kind": "header",
        "format": "tirtha-export",
        "version": 1,
        "holds": "user",
        "user_id": "u1",
        "agent_id": None,
    }
    header |= {"exported_at": "2026-01-01T00:00:00.000000+00:00", "tirtha": "0.1.0"}
    digest, turns = sha256(), 0
    with file.open("wb") as to:
        to.write(json.dumps(header).encode() + b"\n")
        while to.tell() < SIZE_MB * MB:
            line = json.dumps(_turn(turns)).encode() + b"\n"
            digest.update(line)
            to.write(line)
            turns += 1
        counts = {"turn": turns, "decision": 0, "answer": 0}
        to.write(json.dumps({"kind": "trailer", "counts": counts, "sha256": digest.hexdigest()}).encode() + b"\n")


def _turn(number: int) -> dict[str, object]:
    blob = random.Random(number).randbytes(LINE_BYTES // 2).hex()  # noqa: S311 - the same in every run
    return {
        "kind": "turn",
        "user_id": "u1",
        "agent_id": None,
        "session_id": f"s{number // TURNS_PER_SESSION}",
        "id": f"t{number}",
        "position": number % TURNS_PER_SESSION,
        "role": "tool",
        "speaker": None,
        "text": f"Log {number}: {blob}",
        "said_at": "2023-05-08T13:56:00.000000+02:00",
        "remembered_at": "2023-05-09T00:00:00.000000+00:00",
    }


def _chunks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            yield chunk
