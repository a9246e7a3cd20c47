"""The cascade over real HTTP: every path of the record, faults that never lie, and what is said of a wrong setting."""

import asyncio
import json
import random
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from memory.encoding.encoder import Encoder
from tests.support.chat_server import ChatServer, Reply, answers, chat_server, cut, says, status
from tests.support.command import tirtha_here
from tests.support.server import COMMAND, environment, running, serving

LOCAL, FRONTIER = "openai/gpt-oss-120b", "big"
TURNS = [
    {"id": "D1:1", "role": "user", "text": "My cat is called Miso.", "said_at": "2023-05-08T13:00:00Z"},
    {"id": "D1:2", "role": "assistant", "text": "What a lovely name for a cat!", "said_at": "2023-05-08T13:01:00Z"},
    *(
        {
            "id": f"D1:{n}",
            "role": "user",
            "text": f"My cat ate {n} treats of fish today.",
            "said_at": "2023-06-09T13:00:00Z",
        }
        for n in range(3, 30)
    ),
]
QUESTION = {"user_id": "u1", "question": "What is my cat called?"}
CODE = {"task": "code", "question": "Add.", "entry_point": "add", "tests": "assert add(1, 2) == 3"}


def cited(request: dict[str, Any]) -> int:
    """The line about the name."""
    text = request["messages"][-1]["content"]
    return next((int(line[1:].split("]")[0]) for line in text.splitlines() if "called Miso" in line), 1)


def right(model: str) -> Any:
    return lambda request: answers("Miso", cited(request), model=model)


def wrong(model: str) -> Any:
    return lambda request: answers("Bella", cited(request), model=model)


def nothing(model: str) -> Any:
    return lambda request: answers(None, model=model)


def prices(local: ChatServer, frontier: ChatServer) -> dict[str, str]:
    return {
        "TIRTHA_LOCAL_URL": local.url,
        "TIRTHA_FRONTIER_URL": frontier.url,
        "TIRTHA_FRONTIER_MODEL": FRONTIER,
        "TIRTHA_FRONTIER_INPUT_USD_PER_MTOK": "2",
        "TIRTHA_FRONTIER_OUTPUT_USD_PER_MTOK": "8",
        "TIRTHA_LOCAL_TIMEOUT_S": "1",
    }


@contextmanager
def house(home: Path, encoder: Encoder, **settings: str) -> Iterator[tuple[httpx.Client, ChatServer, ChatServer]]:
    """A server over two scripted tiers, with a short history."""
    with chat_server(LOCAL) as local, chat_server(FRONTIER) as frontier:
        local.script, frontier.script = right(LOCAL), right(FRONTIER)
        own = prices(local, frontier) | settings
        with serving(home, encoder, **own) as url, httpx.Client(base_url=url, timeout=60) as client:
            body = {"user_id": "u1", "session_id": "s1", "turns": TURNS, "wait": "indexed"}
            assert client.post("/v1/remember", json=body).status_code == 201
            yield client, local, frontier


def ask(client: httpx.Client, **more: Any) -> dict[str, Any]:
    response = client.post("/v1/ask", json=QUESTION | more)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer | {"cache_header": response.headers["x-tirtha-cache"]}


