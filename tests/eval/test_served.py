"""LongMemEval over HTTP for other harnesses: a real server remembers each history once, apart from the others, and answers."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from eval.longmemeval_data import read_longmemeval
from eval.served import ask_served
from tests.eval.test_longmemeval import question
from tests.support.server import Server, running


@pytest.fixture
def file(tmp_path: Path) -> Path:
    found = tmp_path / "longmemeval_tiny.json"
    found.write_text(json.dumps([question("q1"), question("q2_abs", question="Where did I buy a yacht?")]))
    return found


@pytest.fixture
def server(tmp_path: Path) -> Any:
    with running(tmp_path / "home") as served:
        yield served


async def test_a_history_is_remembered_once_and_asked(file: Path, server: Server) -> None:
    first, second = read_longmemeval(file)
    served = await ask_served(first, base_url=server.url, budget=165)
    assert "Target" in served.answer
    assert not served.abstained
    assert served.sessions & first.answer_sessions
    assert 0 < served.tokens <= 165
    again = await ask_served(first, base_url=server.url, budget=165)
    assert again.answer == served.answer
    assert again.path == "cache", "nothing was stored anew"
    assert (await ask_served(second, base_url=server.url, budget=165)).path != "cache"


async def test_what_the_server_refuses_is_said_in_its_words(file: Path, server: Server) -> None:
    first = next(iter(read_longmemeval(file)))
    with pytest.raises(httpx.HTTPStatusError, match=r"/v1/context: 422 .*budget"):
        await ask_served(first, base_url=server.url, budget=0)


@pytest.mark.skipif(importlib.util.find_spec("inspect_ai") is None, reason="needs pip install 'tirtha[inspect]'")
def test_inspect_runs_the_task(file: Path, server: Server, tmp_path: Path) -> None:
    task = f"{Path(__file__).parents[2] / 'eval' / 'inspect_task.py'}@longmemeval"
    command = [
        str(Path(sys.executable).with_name("inspect")), "eval", task, "--model", "none", "--display", "plain",
        "--log-format", "json", "--log-dir", str(tmp_path), "-T", f"file={file}", "-T", f"base_url={server.url}",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    log = json.loads(next(tmp_path.glob("*longmemeval*.json")).read_text())
    figures = {score["name"]: score["metrics"]["mean"]["value"] for score in log["results"]["scores"]}
    assert figures["sessions_named"] == 1.0
    assert 0 < figures["answer_f1"] <= 1
