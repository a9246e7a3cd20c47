"""A damaged file of the data folder: it is repaired, or refused with a sentence that says what to do; nothing is lost in silence.

One file of each kind is deleted, cut in half, zeroed, or overwritten in its middle, before the start (in a folder as a kill leaves
it, with SQLite's write-ahead log) and while the server runs. The whole matrix takes minutes and is `long`.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from memory.encoding.encoder import Encoder
from memory.errors import MemoryFault
from tests.support.server import serving
from tirtha.errors import FaceFault

FACTS = {f"t{number}": f"The code of locker {number} is zq{number}x." for number in range(8)}
FORGOTTEN = "The code of the safe is qqsecretqq."
NEWS = "The code of the new locker is zqnews."
LANCE = "index/passage.lance"
# Each kind of file, by where it lies. The names of Lance's lists of files count down.
KINDS = {
    "database": "memory.sqlite3",
    "log": "memory.sqlite3-wal",
    "shared memory": "memory.sqlite3-shm",
    "newest list of files": f"{LANCE}/_versions/*.manifest",
    "hint": f"{LANCE}/_versions/*.json",
    "data": f"{LANCE}/data/*.lance",
    "transaction": f"{LANCE}/_transactions/*.txn",
    "pages of keys": f"{LANCE}/_indices/*/page_data.lance",
    "places of keys": f"{LANCE}/_indices/*/page_lookup.lance",
    "lock": "lock",
    "address": "server.url",
    "settings": "tirtha.toml",
}
WAYS = {
    "deleted": "os.unlink(file)",
    "halved": "os.truncate(file, size // 2)",
    "zeroed": "write(0, bytes(size))",
    "overwritten": "write(size // 3, b'\\xa5' * (size // 3))",
}
# What cannot be tried in one process: a memory file that is mapped into it ends the process when it is cut.
NOT_WHILE_RUNNING = {("shared memory", way) for way in WAYS if way != "deleted"}
MOST_SEVERE = {"database", "log", "data", "newest list of files"}
RAW = re.compile(r"\.lance|\.rs\b|Traceback|/index|sqlite3\.|\[SQL|lance error")

Damage = Callable[[Path], None]


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Path:
    """A data folder as a kill leaves it: copied while the server runs."""
    home, copy = tmp_path_factory.mktemp("alive") / "home", tmp_path_factory.mktemp("killed") / "home"
    home.mkdir()
    (home / "tirtha.toml").write_text("budget = 165\n")
    with serving(home, encoder) as url, client_of(url) as client:
        for first in (0, 4):
            numbered = list(FACTS.items())[first : first + 4]
            turns = [*numbered, ("secret", FORGOTTEN)]  # known already, the second time
            remember(client, *({"id": key, "role": "user", "text": text} for key, text in turns))
        client.delete("/v1/memories/secret", params={"user_id": "u1", "session_id": "s1"}).raise_for_status()
        shutil.copytree(home, copy)
    return copy


def client_of(url: str) -> httpx.Client:
    return httpx.Client(base_url=url, timeout=60)


def remember(client: httpx.Client, *turns: dict[str, str]) -> None:
    body = {"user_id": "u1", "session_id": "s1", "turns": turns, "wait": "indexed"}
    assert client.post("/v1/remember", json=body).raise_for_status().json()["indexed"]


def cases(*, while_running: bool) -> list[Any]:
    found = []
    for place, kind in enumerate(KINDS):
        few = () if while_running else (list(WAYS)[place % len(WAYS)],)
        quick = ("deleted", "overwritten") if kind in MOST_SEVERE else few
        for way in WAYS:
            if not (while_running and (kind, way) in NOT_WHILE_RUNNING):
                marks = () if way in quick else (pytest.mark.long,)
                found.append(pytest.param(kind, way, marks=marks, id=f"{kind} {way}".replace(" ", "-")))
    return found


def damage(home: Path, kind: str, way: str) -> None:
    """Damage the files of one kind; of Lance's lists the newest. In a process of its own, which shares no locks with the server."""
    found = sorted(home.glob(KINDS[kind]))
    assert found, f"the data folder has no {kind}"
    program = (
        "import os, sys\n"
        "for file in sys.argv[1:]:\n"
        "    size = os.path.getsize(file)\n"
        "    def write(at, data):\n"
        "        with open(file, 'r+b') as opened:\n"
        "            opened.seek(at)\n"
        "            opened.write(data)\n"
        f"    {WAYS[way]}\n"
    )
    chosen = found[:1] if kind == "newest list of files" else found
    subprocess.run([sys.executable, "-I", "-S", "-c", program, *map(str, chosen)], check=True)