def test_every_path_of_the_record_is_reached_and_the_sums_agree(tmp_path: Path, encoder: Encoder) -> None:
    with house(tmp_path / "home", encoder) as (client, local, frontier):
        seen: list[dict[str, Any]] = []

        def asked(script: Any, dear: Any = None, **more: Any) -> str:
            local.script, frontier.script = script, dear or right(FRONTIER)
            seen.append(ask(client, budget=100 + len(seen), **more))
            return str(seen[-1]["path"])

        def in_turn(*scripts: Any) -> Any:
            following = iter(scripts)
            return lambda request: next(following)(request)  # noqa: PLW0108 - another one every time

        assert asked(right(LOCAL)) == "local"
        assert asked(in_turn(wrong(LOCAL), right(LOCAL))) == "local_repaired"
        assert asked(in_turn(nothing(LOCAL), right(LOCAL))) == "widened"
        assert asked(wrong(LOCAL)) == "frontier"
        assert asked(right(LOCAL), max_tier="extractive") == "extractive"
        assert asked(wrong(LOCAL), wrong(FRONTIER)) == "abstain"
        seen.append(ask(client, budget=100))
        assert (seen[-1]["path"], seen[-1]["cached"], seen[-1]["cache_header"]) == ("cache", True, "hit")
        assert (seen[-1]["answer"], seen[-1]["cost_usd"]) == (seen[0]["answer"], "0.000000")
        local.script = lambda request: status(500)
        down = client.post("/v1/ask", json=QUESTION | {"max_tier": "local"})
        assert (down.status_code, down.headers["content-type"]) == (503, "application/problem+json")
        assert int(down.headers["retry-after"]) >= 1

        names = {"local": LOCAL, "frontier": FRONTIER, "extractive": "extractive"}
        served_by = ["local", "local", "local", "frontier", "extractive", None, "local"]
        assert [answer["tier"] for answer in seen] == served_by
        assert [answer["model"] for answer in seen] == [names[tier] if tier else None for tier in served_by]
        for answer in seen:
            decision = client.get(f"/v1/decisions/{answer['decision_id']}").json()
            assert Decimal(decision["cost_usd"]) == sum(Decimal(call["cost_usd"]) for call in decision["calls"])
            assert decision["cost_usd"] == answer["cost_usd"]
            assert decision["question"] == QUESTION["question"]
            assert (decision["tier"], decision["model"]) == (answer["tier"], answer["model"])
            assert all(names[attempt["tier"]] == attempt["model"] for attempt in decision["attempts"])
        stats = client.get("/v1/stats").json()
        assert Decimal(stats["cost_usd"]) == sum(Decimal(answer["cost_usd"]) for answer in seen)
        assert {path["path"]: path["n"] for path in stats["paths"]} == Counter(
            [*(one["path"] for one in seen), "error"]
        )
        assert sum(path["share"] for path in stats["paths"]) == pytest.approx(1)
        assert stats["n"] == len(seen) + 1


@pytest.mark.parametrize(
    "fault",
    [
        status(429),
        status(429, retry_after="1"),
        status(500),
        status(400),
        cut(says("x")),
        Reply(body=b"{broken"),
        says(None, model=LOCAL),
        says("", model=LOCAL),
        answers("Miso", 1, model="another-model"),
        answers("Miso", 1, model=LOCAL, finish="length"),
        answers("Miso", 1, model=LOCAL, wait_s=2.5),
        says('{"answer": "Miso", "citations": [999]}', model=LOCAL),
    ],
)
def test_no_fault_of_the_cheap_tier_is_served_or_hidden(
    shared_house: tuple[httpx.Client, ChatServer, ChatServer], fault: Reply
) -> None:
    client, local, frontier = shared_house
    local.script, frontier.script = (lambda request: fault), right(FRONTIER)
    before = len(local.requests)
    answer = ask(client, session_id=uuid4().hex)
    assert (answer["path"], answer["answer"]) == ("frontier", "Miso")
    decision = client.get(f"/v1/decisions/{answer['decision_id']}").json()
    local_calls = [call for call in decision["calls"] if call["tier"] == "local"]
    answered = [call for call in local_calls if not call["fault"]]
    assert len(local_calls) == len(local.requests) - before, "none is lost, though an open breaker may spare them all"
    assert all(Decimal(call["cost_usd"]) == Decimal("0.000021") for call in answered)


@pytest.fixture(scope="module")
def shared_house(
    tmp_path_factory: pytest.TempPathFactory, encoder: Encoder
) -> Iterator[tuple[httpx.Client, ChatServer, ChatServer]]:
    with house(tmp_path_factory.mktemp("house"), encoder) as opened:
        yield opened


