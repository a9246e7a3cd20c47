"""Moving large memories: killed while it stores and sent again, every line is there once; and what it takes stays the same."""

import json
import random
import threading
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import httpx
import pytest
from sqlalchemy import create_engine, text

from memory.encoding.encoder import Encoder
from tests.support.exports import NDJSON, export_of, turn_line
from tests.support.server import Server, running, serving

MB = 2**20
FAR_AHEAD = {"TIRTHA_MAX_TAIL_TURNS": "10000000"}  # so that storing is measured, and not the index
LINE_BYTES = 2_500


def large_export(file: Path, size: int) -> int:
    """Write an export of some `size` bytes, most of it machine text, whose indexing costs little; returns its lines."""
    digest, n = sha256(), 0
    header, _ = export_of([]).split(b"\n", 1)
    with file.open("wb") as to:
        to.write(header + b"\n")
        while to.tell() < size:
            blob = random.Random(n).randbytes(LINE_BYTES // 2).hex()  # noqa: S311 - no secret
            line = (
                json.dumps(turn_line(n, text=f"Log {n}: {blob}", session_id=f"s{n // 500}", position=n % 500)).encode()
                + b"\n"
            )
            digest.update(line)
            to.write(line)
            n += 1
        counts = {"turn": n, "decision": 0, "answer": 0}
        to.write(json.dumps({"kind": "trailer", "counts": counts, "sha256": digest.hexdigest()}).encode() + b"\n")
    return n


def chunks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as stream:
        while chunk := stream.read(65_536):
            yield chunk


class Sender(threading.Thread):
    """Sends a file until it is taken over, or until the server is gone."""

    def __init__(self, server: Server, file: Path) -> None:
        super().__init__()
        self.server = server
        self.file = file
        self.answer: httpx.Response | None = None

    def run(self) -> None:
        try:
            self.answer = httpx.post(
                f"{self.server.url}/v1/import", content=chunks(self.file), headers=NDJSON, timeout=3_600
            )
        except httpx.TransportError:
            return


def held(home: Path) -> int:
    engine = create_engine(f"sqlite:///{home / 'memory.sqlite3'}")
    with engine.connect() as connection:
        n: int = connection.execute(text("SELECT count(*) FROM turn")).scalar_one()
    engine.dispose()
    return n


def killed_again_and_again(tmp_path: Path, encoder: Encoder, size: int, *, kills: int) -> None:
    home, file, chance = tmp_path / "home", tmp_path / "large.jsonl", random.Random()  # noqa: S311 - no secret
    lines = large_export(file, size)
    before, goal, in_time = 0, lines // (kills + 1), 0
    for _ in range(kills):
        with running(home, **FAR_AHEAD) as server:
            sender = Sender(server, file)
            sender.start()
            while sender.is_alive() and held(home) < before + goal * chance.uniform(0.2, 1.0):
                time.sleep(0.02)
            server.kill()
            sender.join()
        in_time += before < held(home) < lines
        before = held(home)
    assert in_time, "the server was always killed before it had stored anything, or after it had stored everything"
    with serving(home, encoder, **FAR_AHEAD) as url:
        answer = httpx.post(f"{url}/v1/import", content=chunks(file), headers=NDJSON, timeout=3_600)
        assert answer.status_code == 200, answer.text
        report = answer.json()
        assert (report["received"], report["stored"], report["rejected_lines"]) == (lines, lines - before, 0)
        assert report["duplicates"] == before
        with httpx.stream("GET", f"{url}/v1/export", params={"user_id": "u1"}, timeout=3_600) as export:
            names = [json.loads(line)["id"] for line in export.iter_lines() if '"kind":"turn"' in line]
        assert names == [f"t{n}" for n in range(lines)], "every line is there once, in its order"


@pytest.mark.slow
def test_killed_while_it_stores_every_line_is_there_once(tmp_path: Path, encoder: Encoder) -> None:
    killed_again_and_again(tmp_path, encoder, 5 * MB, kills=2)


@pytest.mark.long
def test_killed_while_it_stores_100_mb(tmp_path: Path, encoder: Encoder) -> None:
    killed_again_and_again(tmp_path, encoder, 100 * MB, kills=4)
