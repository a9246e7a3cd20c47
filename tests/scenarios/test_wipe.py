"""What is forgotten is nowhere: not in a file of the data folder, not in a row, not in an object that the process still reaches.

And what was not forgotten is everywhere that it should be: verbatim in SQL, found by a question, after each end of the server.
"""

import asyncio
import random
import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import create_engine, text

from memory.encoding.encoder import Encoder
from tests.support.chat_server import answers, chat_server
from tests.support.encoding import KeptEncoder
from tests.support.leftovers import in_files, in_index, in_process, in_rows, word
from tests.support.server import running, serving
from tirtha.http.app import create_app
from tirtha.service import Service
from tirtha.settings import Settings
from tirtha.wiring.service import open_service

Place = tuple[str, str, str | None]  # user, session, agent
OWN, LATER, AGENTS, OTHERS = ("u1", "s1", None), ("u1", "s2", None), ("u1", "s1", "a1"), ("u2", "s1", None)
# The number of each fact, and where it is remembered, as the turn `t<number>`.
FACTS: dict[int, Place] = {41: OWN, 42: OWN, 43: LATER, 44: AGENTS, 45: OTHERS}
FORGETTINGS: dict[str, tuple[str, dict[str, str], list[int]]] = {
    "turn": ("/v1/memories/t41", {"user_id": "u1", "session_id": "s1"}, [41]),
    "session": ("/v1/sessions/s1", {"user_id": "u1"}, [41, 42]),
    "agent": ("/v1/users/u1", {"agent_id": "a1"}, [44]),
    "user": ("/v1/users/u1", {}, [41, 42, 43, 44]),
}
ENDS = {"TERM": signal.SIGTERM, "INT": signal.SIGINT, "KILL": signal.SIGKILL}


@pytest.fixture(scope="module")
def encoder(encoder: KeptEncoder) -> Encoder:
    """One that keeps no vectors by their text; the tests' own, which does, forgets what other tests gave it."""
    encoder.forget()
    return Encoder()


def fact(number: int) -> str:
    return f"It was a fine day. The code of locker {number} is {word(number)}."


def question(number: int) -> str:
    return f"What is the code of locker {number}?"


def named(place: Place) -> dict[str, str]:
    user, session, agent = place
    return {"user_id": user, "session_id": session} | ({"agent_id": agent} if agent else {})


def body_of(number: int, place: Place, **more: str) -> dict[str, Any]:
    turn = {"id": f"t{number}", "role": "user", "text": fact(number)}
    return named(place) | {"turns": [turn], "wait": "indexed"} | more


def asked(number: int, place: Place, session: str | None = None) -> dict[str, Any]:
    own = {name: value for name, value in named(place).items() if name != "session_id"}
    return own | {"question": question(number)} | ({"session_id": session} if session else {})


async def store_and_ask(client: httpx.AsyncClient) -> None:
    """Remember every fact, and have it in the cache of answers, the ledger and whatever else keeps it."""
    for number, place in FACTS.items():
        assert (await client.post("/v1/remember", json=body_of(number, place))).status_code == 201
    for number, place in FACTS.items():
        for cache in ("miss", "hit"):
            answer = await client.post("/v1/ask", json=asked(number, place))
            assert word(number) in answer.text
            assert answer.headers["x-tirtha-cache"] == cache
        for path in ("/v1/recall", "/v1/context"):
            assert word(number) in (await client.post(path, json=asked(number, place))).text


async def check_kept(client: httpx.AsyncClient, home: Path, forgotten: Iterable[int]) -> None:
    for number, place in FACTS.items():
        answer = (await client.post("/v1/ask", json=asked(number, place))).text
        assert (word(number) in answer) == (number not in set(forgotten)), number
    check_rows(home, forgotten)


def check_rows(home: Path, forgotten: Iterable[int]) -> None:
    engine = create_engine(f"sqlite:///{home / 'memory.sqlite3'}")
    with engine.connect() as connection:
        kept = set(connection.execute(text("SELECT text FROM turn")).scalars())
        assert in_rows(connection, forgotten) == []
    engine.dispose()
    assert {fact(number) for number in FACTS if number not in set(forgotten)} <= kept


def leftovers(home: Path, forgotten: Iterable[int]) -> list[str]:
    return in_files(home, forgotten) + in_index(home, forgotten)


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=() if kind in {"turn", "user"} else pytest.mark.long) for kind in FORGETTINGS]
)
async def test_forgotten_text_is_in_no_file_and_no_object(
    client: httpx.AsyncClient, settings: Settings, kind: str
) -> None:
    path, query, forgotten = FORGETTINGS[kind]
    await store_and_ask(client)
    assert in_files(settings.folder, forgotten)
    assert in_index(settings.folder, forgotten)
    assert in_process(forgotten), "the search through the process finds nothing at all"
    answer = await client.delete(path, params=query)
    assert answer.status_code == 200, answer.text
    assert answer.json()["turns"] == len(forgotten)
    assert leftovers(settings.folder, forgotten) == []
    assert in_process(forgotten) == []
    assert (await client.delete(path, params=query)).status_code == 404
    await check_kept(client, settings.folder, forgotten)


