"""GET /metrics: what happened is counted once, what is true now is read, and no label names anybody."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import event
from sqlalchemy.pool import Pool

from memory.encoding.encoder import Encoder
from tests.support.chat_server import ChatServer, answers, chat_server, status
from tests.support.server import serving
from tirtha.caller import Caller
from tirtha.errors import Forbidden
from tirtha.service import Service

USER, TURN = "someone@example.org", "My cat is called Miso."
SENT = {"user_id": USER, "session_id": "s1", "turns": [{"id": "t1", "role": "user", "text": TURN}], "wait": "indexed"}
ASKED = {"user_id": USER, "question": "What is my cat called?"}
MODEL = "openai/gpt-oss-120b"

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def read(text: str) -> Samples:
    return {
        (one.name, frozenset(one.labels.items())): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples[name, frozenset(labels.items())]


async def scraped(client: httpx.AsyncClient) -> Samples:
    response = await client.get("/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return read(response.text)


async def test_what_happened_is_counted(client: httpx.AsyncClient) -> None:
    before = await scraped(client)
    assert value(before, "tirtha_decisions_total", path="abstain") == 0, "shown before it happens"
    for body in (SENT, SENT):
        assert (await client.post("/v1/remember", json=body)).status_code == 201
    for _ in range(2):
        assert (await client.post("/v1/ask", json=ASKED)).status_code == 200
    await client.post("/v1/context", json=ASKED)
    await client.get(f"/v1/memories/t1?user_id={USER}&session_id=s9")
    after = await scraped(client)
    assert value(after, "tirtha_remembered_turns_total") == 1, "a duplicate is not stored"
    assert value(after, "tirtha_turns") == 1
    decisions = {path: value(after, "tirtha_decisions_total", path=path) for path in ("extractive", "cache", "abstain")}
    assert decisions == {"extractive": 1, "cache": 1, "abstain": 0}
    cache = {result: value(after, "tirtha_cache_requests_total", result=result) for result in ("hit", "miss", "bypass")}
    assert cache == {"hit": 1, "miss": 1, "bypass": 0}
    assert value(after, "tirtha_verdicts_total", guard="citations", status="pass") == 1, (
        "not again for the stored answer"
    )
    assert value(after, "tirtha_cache_entries") == 1
    assert value(after, "tirtha_cache_bytes") > 0
    assert value(after, "tirtha_stage_seconds_count", stage="recall") == 2
    assert value(after, "tirtha_stage_seconds_count", stage="distil") == 2
    assert value(after, "tirtha_hot_scopes") == 1
    requests = "tirtha_http_requests_total"
    assert value(after, requests, method="POST", route="/v1/remember", status="201") == 2
    assert value(after, requests, method="GET", route="/v1/memories/{turn_id}", status="404") == 1
    assert value(after, "tirtha_http_request_seconds_count", method="POST", route="/v1/ask") == 2


async def test_what_is_true_now_is_read(client: httpx.AsyncClient, service: Service) -> None:
    now = await scraped(client)
    assert value(now, "tirtha_store_readable") == 1
    assert (value(now, "tirtha_index_waiting_turns"), value(now, "tirtha_index_oldest_waiting_seconds")) == (0, 0)
    for kind, threads in service.memory.load().threads.items():
        assert value(now, "tirtha_threads", kind=kind) == threads.most
        assert value(now, "tirtha_threads_waiting", kind=kind) == 0


async def test_turns_that_wait_have_an_age(service: Service, client: httpx.AsyncClient) -> None:
    turns = [{"role": "user", "text": f"Fact {n} is about the number {n}. " * 40} for n in range(60)]
    waited = 0.0
    for session in range(20):
        body = {"user_id": USER, "session_id": f"s{session}", "turns": turns}
        assert (await client.post("/v1/remember", json=body)).status_code == 201
        now = await scraped(client)
        if value(now, "tirtha_index_waiting_turns"):
            waited = value(now, "tirtha_index_oldest_waiting_seconds")
            break
    assert waited > 0


async def test_no_label_names_anybody_or_what_they_sent(client: httpx.AsyncClient) -> None:
    await client.post("/v1/remember", json=SENT)
    await client.get(f"/v1/{USER}/nowhere")
    await client.request("MISO", "/v1/ask")
    await client.delete(f"/v1/users/{USER}")
    text = (await client.get("/metrics")).text
    for secret in (USER, "example.org", "Miso", "MISO", "default"):
        assert secret not in text
    labels = {name for family in text_string_to_metric_families(text) for one in family.samples for name in one.labels}
    assert labels <= {"method", "route", "status", "le", "stage", "path", "result", "kind", "guard", "version"}


async def test_openmetrics_is_given_to_who_asks_for_it(client: httpx.AsyncClient) -> None:
    response = await client.get("/metrics", headers={"accept": "application/openmetrics-text; version=1.0.0"})
    assert response.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    families = openmetrics.text_string_to_metric_families(response.text)  # type: ignore[no-untyped-call]
    assert {one.name for one in families} >= {"tirtha_build", "tirtha_decisions"}


async def test_the_right_to_read_is_needed(service: Service) -> None:
    with pytest.raises(Forbidden):
        await service.metrics(Caller(tenant="default", rights=frozenset({"write"})))


async def test_a_database_out_of_reach_is_a_figure(client: httpx.AsyncClient) -> None:
    def refuse(connection: sqlite3.Connection, *_: object) -> None:
        raise sqlite3.OperationalError("unable to open database file")

    event.listen(Pool, "checkout", refuse)
    try:
        now = await scraped(client)
    finally:
        event.remove(Pool, "checkout", refuse)
    assert value(now, "tirtha_store_readable") == 0
    assert ("tirtha_turns", frozenset()) not in now
    assert value(now, "tirtha_decisions_total", path="cache") == 0


@contextmanager
def house(home: Path, encoder: Encoder) -> Iterator[tuple[httpx.Client, ChatServer]]:
    with chat_server(MODEL) as local:
        local.script = lambda request: answers("Miso", 1, model=MODEL)
        variables = {"TIRTHA_LOCAL_URL": f"{local.url},{local.url}", "TIRTHA_LOCAL_TRIES": "1"}
        with serving(home, encoder, **variables) as url, httpx.Client(base_url=url, timeout=60) as client:
            assert client.post("/v1/remember", json=SENT).status_code == 201
            yield client, local


def test_calls_of_models_are_counted_by_tier(tmp_path: Path, encoder: Encoder) -> None:
    def asked(client: httpx.Client) -> Any:
        return client.post("/v1/ask", json=ASKED, headers={"cache-control": "no-store"})

    with house(tmp_path / "home", encoder) as (client, local):
        answered = asked(client).json()
        assert answered["path"] == "local"
        local.script = lambda request: status(500)
        assert asked(client).status_code == 503
        now = read(client.get("/metrics").text)
        assert value(now, "tirtha_tier_call_seconds_count", tier="local", outcome="answered") == 1
        assert value(now, "tirtha_tier_call_seconds_count", tier="local", outcome="server") == 1
        assert value(now, "tirtha_tokens_total", tier="local", kind="prompt") == answered["usage"]["prompt_tokens"]
        assert value(now, "tirtha_tokens_total", tier="local", kind="completion") == 10
        assert value(now, "tirtha_cost_usd_total", tier="local") == pytest.approx(float(answered["cost_usd"]))
        assert value(now, "tirtha_decisions_total", path="error") == 1
        assert value(now, "tirtha_tier_addresses", tier="local") == 2
        assert value(now, "tirtha_tier_open_circuits", tier="local") == 0
        for _ in range(25):
            asked(client)
        now = read(client.get("/metrics").text)
        assert value(now, "tirtha_tier_open_circuits", tier="local") == 2
        assert value(now, "tirtha_tier_calls_in_flight", tier="local") == 0
