"""A story: one user imports a long history in one body, an impatient client of theirs adds to it, and another user just talks."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from time import sleep
from typing import Any

import httpx
import pytest

from memory.encoding.encoder import Encoder
from tests.support.server import serving

IMPORTED = 2_000
BOUND = "300"
NDJSON = {"content-type": "application/x-ndjson"}


class Importer(threading.Thread):
    """Sends one body of `IMPORTED` turns; keeps the answer."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        self.answer: dict[str, Any] = {}

    def run(self) -> None:
        self.answer = httpx.post(f"{self.url}/v1/remember", content=self._lines(), headers=NDJSON, timeout=600).json()

    def _lines(self) -> Iterator[bytes]:
        for number in range(IMPORTED):
            text = f"Note {number}: the crate with the mark zq{number}x went to the harbour."
            turn = {"user_id": "importer", "session_id": f"s{number // 100}", "id": str(number), "role": "user"}
            yield json.dumps(turn | {"text": text}).encode() + b"\n"


@pytest.fixture
def client(tmp_path: Path, encoder: Encoder) -> Iterator[httpx.Client]:
    with (
        serving(tmp_path, encoder, TIRTHA_MAX_TAIL_TURNS=BOUND) as url,
        httpx.Client(base_url=url, timeout=120) as client,
    ):
        yield client


def say(client: httpx.Client, user: str, text: str, wait: str = "durable") -> httpx.Response:
    turns = [{"role": "user", "text": text}]
    return client.post("/v1/remember", json={"user_id": user, "session_id": "live", "turns": turns, "wait": wait})


def context(client: httpx.Client, user: str, question: str) -> str:
    answer = client.post("/v1/context", json={"user_id": user, "question": question})
    text: str = answer.raise_for_status().json()["text"]
    return text


def waiting(client: httpx.Client) -> int:
    count: int = client.get("/readyz").raise_for_status().json()["waiting"]
    return count


def test_a_live_user_beside_an_import(client: httpx.Client) -> None:
    importer = Importer(str(client.base_url))
    importer.start()
    while waiting(client) < int(BOUND):
        sleep(0.02)
    talked = 0
    while importer.is_alive():  # that is, while more than the bound is still to come
        talked += 1
        answer = say(client, "live", f"My parcel {talked} has the code qx{talked}y.", wait="indexed").raise_for_status()
        assert answer.json()["indexed"], "a live turn does not wait behind the import"
        assert f"qx{talked}y" in context(client, "live", f"What is the code of parcel {talked}?")
        if talked == 1:
            assert "zq7x" in context(client, "importer", "Where did the crate with the mark zq7x go?")
    assert talked >= 2, "the import was under way meanwhile"
    importer.join()
    assert (importer.answer["stored"], importer.answer["rejected_lines"]) == (IMPORTED, 0)
    last = f"zq{IMPORTED - 1}x"
    assert last in context(client, "importer", f"Where did the crate with the mark {last} go?"), (
        "found by the next query"
    )


def test_a_client_that_is_too_fast_learns_when_to_come_again(client: httpx.Client) -> None:
    refusals = 0
    for number in range(8):
        turns = [{"id": f"{number}-{n}", "role": "user", "text": f"Fact {number}-{n} of the log."} for n in range(150)]
        body = {"user_id": "fast", "session_id": "s1", "turns": turns}
        while (answer := client.post("/v1/remember", json=body)).status_code == 503:
            refusals += 1
            sleep(min(int(answer.headers["retry-after"]), 2))
        answer.raise_for_status()
    assert refusals, "150 turns are stored faster than they are indexed"
    while waiting(client):
        sleep(0.05)
    assert client.get("/readyz").json()["turns"] == 8 * 150