@pytest.mark.parametrize("requests", [200, pytest.param(1_000, marks=pytest.mark.long)])
async def test_while_half_the_cheap_calls_fail_each_request_gets_one_answer_and_one_record(
    tmp_path: Path, encoder: Encoder, requests: int
) -> None:
    dice = random.Random(7)  # noqa: S311
    with house(tmp_path / "home", encoder, TIRTHA_POLICY_WIDEN_BEFORE="0") as (client, local, _):
        plain = right(LOCAL)

        def script(request: dict[str, Any]) -> Reply:
            return status(500) if dice.random() < 0.5 else plain(request)

        local.script = script
        gate = asyncio.Semaphore(32)
        async with httpx.AsyncClient(base_url=client.base_url, timeout=120) as many:

            async def one(number: int) -> httpx.Response:
                async with gate:
                    return await many.post("/v1/ask", json=QUESTION | {"session_id": f"s{number}"})

            responses = await asyncio.gather(*(one(number) for number in range(requests)))
        assert {response.status_code for response in responses} == {200}
        answered = [response.json() for response in responses]
        assert {answer["answer"] for answer in answered} == {"Miso"}
        assert len({answer["decision_id"] for answer in answered}) == requests
        stats = client.get("/v1/stats").json()
        assert stats["n"] == requests
        assert Decimal(stats["cost_usd"]) == sum(Decimal(answer["cost_usd"]) for answer in answered)
        paths = Counter(answer["path"] for answer in answered)
        assert set(paths) <= {"local", "frontier"}
        assert paths["local"] > requests / 10


def test_code_tasks_over_http(shared_house: tuple[httpx.Client, ChatServer, ChatServer]) -> None:
    client, local, _ = shared_house
    local.script = lambda request: says("```python\ndef add(a, b):\n    return a + b\n```", model=LOCAL)
    response = client.post("/v1/ask", json=CODE)
    assert response.status_code == 200, response.text
    answer = response.json()
    assert (answer["path"], answer["verified"], answer["verdicts"][-1]["guard"]) == ("local", True, "code_tests")
    assert "return a + b" in answer["answer"]
    assert client.post("/v1/ask", json=CODE).headers["x-tirtha-cache"] == "hit"
    bypassed = client.post("/v1/ask", json=CODE, headers={"cache-control": "no-store"})
    assert bypassed.headers["x-tirtha-cache"] == "bypass"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (CODE | {"tests": None}, "tests is needed"),
        (CODE | {"max_tier": "extractive"}, "max_tier must be local or frontier"),
        (QUESTION | {"tests": "assert True"}, "tests does not belong there"),
        ({"question": "What?"}, "user_id is needed"),
        (CODE | {"entry_point": "f()"}, "entry_point"),
    ],
)
def test_a_task_without_what_it_needs_is_refused(
    shared_house: tuple[httpx.Client, ChatServer, ChatServer], body: dict[str, Any], says: str
) -> None:
    response = shared_house[0].post("/v1/ask", json=body)
    assert response.status_code == 422
    assert says in response.text


def test_a_request_that_no_window_holds_is_413_with_both_numbers_and_no_call(tmp_path: Path, encoder: Encoder) -> None:
    windows = {"TIRTHA_LOCAL_WINDOW_TOKENS": "2300", "TIRTHA_FRONTIER_WINDOW_TOKENS": "2400"}
    with house(tmp_path / "home", encoder, **windows) as (client, local, frontier):
        response = client.post("/v1/ask", json=QUESTION | {"budget": 2_000, "question": "What is my cat called? " * 60})
        assert response.status_code == 413, response.text
        assert "2,400" in response.json()["detail"]
        assert not local.requests
        assert not frontier.requests


