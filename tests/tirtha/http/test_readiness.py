"""/readyz says whether a turn could be stored now, by writing; it is 503 where that fails, and ready again by itself."""

import resource
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest
from sqlalchemy import event
from sqlalchemy.pool import Pool

from memory.encoding.encoder import Encoder
from tests.support.disk import small_disk, write_until_full
from tests.support.server import Server, running, serving

TURN = {"user_id": "u1", "session_id": "s1", "turns": [{"id": "1", "role": "user", "text": "I live in Porto."}]}
ASKED = {"user_id": "u1", "question": "Where do I live?"}


def ready(url: str) -> httpx.Response:
    return httpx.get(f"{url}/readyz", timeout=60)


def is_not_ready(answer: httpx.Response) -> bool:
    assert answer.status_code == 503, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"]
    assert "cannot be stored just now" in answer.json()["detail"]
    return True


@contextmanager
def no_file_may_grow(server: Server) -> Iterator[None]:
    """Limit the size of the files that the process may write, as a quota does."""
    limits = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (1_024, limits[1]))
    try:
        yield
    finally:
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, limits)


@pytest.mark.slow
def test_a_quota_and_the_end_of_it(tmp_path: Path) -> None:
    with running(tmp_path / "home") as server:
        assert httpx.post(f"{server.url}/v1/remember", json=TURN, timeout=60).status_code == 201
        with no_file_may_grow(server):
            assert is_not_ready(ready(server.url))
            more = TURN | {"session_id": "s2"}
            assert httpx.post(f"{server.url}/v1/remember", json=more, timeout=60).status_code == 503
            found = httpx.post(f"{server.url}/v1/context", json=ASKED, timeout=60).json()
            assert [line["turn_id"] for line in found["lines"]] == ["1"], "what is stored can be read"
        assert ready(server.url).json()["turns"] == 1


def test_a_full_disk_and_room_on_it(tmp_path: Path, encoder: Encoder) -> None:
    disk = tmp_path / "disk"
    with small_disk(disk), serving(disk / "home", encoder) as url:
        assert httpx.post(f"{url}/v1/remember", json=TURN, timeout=60).status_code == 201
        write_until_full(disk / "filler")
        assert is_not_ready(ready(url))
        (disk / "filler").unlink()
        assert ready(url).json()["turns"] == 1


def test_a_database_that_another_process_has_locked(tmp_path: Path, encoder: Encoder) -> None:
    home = tmp_path / "home"
    with (
        serving(home, encoder) as url,
        closing(sqlite3.connect(home / "memory.sqlite3", isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        assert is_not_ready(ready(url))
        other.execute("ROLLBACK")
        assert ready(url).status_code == 200


def test_a_data_folder_that_is_gone(tmp_path: Path, encoder: Encoder) -> None:
    home = tmp_path / "home"
    with serving(home, encoder) as url:
        home.rename(tmp_path / "elsewhere")
        assert is_not_ready(ready(url))
        (tmp_path / "elsewhere").rename(home)
        assert ready(url).status_code == 200


async def test_a_database_that_is_read_only(client: httpx.AsyncClient) -> None:
    def refuse(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute("PRAGMA query_only=ON")

    def allow(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute("PRAGMA query_only=OFF")

    event.listen(Pool, "checkout", refuse)
    try:
        assert is_not_ready(await client.get("/readyz"))
    finally:
        event.remove(Pool, "checkout", refuse)
    event.listen(Pool, "checkout", allow)
    try:
        assert (await client.get("/readyz")).status_code == 200
    finally:
        event.remove(Pool, "checkout", allow)