class Seen:
    """What a user saw: the turns that were found, and every sentence of refusal."""

    def __init__(self) -> None:
        self.found: set[str] = set()
        self.reported: list[str] = []

    def asks_for_everything(self, client: httpx.Client, *more: str) -> None:
        for key in [*FACTS, *more]:
            text = NEWS if key == "news" else FACTS[key]
            body = {"user_id": "u1", "question": f"What is {text.removeprefix('The ').partition(' is ')[0]}?"}
            answer = self._checked(client.post("/v1/context", json=body))
            if answer is not None and text in answer["text"]:
                self.found.add(key)
        secret = self._checked(
            client.post("/v1/recall", json={"user_id": "u1", "question": "What is the code of the safe?"})
        )
        assert secret is None or "qqsecretqq" not in str(secret), "what was forgotten is recalled"
        self._checked(client.get("/v1/stats"))

    def remembers(self, client: httpx.Client) -> bool:
        body = {"user_id": "u1", "session_id": "s2", "turns": [{"id": "news", "role": "user", "text": NEWS}]}
        return self._checked(client.post("/v1/remember", json=body)) is not None

    def refused(self, fault: Exception) -> None:
        self._note(str(fault))

    def _checked(self, response: httpx.Response) -> dict[str, str] | None:
        assert response.status_code in {200, 201, 503}, response.text
        if response.status_code == 503:
            assert response.headers["retry-after"]
            self._note(response.json()["detail"])
            return None
        answer: dict[str, str] = response.json()
        return answer

    def _note(self, sentence: str) -> None:
        assert not RAW.search(sentence), sentence
        assert "tirtha reindex" in sentence or "backup" in sentence or "tirtha.toml" in sentence, sentence
        self.reported.append(sentence)


def visit(home: Path, encoder: Encoder, seen: Seen, during: Callable[[httpx.Client], None]) -> None:
    """Start a server, or note why it does not start."""
    try:
        with serving(home, encoder) as url, client_of(url) as client:
            during(client)
    except (MemoryFault, FaceFault) as fault:
        seen.refused(fault)


@pytest.mark.parametrize(("kind", "way"), cases(while_running=False))
def test_damaged_before_the_start(killed: Path, tmp_path: Path, encoder: Encoder, kind: str, way: str) -> None:
    home = shutil.copytree(killed, tmp_path / "home")
    damage(home, kind, way)
    seen, remembered = Seen(), False

    def use(client: httpx.Client) -> None:
        nonlocal remembered
        remembered = seen.remembers(client)
        seen.asks_for_everything(client, "news")

    visit(home, encoder, seen, use)
    assert seen.reported or (remembered and seen.found == {*FACTS, "news"}), (
        "something is lost, and nothing was reported"
    )
    if kind not in {"database", "log", "settings"}:
        assert not seen.reported, "what can be made anew is made anew"


@pytest.mark.parametrize(("kind", "way"), cases(while_running=True))
def test_damaged_while_the_server_runs(killed: Path, tmp_path: Path, encoder: Encoder, kind: str, way: str) -> None:
    home = shutil.copytree(killed, tmp_path / "home")
    seen, after = Seen(), Seen()
    acknowledged = False

    def use(client: httpx.Client) -> None:
        nonlocal acknowledged
        client.post("/v1/recall", json={"user_id": "u1", "question": "What is in locker 3?"}).raise_for_status()
        damage(home, kind, way)
        acknowledged = seen.remembers(client)
        seen.asks_for_everything(client)
        if not acknowledged:
            assert client.get("/readyz").status_code == 503

    visit(home, encoder, seen, use)
    visit(home, encoder, after, lambda client: after.asks_for_everything(client, *(["news"] if acknowledged else [])))
    whole = {*FACTS, *(["news"] if acknowledged else [])}
    assert seen.reported or seen.found == set(FACTS), "something is not found, and nothing was reported"
    assert after.reported or after.found == whole, "something is lost, and nothing was reported"
