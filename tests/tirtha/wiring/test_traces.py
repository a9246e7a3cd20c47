"""The trace of a request goes on to the models that it asks, and to a collector if one is configured."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from memory.encoding.encoder import Encoder
from tests.support.chat_server import ChatServer, Reply, answers, chat_server, error, status
from tests.support.server import serving

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
MODEL = "openai/gpt-oss-120b"
SENT = {
    "user_id": "u1",
    "session_id": "s1",
    "turns": [{"id": "t1", "role": "user", "text": "My cat is called Miso."}],
    "wait": "indexed",
}
ASKED = {"user_id": "u1", "question": "What is my cat called?"}


@contextmanager
def house(home: Path, encoder: Encoder, **settings: str) -> Iterator[tuple[httpx.Client, ChatServer]]:
    with chat_server(MODEL) as local:
        local.script = lambda request: answers("Miso", 1, model=MODEL)
        with (
            serving(home, encoder, TIRTHA_LOCAL_URL=local.url, **settings) as url,
            httpx.Client(base_url=url, timeout=60) as client,
        ):
            assert client.post("/v1/remember", json=SENT).status_code == 201
            yield client, local


def ask(client: httpx.Client, **headers: str) -> None:
    answer = client.post("/v1/ask", json=ASKED, headers={"cache-control": "no-store"} | headers)
    assert answer.json()["path"] == "local", answer.text


def places(server: ChatServer) -> list[tuple[str, str, str]]:
    """Trace, span and flags of each request."""
    parts = [headers["traceparent"].split("-") for headers in server.headers]
    assert all(version == "00" and len(rest) == 3 for version, *rest in parts)
    return [(trace, span, flags) for _, trace, span, flags in parts]


def test_a_callers_trace_goes_on_to_the_model(tmp_path: Path, encoder: Encoder) -> None:
    tries: list[dict[str, Any]] = []

    def stumbling(request: dict[str, Any]) -> Reply:
        tries.append(request)
        if len(tries) == 1:
            return error(400, {"error": {"message": "no response_format here", "param": "response_format"}})
        return status(500) if len(tries) == 2 else answers("Miso", 1, model=MODEL)

    with house(tmp_path / "home", encoder) as (client, local):
        local.script = stumbling
        ask(client, traceparent=f"00-{TRACE}-{SPAN}-01", tracestate="congo=t61rcWkgMzE")
        seen = places(local)
        assert len(seen) == len(tries) == 3, "each HTTP call, those that failed too"
        assert {(trace, flags) for trace, _, flags in seen} == {(TRACE, "01")}
        spans = [span for _, span, _ in seen]
        assert SPAN not in spans
        assert len(set(spans)) == 3, "a span of its own each"
        assert {headers["tracestate"] for headers in local.headers} == {"congo=t61rcWkgMzE"}


@pytest.mark.parametrize("headers", [{}, {"traceparent": f"00-{TRACE}-{'0' * 16}-01", "tracestate": "a=1"}])
def test_without_one_a_trace_is_made_for_each_request(
    tmp_path: Path, encoder: Encoder, headers: dict[str, str]
) -> None:
    with house(tmp_path / "home", encoder) as (client, local):
        ask(client, **headers)
        ask(client, **headers)
        traces = {trace for trace, _, _ in places(local)}
        assert len(traces) == 2
        assert TRACE not in traces
        assert {flags for _, _, flags in places(local)} == {"00"}, "nobody records it"
        assert all("tracestate" not in headers for headers in local.headers)


@pytest.mark.slow
def test_without_a_collector_nothing_of_opentelemetrys_sdk_is_imported() -> None:
    code = "import sys, tirtha.http.app, tirtha.wiring.service; print('opentelemetry.sdk' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"