@pytest.mark.parametrize("end", ENDS)
def test_after_each_end_of_the_server_the_files_hold_what_they_should(
    tmp_path: Path, encoder: Encoder, end: str
) -> None:
    home, forgotten = tmp_path / "home", [41, 42, 44]
    with running(home) as server, httpx.Client(base_url=server.url, timeout=60) as client:
        for number, place in FACTS.items():
            assert client.post("/v1/remember", json=body_of(number, place)).status_code == 201
            assert word(number) in client.post("/v1/ask", json=asked(number, place)).text
        assert client.delete("/v1/sessions/s1", params={"user_id": "u1"}).status_code == 200
        assert client.delete("/v1/users/u1", params={"agent_id": "a1"}).status_code == 200
        assert in_files(home, forgotten) == []
        server.process.send_signal(ENDS[end])
        ended = server.process.wait(timeout=60)
    assert ended == {"TERM": 0, "INT": 130, "KILL": -9}[end]
    assert leftovers(home, forgotten) == []
    if end != "KILL":
        assert not list(home.glob("*-wal")), "the database was not closed"
        assert not (home / "server.url").exists()
    with serving(home, encoder) as url, httpx.Client(base_url=url, timeout=60) as client:
        for number, place in FACTS.items():
            answer = client.post("/v1/ask", json=asked(number, place)).text
            assert (word(number) in answer) == (number not in forgotten)
    check_rows(home, forgotten)
    assert leftovers(home, forgotten) == []


def test_a_request_under_way_is_answered_before_the_server_ends(tmp_path: Path) -> None:
    with chat_server("openai/gpt-oss-120b") as local, running(tmp_path / "home", TIRTHA_LOCAL_URL=local.url) as server:
        arrived = threading.Event()

        def script(request: dict[str, Any]) -> Any:
            arrived.set()
            return answers(word(41), 1, wait_s=1.0)

        local.script = script
        with httpx.Client(base_url=server.url, timeout=60) as client:
            assert client.post("/v1/remember", json=body_of(41, OWN)).status_code == 201
            replies: list[httpx.Response] = []
            asking = threading.Thread(target=lambda: replies.append(client.post("/v1/ask", json=asked(41, OWN))))
            asking.start()
            assert arrived.wait(30)
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(timeout=60) == 0
            asking.join()
    assert [reply.status_code for reply in replies] == [200]
    assert word(41) in replies[0].text


@pytest.mark.long
def test_killed_while_it_forgets_the_next_try_goes_on(tmp_path: Path) -> None:
    home, chance = tmp_path / "home", random.Random()  # noqa: S311 - no secret
    forgotten: list[int] = []
    for number in (41, 43):
        with running(home) as server, httpx.Client(base_url=server.url, timeout=60) as client:
            for one, place in FACTS.items():
                if one not in forgotten:
                    assert client.post("/v1/remember", json=body_of(one, place)).status_code in {200, 201}
                    assert word(one) in client.post("/v1/ask", json=asked(one, place)).text
            killer = threading.Timer(chance.uniform(0.0, 0.2), server.kill)
            killer.start()
            with suppress(httpx.TransportError):
                client.delete(f"/v1/memories/t{number}", params=named(FACTS[number]))
            killer.join()
        forgotten.append(number)
        with running(home) as server, httpx.Client(base_url=server.url, timeout=60) as client:
            again = client.delete(f"/v1/memories/t{number}", params=named(FACTS[number]))
            assert again.status_code in {200, 404}
            assert leftovers(home, forgotten) == []
    check_rows(home, forgotten)


async def test_who_only_asked_is_forgotten(client: httpx.AsyncClient, settings: Settings) -> None:
    for place in (OTHERS, ("u2", "s1", "a2")):
        body = asked(1, place, session="s1") | {"question": f"Is {word(41)} the code of my locker?"}
        decision = (await client.post("/v1/ask", json=body)).json()["decision_id"]
        del body
    assert in_files(settings.folder, [41])
    forgot = await client.delete("/v1/users/u2")
    assert (forgot.status_code, forgot.json()["decisions"]) == (200, 2)
    assert (await client.get(f"/v1/decisions/{decision}")).status_code == 404
    assert in_files(settings.folder, [41]) == []
    assert in_process([41]) == []
    assert (await client.delete("/v1/users/u2")).status_code == 404


