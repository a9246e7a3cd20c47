"""`kill -9` of the server at random moments of a bulk: what was acknowledged is there and found, and nothing is there twice."""

import json
import random
import threading
from collections import Counter
from pathlib import Path

import httpx
import pytest
from sqlalchemy import create_engine, text

from memory.encoding.encoder import Encoder
from memory.index.lance import PassageIndex
from memory.model import ScopeId
from tests.support.server import Server, running, serving

BATCH = 8


def fact(number: int) -> dict[str, str]:
    """A turn that no other resembles: two sentences, one of them with a word of its own."""
    return {
        "id": f"t{number}",
        "role": "user",
        "text": f"It was a fine day. The code of locker {number} is zq{number}x.",
    }


class Writer(threading.Thread):
    """Remembers batch after batch until the server is gone; keeps what was acknowledged. A lost batch is sent again."""

    def __init__(self, server: Server, first: int) -> None:
        super().__init__()
        self.server = server
        self.next = first
        self.acknowledged: list[int] = []

    def run(self) -> None:
        with httpx.Client(base_url=self.server.url, timeout=30) as client:
            try:
                while True:
                    numbers = range(self.next, self.next + BATCH)
                    self._send(client, numbers).raise_for_status()
                    self.acknowledged += numbers
                    self.next += BATCH
            except httpx.TransportError:
                return

    def _send(self, client: httpx.Client, numbers: range) -> httpx.Response:
        turns = [fact(number) for number in numbers]
        if self.next // BATCH % 2:
            return client.post("/v1/remember", json={"user_id": "u1", "session_id": "s1", "turns": turns})
        lines = "\n".join(json.dumps({"user_id": "u1", "session_id": "s1"} | turn) for turn in turns)
        return client.post("/v1/remember", content=lines, headers={"content-type": "application/x-ndjson"})


def found(client: httpx.Client, number: int) -> bool:
    body = {"user_id": "u1", "question": f"What is the code of locker {number}?"}
    context = client.post("/v1/context", json=body).raise_for_status().json()
    return f"t{number}" in {line["turn_id"] for line in context["lines"]}


def wait_until_indexed(client: httpx.Client) -> None:
    body = {"user_id": "u1", "session_id": "end", "turns": [{"role": "user", "text": "The end."}], "wait": "indexed"}
    assert client.post("/v1/remember", json=body).json()["indexed"]


def indexed_passages(home: Path) -> Counter[tuple[int, int]]:
    engine = create_engine(f"sqlite:///{home / 'memory.sqlite3'}")
    with engine.connect() as connection:
        turns = list(connection.execute(text("SELECT id FROM turn")).scalars())
        scope = ScopeId(connection.execute(text("SELECT id FROM scope")).scalar_one())
    engine.dispose()
    held = PassageIndex(home / "index", model="all-MiniLM-L6-v2", dimension=384).scope(scope).of_turns(turns)
    return Counter((passage.turn_pk, passage.passage.start) for passage in held)


def test_killed_at_random_moments_nothing_is_lost_or_doubled(tmp_path: Path, encoder: Encoder) -> None:
    kill_again_and_again(tmp_path, encoder, rounds=3)


@pytest.mark.long
@pytest.mark.parametrize("series", range(20))
def test_killed_again_and_again(tmp_path: Path, encoder: Encoder, series: int) -> None:
    kill_again_and_again(tmp_path, encoder, rounds=6)


def kill_again_and_again(tmp_path: Path, encoder: Encoder, *, rounds: int) -> None:
    home, chance = tmp_path / "home", random.Random()  # noqa: S311 - no secret
    acknowledged: list[int] = []
    first = 0
    for _ in range(rounds):
        with running(home) as server:
            with httpx.Client(base_url=server.url, timeout=60) as client:
                for number in [*acknowledged[-3:], *chance.sample(acknowledged, min(3, len(acknowledged)))]:
                    assert found(client, number), f"turn {number} was acknowledged and is not found"
            writer = Writer(server, first)
            writer.start()
            writer.join(timeout=chance.uniform(0.05, 2.5))
            server.kill()
            writer.join()
        acknowledged += writer.acknowledged
        first = writer.next  # the batch in flight is not acknowledged, and sent again
    assert len(acknowledged) >= rounds * BATCH, "the server was killed before it had done anything"

    with serving(home, encoder) as url, httpx.Client(base_url=url, timeout=120) as client:
        wait_until_indexed(client)
        stored = {one["session_id"]: one["turns"] for one in client.get("/v1/sessions?user_id=u1").json()["sessions"]}
        assert len(acknowledged) <= stored["s1"] <= len(acknowledged) + rounds * BATCH
        for number in chance.sample(acknowledged, 10):
            assert found(client, number)
    engine = create_engine(f"sqlite:///{home / 'memory.sqlite3'}")
    with engine.connect() as connection:
        kept = Counter(connection.execute(text("SELECT text FROM turn WHERE key LIKE 't%'")).scalars())
    engine.dispose()
    assert {fact(number)["text"] for number in acknowledged} <= set(kept)
    assert set(kept.values()) == {1}
    passages = indexed_passages(home)
    assert set(passages.values()) == {1}
    assert len(passages) == 2 * stored["s1"] + 1, "every passage of every turn, once"