def start(home: Path, **settings: str) -> str:
    """What `tirtha serve` says of settings that it refuses."""
    done = subprocess.run(
        [COMMAND, "serve", "--port", "0"],
        env=environment(home, **settings),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode != 0, done.stdout
    return done.stderr


def test_wrong_settings_are_named_at_the_start_and_by_the_doctor(tmp_path: Path) -> None:
    with chat_server(LOCAL, key="sk-right") as local, chat_server("small") as frontier:
        own = {"TIRTHA_LOCAL_URL": local.url, "TIRTHA_LOCAL_KEY": "sk-right"}
        dear = {"TIRTHA_FRONTIER_URL": frontier.url, "TIRTHA_FRONTIER_MODEL": "small"}
        refused = start(tmp_path, **own | {"TIRTHA_LOCAL_KEY": "sk-wrong"})
        assert "TIRTHA_LOCAL_KEY" in refused
        assert "sk-wrong" not in refused
        assert "TIRTHA_LOCAL_URL" in start(tmp_path, TIRTHA_LOCAL_URL="localhost:8000")
        assert "TIRTHA_FRONTIER_INPUT_USD_PER_MTOK" in start(tmp_path, **own | dear)
        missing = start(tmp_path, **own | dear | {"TIRTHA_FRONTIER_MODEL": LOCAL})
        assert "TIRTHA_FRONTIER_MODEL" in missing
        assert "small" in missing
        assert "TIRTHA_POLICY_VOTES" in start(tmp_path, TIRTHA_POLICY_VOTES="3")
        free = {f"TIRTHA_LOCAL_{kind}_USD_PER_MTOK": "0" for kind in ("INPUT", "OUTPUT")}
        unknown = {"TIRTHA_LOCAL_MODEL": "other"} | free
        doctor = tirtha_here(tmp_path, "doctor", **own | unknown)
        assert doctor.returncode == 1
        assert "TIRTHA_LOCAL_MODEL" in doctor.stdout
        assert "namespaces" in doctor.stdout or "bubblewrap" in doctor.stdout or "refused" in doctor.stdout


def test_a_server_that_is_only_down_does_not_keep_tirtha_from_starting(tmp_path: Path) -> None:
    with chat_server(LOCAL) as gone:
        pass
    with running(tmp_path, TIRTHA_LOCAL_URL=gone.url) as server:
        assert httpx.get(f"{server.url}/healthz").status_code == 200


def test_shadow_answers_are_counted_apart(tmp_path: Path, encoder: Encoder) -> None:
    with house(tmp_path / "home", encoder, TIRTHA_SHADOW_SHARE="1") as (client, _, frontier):
        answer = ask(client)
        assert answer["path"] == "local"
        for _ in range(100):
            stats = client.get("/v1/stats").json()
            if stats["shadows"]:
                break
        assert (stats["shadows"], stats["shadows_agreeing"]) == (1, 1)
        assert stats["cost_usd"] == answer["cost_usd"]
        assert Decimal(stats["shadow_cost_usd"]) == Decimal("0.00028")
        assert len(frontier.requests) == 1


def test_every_call_can_be_recorded(tmp_path: Path, encoder: Encoder) -> None:
    with house(tmp_path / "home", encoder, TIRTHA_RECORD_TO=str(tmp_path / "calls"), TIRTHA_LOCAL_KEY="sk-secret") as (
        client,
        _,
        _,
    ):
        answer = ask(client)
    [file] = (tmp_path / "calls").iterdir()
    [row] = [json.loads(line) for line in file.read_text().splitlines()]
    assert row["completion"]["usage"]["prompt_tokens"] == answer["usage"]["prompt_tokens"]
    assert "sk-secret" not in file.read_text()


def test_a_recorded_decision_is_replayed_to_the_same_record_and_a_changed_setting_shows(
    tmp_path: Path, encoder: Encoder
) -> None:
    home, calls = tmp_path / "home", tmp_path / "calls"
    with house(home, encoder, TIRTHA_RECORD_TO=str(calls)) as (client, local, frontier):
        drafts = iter([status(500), answers("Bella", 1, model=LOCAL)])
        local.script = lambda request: next(drafts, answers("Bella", 1, model=LOCAL))
        answer = ask(client)
        assert answer["path"] == "frontier"
        own = prices(local, frontier)
    same = tirtha_here(home, "replay", answer["decision_id"], "--recordings", str(calls), **own)
    assert same.returncode == 0, same.stderr
    assert "The same as the record" in same.stdout
    other = tirtha_here(
        home, "replay", answer["decision_id"], "--recordings", str(calls), **own | {"TIRTHA_POLICY_UNVERIFIED": "serve"}
    )
    assert other.returncode == 1
    assert "hashes" in other.stderr
    unknown = tirtha_here(home, "replay", "nothing", "--recordings", str(calls), **own)
    assert "no decision 'nothing'" in unknown.stderr


def test_labelled_decisions_certify_a_threshold_and_another_model_voids_it(tmp_path: Path, encoder: Encoder) -> None:
    home, labels, certificate = tmp_path / "home", tmp_path / "labels.jsonl", tmp_path / "certificate.json"
    with house(home, encoder) as (client, local, frontier):
        ids = [ask(client, session_id=f"s{n}")["decision_id"] for n in range(20)]
        labels.write_text("".join(json.dumps({"decision_id": one, "correct": True}) + "\n" for one in ids))
        own = prices(local, frontier)
        few = tirtha_here(home, "certify", str(labels), "--risk", "0.05", "--to", str(certificate), **own)
        assert "at least 59" in few.stderr
        enough = tirtha_here(home, "certify", str(labels), "--risk", "0.2", "--to", str(certificate), **own)
        assert enough.returncode == 0, enough.stderr
        assert "0 of 20 answers were wrong" in enough.stdout
        shown = tirtha_here(home, "stats", **own)
        assert "20 requests" in shown.stdout
    with house(tmp_path / "other", encoder, TIRTHA_CERTIFICATE=str(certificate)) as (client, _, _):
        assert ask(client)["path"] == "local"
    dearer = {
        "TIRTHA_CERTIFICATE": str(certificate),
        "TIRTHA_LOCAL_INPUT_USD_PER_MTOK": "1",
        "TIRTHA_LOCAL_OUTPUT_USD_PER_MTOK": "1",
    }
    with house(tmp_path / "third", encoder, **dearer) as (client, _, _):
        assert ask(client)["path"] == "frontier"


def test_feedback_certifies_what_the_newest_judged_answers_were_made_with(tmp_path: Path, encoder: Encoder) -> None:
    home, certificate = tmp_path / "home", tmp_path / "certificate.json"
    arguments = ("certify", "--risk", "0.2", "--to", str(certificate))
    with house(home, encoder) as (client, local, frontier):
        own = prices(local, frontier)
        none = tirtha_here(home, *arguments, **own)
        assert "nobody has judged" in none.stderr
        old = ask(client, session_id="old")["decision_id"]
        said = tirtha_here(home, "feedback", old, "wrong", **own)
        assert said.stdout == f"The answer of decision {old} counts as wrong.\n"
        unknown = tirtha_here(home, "feedback", "nothing", "right", **own)
        assert unknown.returncode == 1
        assert "no decision 'nothing'" in unknown.stderr
    with house(home, encoder, TIRTHA_POLICY_SUPPORT_FROM="0.5") as (client, local, frontier):
        own = prices(local, frontier) | {"TIRTHA_POLICY_SUPPORT_FROM": "0.5"}
        for n in range(14):
            judged = f"/v1/decisions/{ask(client, session_id=f's{n}')['decision_id']}/feedback"
            assert client.post(judged, json={"correct": True}).status_code == 200
        made = tirtha_here(home, *arguments, **own)
    assert made.returncode == 0, made.stderr
    assert "0 of 14 answers were wrong" in made.stdout
    assert "1 judged answers were made with other" in made.stderr
    assert json.loads(certificate.read_bytes())["labelled"] == 14


def test_forgetting_from_the_command_line(tmp_path: Path, encoder: Encoder) -> None:
    home = tmp_path / "home"
    with house(home, encoder) as (client, _, _):
        ask(client)
        done = tirtha_here(home, "forget", "--user", "u1", "--session", "s1", "--turn", "D1:1")
        assert "Forgot 1 turns" in done.stdout, done.stderr
        assert tirtha_here(home, "forget", "--user", "u1").returncode == 2
        assert tirtha_here(home, "forget", "--user", "u1", "--everything").returncode == 0
        assert ask(client)["path"] == "abstain"