async def test_a_session_that_only_asked_is_forgotten(client: httpx.AsyncClient, settings: Settings) -> None:
    for session in ("s1", "s2"):
        body = asked(1, OTHERS, session=session) | {"question": f"Is {word(41)} the code of {session}?"}
        await client.post("/v1/ask", json=body)
    forgot = await client.delete("/v1/sessions/s1", params={"user_id": "u2"})
    assert (forgot.status_code, forgot.json()["decisions"]) == (200, 1)
    assert in_files(settings.folder, [41]), "the question of the other session is kept"
    assert (await client.delete("/v1/sessions/s2", params={"user_id": "u2"})).status_code == 200
    assert in_files(settings.folder, [41]) == []


async def test_forgotten_before_it_is_indexed(client: httpx.AsyncClient, settings: Settings) -> None:
    for number in range(50, 56):
        body = body_of(number, OWN)
        del body["wait"]
        assert (await client.post("/v1/remember", json=body)).status_code == 201
        del body
        if number % 2:
            query = {"user_id": "u1", "session_id": "s1"}
            assert (await client.delete(f"/v1/memories/t{number}", params=query)).status_code == 200
    assert (await client.post("/v1/remember", json=body_of(56, OWN))).json()["indexed"]
    assert leftovers(settings.folder, [51, 53, 55]) == []
    assert in_process([51, 53, 55]) == []
    for number in (50, 52, 54, 56):
        assert word(number) in (await client.post("/v1/ask", json=asked(number, OWN))).text


@pytest.mark.long
async def test_forgotten_while_much_is_indexed(client: httpx.AsyncClient, settings: Settings) -> None:
    turns = [{"id": f"t{number}", "role": "user", "text": fact(number)} for number in range(100, 300)]
    body = named(OWN) | {"turns": turns}
    assert (await client.post("/v1/remember", json=body)).status_code == 201
    await asyncio.sleep(0.2)
    forgotten = [100, 150, 299]
    for number in forgotten:
        query = {"user_id": "u1", "session_id": "s1"}
        assert (await client.delete(f"/v1/memories/t{number}", params=query)).status_code == 200
    assert (await client.post("/v1/remember", json=body_of(41, OWN))).json()["indexed"]
    del turns, body
    assert leftovers(settings.folder, forgotten) == []
    assert in_process(forgotten) == []
    for number in (101, 149, 298):
        assert word(number) in (await client.post("/v1/ask", json=asked(number, OWN))).text


@pytest.mark.parametrize(
    "kind", ["session", *(pytest.param(kind, marks=pytest.mark.long) for kind in ("turn", "user"))]
)
async def test_a_question_under_way_leaves_nothing_behind(tmp_path: Path, encoder: Encoder, kind: str) -> None:
    path, query, forgotten = FORGETTINGS[kind]
    with chat_server("slow") as local:
        settings = Settings(home=tmp_path / "home", local={"url": local.url})  # type: ignore[arg-type]
        async with open_service(settings, encoder=encoder) as service, client_of(service, settings) as client:
            for number, place in FACTS.items():
                assert (await client.post("/v1/remember", json=body_of(number, place))).status_code == 201
            loop, arrived = asyncio.get_running_loop(), asyncio.Event()
            forgot = threading.Event()

            def script(request: dict[str, Any]) -> Any:
                loop.call_soon_threadsafe(arrived.set)
                forgot.wait(60)
                return answers(word(41), 1)

            local.script = script
            asking = [asyncio.create_task(ask_later(client, asked(41, OWN))) for _ in range(2)]
            await arrived.wait()
            assert (await client.delete(path, params=query)).status_code == 200
            forgot.set()
            for decision in await asyncio.gather(*asking):
                assert (await client.get(f"/v1/decisions/{decision}")).status_code == 404
            local.requests.clear()
            del asking
            assert in_files(settings.folder, forgotten) == []
            assert in_process(forgotten) == []


def client_of(service: Service, settings: Settings) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(create_app(service, settings), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", timeout=60)


async def ask_later(client: httpx.AsyncClient, body: dict[str, Any]) -> str:
    return str((await client.post("/v1/ask", json=body)).json()["decision_id"])


@contextmanager
def reading(home: Path) -> Iterator[None]:
    """Stand on the log of the database as a program beside the server might."""
    engine = create_engine(f"sqlite:///{home / 'memory.sqlite3'}")
    with engine.connect() as connection:
        connection.exec_driver_sql("BEGIN")
        connection.execute(text("SELECT count(*) FROM turn")).scalar_one()
        yield
    engine.dispose()


async def test_a_reader_of_the_database_only_delays_the_wipe(client: httpx.AsyncClient, settings: Settings) -> None:
    await store_and_ask(client)
    path, query, forgotten = FORGETTINGS["user"]
    with reading(settings.folder):
        assert (await client.delete(path, params=query)).status_code == 200
        assert in_files(settings.folder, forgotten), "the reader does not stand in the way, so this shows nothing"
    for _ in range(100):
        if not in_files(settings.folder, forgotten):
            break
        await asyncio.sleep(0.2)
    assert in_files(settings.folder, forgotten) == []
