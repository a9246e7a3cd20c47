"""A bulk whose client goes away: nothing more is stored, however much was on its way."""

import json
import socket
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from memory.encoding.encoder import Encoder
from tests.support.server import serving

SENT = 6_000


def send(url: str, lines: list[bytes], *, end: bool) -> socket.socket:
    """Send a bulk over a bare socket, with its end or without."""
    place = urlsplit(url)
    assert place.hostname
    assert place.port
    connection = socket.create_connection((place.hostname, place.port))
    head = b"POST /v1/remember HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-ndjson\r\n"
    body = b"".join(b"%x\r\n%s\r\n" % (len(line), line) for line in lines)
    connection.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n" + body + (b"0\r\n\r\n" if end else b""))
    return connection


def turns(url: str) -> int:
    held: int = httpx.get(f"{url}/readyz", timeout=30).json()["turns"]
    return held


@pytest.mark.slow
@pytest.mark.parametrize("end", [False, True], ids=["in the middle of its body", "while it waits for the answer"])
def test_the_server_stops_when_the_client_does(tmp_path: Path, encoder: Encoder, end: bool) -> None:
    lines = [
        json.dumps({"user_id": "u1", "role": "user", "text": f"Item {n} is on shelf {n * 7}."}).encode() + b"\n"
        for n in range(SENT)
    ]
    with serving(tmp_path / "home", encoder, TIRTHA_MAX_TAIL_TURNS="512") as url:
        connection = send(url, lines, end=end)
        while not turns(url):  # a few batches are stored, and then the index is waited for
            time.sleep(0.05)
        connection.close()
        time.sleep(2)
        stored = turns(url)
        assert 0 < stored < SENT
        assert stored % 128 == 0, "a batch is stored whole"
        waiting = httpx.get(f"{url}/readyz", timeout=30).json()["waiting"]
        while waiting and httpx.get(f"{url}/readyz", timeout=30).json()["waiting"] > max(waiting - 128, 0):
            time.sleep(0.2)  # with room for another batch
        assert turns(url) == stored


@pytest.mark.slow
def test_a_bulk_beyond_memory_is_stored_whole(tmp_path: Path, encoder: Encoder) -> None:
    long = "word " * 4_000
    lines = b"".join(
        json.dumps({"user_id": "u1", "role": "user", "text": f"{n} {long}"}).encode() + b"\n" for n in range(120)
    )
    assert len(lines) > 2 * 1_048_576
    with serving(tmp_path / "home", encoder) as url:
        headers = {"content-type": "application/x-ndjson"}
        answer = httpx.post(f"{url}/v1/remember", content=lines, headers=headers, timeout=120).json()
    assert (answer["received"], answer["stored"], answer["rejected"]) == (120, 120, [])
