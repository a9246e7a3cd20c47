"""Export, wipe, import, export: the same bytes after the header, whatever was remembered, on the same machine and on another."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as some

from memory.encoding.encoder import Encoder
from tests.support.exports import NDJSON, body_of, lines_of
from tests.support.laws import tried_on
from tests.support.server import serving

pytestmark = pytest.mark.slow

CHARACTERS = some.characters(codec="utf-8", exclude_characters="\x00")
VISIBLE = some.sampled_from("aZ9é日😀\U0001f468")
ODD_IDS = [".", "..", "a/b", "/", "%2F", "ä ö", "😀", "'; DROP TABLE turn; --", '"', "\\", "x\u202ey", "a" * 128]
PLAIN_IDS = some.text(some.characters(codec="utf-8", categories=["L", "N", "P"]), min_size=1, max_size=20)
IDS = some.sampled_from(ODD_IDS) | PLAIN_IDS
# One word, however long: sentences would all be encoded.
LONG = some.builds(
    lambda word, times: word * times, some.text(VISIBLE, min_size=1, max_size=9), some.integers(1, 10_000)
)
SHORT = some.builds(
    lambda before, seen, after: f"{before}{seen}{after}",
    some.text(CHARACTERS, max_size=80),
    VISIBLE,
    some.text(CHARACTERS, max_size=80),
)
ZONES = some.integers(-840, 840).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = some.datetimes(min_value=datetime(1901, 1, 1), max_value=datetime(2026, 1, 1), timezones=ZONES)
AGENTS = some.none() | IDS


@some.composite
def turns(draw: some.DrawFn) -> list[dict[str, Any]]:
    """Turns of a session, each with an id of its own."""
    return [
        {
            "id": name,
            "role": draw(some.sampled_from(["user", "assistant", "system", "tool"])),
            "text": draw(SHORT | LONG),
            "speaker": draw(some.none() | IDS),
            "said_at": draw(MOMENTS).isoformat(),
        }
        for name in draw(some.lists(IDS, unique=True, min_size=1, max_size=6))
    ]


SESSIONS = some.lists(some.tuples(AGENTS, IDS, turns()), min_size=1, max_size=4)  # agent, session, what was said


@contextmanager
def client_on(home: Path, encoder: Encoder) -> Iterator[httpx.Client]:
    with serving(home, encoder) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Iterator[httpx.Client]:
    with client_on(tmp_path_factory.mktemp("here"), encoder) as client:
        yield client


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Iterator[httpx.Client]:
    with client_on(tmp_path_factory.mktemp("there"), encoder) as client:
        yield client


def post(client: httpx.Client, path: str, **body: Any) -> dict[str, Any]:
    response = client.post(path, json={name: value for name, value in body.items() if value is not None})
    assert response.is_success, response.text
    answer: dict[str, Any] = response.json()
    return answer


def export(client: httpx.Client, user: str) -> bytes:
    return client.get("/v1/export", params={"user_id": user}).raise_for_status().content


def take_over(client: httpx.Client, whole: bytes) -> dict[str, Any]:
    response = client.post("/v1/import", content=whole, headers=NDJSON).raise_for_status()
    report: dict[str, Any] = response.json()
    assert report["rejected"] == []
    return report


@tried_on(10, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(sessions=SESSIONS, odd=some.sampled_from(ODD_IDS[:8]), forgotten=some.integers(0, 3))
def test_the_same_bytes_come_back(
    here: httpx.Client, there: httpx.Client, sessions: list[Any], odd: str, forgotten: int
) -> None:
    user = f"{odd}{uuid4().hex}"
    for agent, session, said in sessions:
        named = {"user_id": user, "agent_id": agent, "session_id": session}
        conflict = here.post("/v1/remember", json={k: v for k, v in named.items() if v} | {"turns": said})
        assert conflict.status_code in {201, 409}, conflict.text  # the same session drawn twice
    for agent, session, said in sessions[:forgotten]:
        post(here, "/v1/forget", user_id=user, agent_id=agent, session_id=session, turn_id=said[0]["id"])
    accepted = remember_and_ask(here, user, agent=sessions[0][0], right=bool(forgotten % 2))
    whole = export(here, user)
    [judged] = [line["feedback"] for line in lines_of(whole, "decision")]
    assert judged["correct"] is bool(forgotten % 2)
    assert len(lines_of(whole, "answer")) == accepted
    post(here, "/v1/forget", user_id=user)
    assert export(here, user).count(b"\n") == 2
    for client in (here, there):
        take_over(client, whole)
        assert body_of(export(client, user)) == body_of(whole)
        again = take_over(client, whole)
        assert (again["stored"], again["duplicates"]) == (0, whole.count(b"\n") - 2)
        assert body_of(export(client, user)) == body_of(whole)
    post(there, "/v1/forget", user_id=user)


def remember_and_ask(client: httpx.Client, user: str, *, agent: str | None, right: bool) -> bool:
    """Tell something, ask about it and judge the answer; so a decision is there and, if it was accepted, a stored answer."""
    fact = {"id": "fact of the cat", "role": "user", "text": "My cat is called Miso."}
    post(client, "/v1/remember", user_id=user, agent_id=agent, session_id="fact", turns=[fact])
    asked = {"question": "What is my cat called?", "asked_at": "2023-06-01T00:00:00Z", "session_id": "fact"}
    answer = post(client, "/v1/ask", user_id=user, agent_id=agent, budget=2_000, **asked)
    post(client, f"/v1/decisions/{answer['decision_id']}/feedback", correct=right)
    return bool(answer["verified"])
