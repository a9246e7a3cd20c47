"""NDJSON as it comes from anywhere: byte-order marks, line ends, names of the media type, bad bytes, clients that go away."""

import json
import socket
import time
from pathlib import Path

import httpx

from memory.encoding.encoder import Encoder
from tests.support.server import serving

GOOD = {"user_id": "u1", "session_id": "s1", "role": "user", "text": "My sister lives in Porto."}


def line_of(number: int) -> bytes:
    return json.dumps(GOOD | {"id": str(number), "text": f"Fact number {number}."}).encode()


async def sent(client: httpx.AsyncClient, body: bytes, kind: str = "application/x-ndjson") -> httpx.Response:
    return await client.post("/v1/remember", content=body, headers={"content-type": kind})


MEDIA_TYPES: list[str] = [
    "application/x-ndjson",
    "application/ndjson",
    "application/jsonl",
    "application/x-jsonlines",
    "Application/JSONL; charset=UTF-8",
    'application/x-jsonlines;charset="utf-8"',
    "APPLICATION/X-NDJSON ; x=y",
]


async def test_the_names_of_the_media_type(client: httpx.AsyncClient) -> None:
    for number, kind in enumerate(MEDIA_TYPES):
        body = b"\xef\xbb\xbf" + line_of(2 * number) + b"\r\n" + line_of(2 * number + 1) + b"\r\n\r\n"
        answer = await sent(client, body, kind)
        assert answer.status_code == 201, answer.text
        assert answer.json() == {"received": 2, "stored": 2, "duplicates": 0, "rejected_lines": 0, "rejected": []}


async def test_a_media_type_that_only_begins_like_one_is_none(client: httpx.AsyncClient) -> None:
    for kind in ("application/x-ndjson-seq", "application/jsonlike", "text/plain"):
        assert (await sent(client, line_of(1), kind)).status_code == 415


async def test_only_a_mark_or_nothing_is_an_empty_bulk(client: httpx.AsyncClient) -> None:
    for body in (b"", b"\xef\xbb\xbf", b"\xef\xbb\xbf\r\n", b"\n\r\n \n"):
        assert (await sent(client, body)).json()["received"] == 0


async def test_bad_lines_are_named_by_their_number_and_the_others_stored(client: httpx.AsyncClient) -> None:
    lines = [
        line_of(1),
        line_of(2).replace(b"Fact", b"F\xffct"),
        b"",
        line_of(4).decode().encode("utf-16-le"),
        b'{"user_id": "u1", "user_id": "u2", "role": "user", "text": "whose?"}',
        b"[" * 100_000,
        b'{"user_id": "u1", "role": "user", "text": NaN}',
        b'{"user_id": "u1", "role": "user", "text": "x", "said_at": ' + b"9" * 5_000 + b"}",
        b'{"user_id": "u1", "role": "user", "text": "cut \xe2\x82"}',
        b"[]",
        b'{"user_id": "u1", "role": "user", "text": "half \\ud800"}',
        line_of(12),
    ]
    answer = (await sent(client, b"\r\n".join(lines))).json()
    assert (answer["received"], answer["stored"], answer["rejected_lines"]) == (11, 2, 9)
    why = {one["line"]: f"{one['at']} {one['why']}" for one in answer["rejected"]}
    assert why == {
        2: "line is not UTF-8: 0xff at byte 64",
        4: "line is UTF-16; send UTF-8",
        5: "user_id is given more than once",
        6: "line is nested too deeply to be read",
        7: "line is no JSON: NaN is no number of it",
        8: "line holds a number with too many digits to be read",
        9: "line is not UTF-8: 0xe2 at byte 47",
        10: "line must be an object",
        11: "text holds half a surrogate pair, which is no character",
    }


ENCODINGS: list[str] = [
    "utf-16",
    "utf-16-le",
    "utf-16-be",
    "utf-32",
    "utf-32-le",
    "utf-32-be",
]


async def test_a_bulk_in_another_encoding_is_refused_whole(client: httpx.AsyncClient) -> None:
    for encoding in ENCODINGS:
        body = (line_of(1) + b"\n" + line_of(2)).decode().encode(encoding)
        answer = await sent(client, body)
        assert answer.status_code == 400
        assert answer.json()["detail"] == f"the body is {encoding[:6].upper()}; send UTF-8"


async def test_a_line_above_the_limit_of_a_body_is_named_with_both_sizes(client: httpx.AsyncClient) -> None:
    size = 64 * 2**20 + 17
    answer = (await sent(client, b"x" * size + b"\n" + line_of(2))).json()
    assert answer["stored"] == 1
    assert answer["rejected"] == [
        {"line": 1, "at": "line", "why": f"has {size:,} bytes; at most {64 * 2**20:,} are allowed"}
    ]


async def test_ndjson_to_other_paths_is_held_to_the_limit_of_a_body(client: httpx.AsyncClient) -> None:
    size = 64 * 2**20 + 1
    answer = await client.post("/v1/ask", content=b"x" * size, headers={"content-type": "application/x-ndjson"})
    assert answer.status_code == 413


def test_when_the_client_goes_away_no_more_is_stored(tmp_path: Path, encoder: Encoder) -> None:
    """128 lines are stored as a batch; of the seventh, a part has come when the connection breaks, in the middle of a line."""
    with serving(tmp_path / "home", encoder) as url:
        body = b"\n".join(line_of(number) for number in range(800))
        with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))) as client:
            head = "POST /v1/remember HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/jsonl\r\n"
            client.sendall(head.encode() + b"Content-Length: %d\r\n\r\n" % (len(body) + 1_000) + body)
            until_stored(url, 768)
        time.sleep(0.5)  # whatever the server would store of the rest, it has now
        assert turns_held(url) == 768
        again = httpx.post(
            f"{url}/v1/remember", content=body, headers={"content-type": "application/jsonl"}, timeout=60
        )
        assert (again.json()["duplicates"], again.json()["stored"]) == (768, 32)


def turns_held(url: str) -> int:
    held: int = httpx.get(f"{url}/readyz", timeout=60).json()["turns"]
    return held


def until_stored(url: str, turns: int) -> None:
    deadline = time.monotonic() + 60
    while turns_held(url) < turns:
        assert time.monotonic() < deadline
        time.sleep(0.05)
