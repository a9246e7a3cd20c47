"""Somebody moves in with what another product knows: it is asked, exported, wiped and imported again, with the same answers."""

import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from memory.encoding.encoder import Encoder
from tests.support.server import serving
from tests.tirtha.importers.archives import write_archive

USER = "ines"
QUESTIONS = [f"What is the code of my locker at gym {number}?" for number in (0, 3, 7)]
CODES = ["11", "32", "60"]


def answers(url: str) -> list[dict[str, Any]]:
    """What is answered to each question: all but what differs from one asking to another.

    Asked once the index holds all of it. Turns that wait are compared in full precision, and equally good ones may change places.
    """
    while httpx.get(f"{url}/readyz", timeout=60).json()["waiting"]:
        time.sleep(0.05)
    shown = []
    for question in QUESTIONS:
        body = {"user_id": USER, "question": question, "asked_at": "2025-01-01T00:00:00Z"}
        answer = httpx.post(f"{url}/v1/ask", json=body, timeout=60).json()
        shown.append({name: answer[name] for name in ("answer", "abstained", "citations", "context")})
    return shown


def imported(url: str, file: Path, **query: str) -> dict[str, Any]:
    """Import a file."""
    response = httpx.post(f"{url}/v1/import", params=query, content=file.read_bytes(), timeout=600)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def test_the_answers_are_the_same_after_moving_twice(tmp_path: Path, encoder: Encoder) -> None:
    file = write_archive(tmp_path / "chatgpt.zip", 12)
    with serving(tmp_path / "home", encoder) as url:
        assert imported(url, file, format="auto", user_id=USER)["stored"] == 72
        first = answers(url)
        for shown, code in zip(first, CODES, strict=True):
            assert code in shown["answer"], shown
            assert shown["citations"][0]["turn_id"] == "0"
        export = tmp_path / "export.jsonl"
        export.write_bytes(httpx.get(f"{url}/v1/export", params={"user_id": USER}, timeout=60).content)
        assert httpx.delete(f"{url}/v1/users/{USER}", timeout=60).json()["turns"] == 72
        assert all(shown["abstained"] for shown in answers(url))
        assert imported(url, file, format="chatgpt", user_id=USER)["stored"] == 72
        assert answers(url) == first
        httpx.delete(f"{url}/v1/users/{USER}", timeout=60)
        assert imported(url, export, format="auto")["turns"]["stored"] == 72
        assert answers(url) == first
        assert imported(url, file, format="auto", user_id=USER)["duplicates"] == 72


@pytest.mark.long
def test_a_thousand_conversations_move_in(tmp_path: Path, encoder: Encoder) -> None:
    file = write_archive(tmp_path / "chatgpt.zip", 1_000)
    with serving(tmp_path / "home", encoder) as url:
        shown = imported(url, file, format="auto", user_id=USER)
        assert (shown["conversations"], shown["stored"], shown["rejected_count"]) == (1_000, 6_000, 0)
        assert [code in answer["answer"] for answer, code in zip(answers(url), CODES, strict=True)] == [True] * 3
        again = imported(url, file, format="auto", user_id=USER)
        assert (again["stored"], again["duplicates"]) == (0, 6_000)
