"""Requests that are sent too slowly, over real sockets: they are ended, and those that only take long are not."""

import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from time import sleep
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from memory.encoding.encoder import Encoder
from tests.support.server import serving

HEAD_S, PAUSE_S, WHOLE_S = 0.6, 0.8, 2.0
TURN = json.dumps({"user_id": "u1", "turns": [{"role": "user", "text": "My cat is called Miso."}]}).encode()
LINE = json.dumps({"user_id": "u1", "role": "user", "text": "My cat is called Miso."}).encode() + b"\n"
MOST_BYTES = 4_096


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Iterator[tuple[str, int]]:
    slow = {
        "TIRTHA_HEADER_TIMEOUT_S": str(HEAD_S),
        "TIRTHA_BODY_PAUSE_S": str(PAUSE_S),
        "TIRTHA_BODY_TIMEOUT_S": str(WHOLE_S),
        "TIRTHA_MAX_BODY_BYTES": str(MOST_BYTES),
    }
    with serving(tmp_path_factory.mktemp("slow") / "home", encoder, **slow) as url:
        place = urlsplit(url)
        yield str(place.hostname), int(place.port or 0)


def head(address: tuple[str, int], *lines: str, kind: str = "application/json") -> bytes:
    own = [f"POST /v1/remember HTTP/1.1\r\nHost: {address[0]}:{address[1]}\r\nContent-Type: {kind}", *lines]
    return ("\r\n".join(own) + "\r\n\r\n").encode()


def heard(connection: socket.socket) -> bytes:
    """All that comes until the other side closes the connection."""
    connection.settimeout(10)
    answer = b""
    while chunk := connection.recv(65_536):
        answer += chunk
    return answer


@pytest.fixture
def connection(address: tuple[str, int]) -> Iterator[socket.socket]:
    with socket.create_connection(address) as opened:
        yield opened


def test_a_connection_that_says_nothing_is_closed(connection: socket.socket) -> None:
    connection.settimeout(HEAD_S / 2)
    with pytest.raises(TimeoutError):  # so it is open still
        connection.recv(1)
    assert heard(connection) == b""


def test_a_head_that_is_half_sent_is_answered_with_408(connection: socket.socket) -> None:
    for byte in (b"GET /healthz HTTP/1.1\r\n", b"Host: ", b"127"):
        connection.sendall(byte)
        sleep(HEAD_S / 6)
    status, headers, problem = parts(heard(connection))
    assert status == "HTTP/1.1 408 Request Timeout"
    assert (problem["status"], problem["title"]) == (408, "The request was sent too slowly")
    assert headers["content-type"] == "application/problem+json"


LONG_HEAD = b"GET /v1/users?cursor=" + b"x" * 70_000  # and it still goes on


@pytest.mark.parametrize("sent", [b"no HTTP at all\r\n\r\n", b"GET /\xff HTTP/9\r\n\r\n", LONG_HEAD])
def test_what_cannot_be_read_is_answered_as_every_other_fault(connection: socket.socket, sent: bytes) -> None:
    connection.sendall(sent)
    status, headers, problem = parts(heard(connection))
    assert status == "HTTP/1.1 400 Bad Request"
    assert (problem["status"], problem["errors"]) == (400, [])
    assert "64 KiB" in problem["detail"]
    assert headers["content-type"] == "application/problem+json"
    assert (headers["cache-control"], headers["connection"]) == ("no-store", "close")
    assert headers["x-request-id"]


def test_a_body_that_breaks_off_in_the_middle_gets_one_answer(
    connection: socket.socket, address: tuple[str, int]
) -> None:
    connection.sendall(head(address, "Transfer-Encoding: chunked") + b'5\r\n{"use\r\nno length\r\n')
    assert heard(connection).count(b"HTTP/1.1 400 ") == 1


def parts(answer: bytes) -> tuple[str, dict[str, str], dict[str, Any]]:
    """The status line of an answer, its headers, and its body as JSON."""
    head, body = answer.split(b"\r\n\r\n", 1)
    status, *lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    assert int(headers["content-length"]) == len(body)
    return status, headers, json.loads(body)


def test_the_second_head_of_a_connection_has_its_time_too(connection: socket.socket, address: tuple[str, int]) -> None:
    asked = f"GET /healthz HTTP/1.1\r\nHost: {address[0]}\r\n\r\n".encode()
    connection.sendall(asked)
    first = connection.recv(65_536)
    assert first.startswith(b"HTTP/1.1 200 ")
    connection.sendall(asked[:20])
    answer = heard(connection)
    assert b"HTTP/1.1 408 " in answer


def test_a_body_that_pauses_is_ended(connection: socket.socket, address: tuple[str, int]) -> None:
    connection.sendall(head(address, f"Content-Length: {len(TURN)}") + TURN[:10])
    answer = heard(connection)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"application/problem+json" in answer
    assert f"nothing of it came for {PAUSE_S:g} s".encode() in answer


@pytest.mark.slow
def test_a_body_that_never_ends_is_ended(connection: socket.socket, address: tuple[str, int]) -> None:
    connection.sendall(head(address, f"Content-Length: {len(TURN)}"))
    connection.settimeout(PAUSE_S / 4)
    answer = b""
    for at in range(len(TURN) - 1):
        connection.sendall(TURN[at : at + 1])
        with suppress(TimeoutError):  # nothing is said yet, so the next byte goes out
            answer = connection.recv(65_536)
            break
    answer += heard(connection)
    assert f"it was not whole within {WHOLE_S:g} s".encode() in answer, "and no pause was too long"


@pytest.mark.slow
def test_lines_may_take_any_time_but_may_not_pause(address: tuple[str, int]) -> None:
    def lines() -> Iterator[bytes]:
        for _ in range(8):
            sleep(PAUSE_S / 2)
            yield LINE

    kind = {"content-type": "application/x-ndjson"}
    url = f"http://{address[0]}:{address[1]}/v1/remember"
    answer = httpx.post(url, content=lines(), headers=kind, timeout=30)
    assert (answer.status_code, answer.json()["received"]) == (201, 8)
    with socket.create_connection(address) as connection:
        asked = head(address, "Transfer-Encoding: chunked", kind="application/x-ndjson")
        connection.sendall(asked + f"{len(LINE):x}\r\n".encode() + LINE + b"\r\n")
        assert heard(connection).startswith(b"HTTP/1.1 408 ")


def test_a_body_of_unknown_length_is_bounded_as_it_comes(connection: socket.socket, address: tuple[str, int]) -> None:
    connection.sendall(head(address, "Transfer-Encoding: chunked"))
    chunk = b"400\r\n" + b" " * 1_024 + b"\r\n"
    for _ in range(MOST_BYTES // 1_024 + 1):
        connection.sendall(chunk)
    connection.settimeout(10)
    assert connection.recv(65_536).startswith(b"HTTP/1.1 413 "), "before its end is sent"


def test_who_is_in_time_is_served(address: tuple[str, int]) -> None:
    with socket.create_connection(address) as connection:
        connection.sendall(head(address, f"Content-Length: {len(TURN)}") + TURN[:10])
        sleep(PAUSE_S / 2)
        connection.sendall(TURN[10:])
        assert connection.recv(65_536).startswith(b"HTTP/1.1 201 ")
