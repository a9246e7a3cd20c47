"""A model that Tirtha serves itself, end to end: it answers, is in the record, and ends with the server, however that ends."""

from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import httpx
import psutil

from tests.support.gguf import small_gguf
from tests.support.server import Server, running

TURN = {"id": "1", "role": "user", "text": "My cat is called Miso.", "said_at": "2023-05-08T13:56:00Z"}
PATIENCE_S = 240.0


def settings(file: Path) -> dict[str, str]:
    return {
        "TIRTHA_LOCAL_GGUF": str(file),
        "TIRTHA_LOCAL_GGUF_THREADS": "1",
        "TIRTHA_LOCAL_GGUF_CONTEXT_TOKENS": "2048",
        "TIRTHA_LOCAL_MAX_TOKENS": "40",
        "TIRTHA_LOCAL_TIMEOUT_S": "200",
        "TIRTHA_POLICY_DEADLINE_S": "230",
        "TIRTHA_POLICY_REPAIR": "false",
        "TIRTHA_POLICY_WIDEN_BEFORE": "0",
    }


def model_of(server: Server) -> psutil.Process:
    [child] = psutil.Process(server.process.pid).children()
    assert any("child.py" in word for word in child.cmdline())
    return child


def until(true: Callable[[], bool], *, within_s: float) -> bool:
    ends_s = monotonic() + within_s
    while not true() and monotonic() < ends_s:
        sleep(0.1)
    return true()


def gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def ask(client: httpx.Client, question: str = "What is my cat called?") -> httpx.Response:
    return client.post("/v1/ask", json={"user_id": "u1", "question": question})


def test_a_model_on_this_machine_answers_and_ends_with_the_server(tmp_path: Path) -> None:
    file = small_gguf()
    with running(tmp_path, **settings(file)) as server, httpx.Client(base_url=server.url, timeout=PATIENCE_S) as client:
        first = model_of(server)
        body = {"user_id": "u1", "session_id": "s1", "turns": [TURN], "wait": "indexed"}
        assert client.post("/v1/remember", json=body).status_code == 201
        answered = ask(client)
        # What such a small model says may pass or not, or be cut off; that it was asked is in the record.
        assert answered.status_code in {200, 503}, answered.text
        if answered.status_code == 200:
            calls = decision(client, answered)["calls"]
            assert [call["model"] for call in calls] == [file.name]
            assert calls[0]["prompt_tokens"] > 0
            assert calls[0]["completion_tokens"] > 0
            assert not calls[0]["estimated"]
        first.kill()
        assert until(lambda: gone(first), within_s=30)
        down = ask(client, "What is the name of my cat?")  # another one, since the first answer may be stored
        assert down.status_code == 503
        assert int(down.headers["retry-after"]) >= 1
        assert until(lambda: bool(psutil.Process(server.process.pid).children()), within_s=60)
        second = model_of(server)
        assert second.pid != first.pid
        server.kill()
        assert until(lambda: gone(second), within_s=30), "the model outlives a server that was killed"


def decision(client: httpx.Client, answered: httpx.Response) -> dict[str, Any]:
    read: dict[str, Any] = client.get(f"/v1/decisions/{answered.json()['decision_id']}").json()
    return read


def test_a_model_ends_with_a_server_that_is_stopped(tmp_path: Path) -> None:
    with running(tmp_path, **settings(small_gguf())) as server:
        model = model_of(server)
    assert until(lambda: gone(model), within_s=30)
