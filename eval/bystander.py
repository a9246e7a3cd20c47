"""A live user beside an import: how long they wait for `/v1/remember` and `/v1/context`, alone and while another user imports.

Run by `make bench`; `python -m eval.bench live` runs it alone. One user remembers a turn, asks for a context and, every few
rounds, remembers with `wait: indexed`; meanwhile another user sends one NDJSON body of 50,000 turns. Figures to compare are the
ratios of one run, since the machine may be shared.
"""

import json
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median
from time import perf_counter, sleep
from typing import Any

import httpx
from rich.table import Table

from eval.harness.serving import numbered_texts, p95, serving, timed
from tirtha.sample import sample_questions, sample_sessions

__all__ = ["bystander_table"]

IMPORTED_TURNS = 50_000
ROUNDS = 100
INDEXED_EVERY = 5
PAUSE_S = 0.1  # between rounds: a person types, and the index is to have something of the time even alone
SETTLE_S = 3
LONGEST_S = 1_800
WAITING_STILL = 256  # turns; fewer may be the live user's own


@dataclass(slots=True)
class Waits:
    """Milliseconds that the live user waited, by what for; `late` counts turns that were not indexed when answered."""

    remember: list[float] = field(default_factory=list)
    context: list[float] = field(default_factory=list)
    indexed: list[float] = field(default_factory=list)
    late: int = 0


class LiveUser:
    """One user with the sample history, who goes on talking and asking."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self._number = count()
        self._questions = [question.question for question in sample_questions()]

    def settle_in(self) -> None:
        """Remember the sample history, and ask once, so that the scope comes into memory."""
        for session, turns in sample_sessions().items():
            said = [{"role": turn.role, "speaker": turn.speaker, "text": turn.text} for turn in turns]
            self._remember(session, said, wait="indexed")
        self._ask(0)
        sleep(SETTLE_S)

    def rounds(self, going_on: Callable[[], bool]) -> Waits:
        """Remember and ask for `ROUNDS` rounds, or for fewer if it does not go on."""
        waits = Waits()
        for number in range(ROUNDS):
            if not going_on():
                break
            waits.remember.append(timed(partial(self._say, "durable"))[0])
            waits.context.append(timed(partial(self._ask, number))[0])
            if number % INDEXED_EVERY == 0:
                took, answer = timed(partial(self._say, "indexed"))
                waits.indexed.append(took)
                waits.late += not answer["indexed"]
            sleep(PAUSE_S)
        return waits

    def _say(self, wait: str) -> dict[str, Any]:
        return self._remember("live", [{"role": "user", "text": f"Thing {next(self._number)} came to my mind."}], wait)

    def _remember(self, session: str, turns: list[dict[str, Any]], wait: str) -> dict[str, Any]:
        body = {"user_id": "live", "session_id": session, "turns": turns, "wait": wait}
        answer: dict[str, Any] = self._client.post("/v1/remember", json=body).raise_for_status().json()
        return answer

    def _ask(self, number: int) -> None:
        question = f"{self._questions[number % len(self._questions)]} {number}"
        self._client.post("/v1/context", json={"user_id": "live", "question": question}).raise_for_status()


def bystander_table(turns: int = IMPORTED_TURNS) -> Table:
    """Measure the live user alone and beside an import of `turns` turns; the import must be under way to the end of it."""
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder)) as (url, _),
        httpx.Client(base_url=url, timeout=LONGEST_S) as client,
        ThreadPoolExecutor(1) as importer,
    ):
        live = LiveUser(client)
        live.settle_in()
        alone = live.rounds(lambda: True)
        started_s = perf_counter()
        imported = importer.submit(_import, url, turns)
        sleep(SETTLE_S)
        beside = live.rounds(lambda: not imported.done() or _waiting(client) > WAITING_STILL)
        answered_s, stored = imported.result()
        while _waiting(client):
            sleep(1)
        indexed_s = perf_counter() - started_s
    title = f"A live user beside an import of {stored:,} turns: answered after {answered_s:.0f} s, indexed after {indexed_s:.0f} s"
    return _table(title, alone, beside)


def _waiting(client: httpx.Client) -> int:
    waiting: int = client.get("/readyz").raise_for_status().json()["waiting"]
    return waiting


def _import(url: str, turns: int) -> tuple[float, int]:
    """Send one body; returns how long the answer took, in seconds, and the turns stored."""
    started_s = perf_counter()
    answer = httpx.post(
        f"{url}/v1/remember",
        content=_lines(turns),
        headers={"content-type": "application/x-ndjson"},
        timeout=LONGEST_S,
    )
    return perf_counter() - started_s, answer.raise_for_status().json()["stored"]


def _lines(turns: int) -> Iterator[bytes]:
    for number, text in enumerate(numbered_texts(turns)):
        line = {
            "user_id": "importer",
            "session_id": f"s{number // 200}",
            "id": str(number),
            "role": "user",
            "text": text,
        }
        yield json.dumps(line).encode() + b"\n"


def _table(title: str, alone: Waits, beside: Waits) -> Table:
    table = Table("", "n", "alone, p50 p95 ms", "beside the import", "ratios", "not indexed in time", title=title)
    for name in ("remember", "context", "indexed"):
        before, during = getattr(alone, name), getattr(beside, name)
        table.add_row(
            f"/v1/{name}" if name != "indexed" else "/v1/remember, wait: indexed",
            f"{len(before)}, {len(during)}",
            f"{median(before):.1f} {p95(before):.1f}",
            f"{median(during):.1f} {p95(during):.1f}",
            f"{median(during) / median(before):.1f}x {p95(during) / p95(before):.1f}x",
            f"{beside.late} of {len(during)}" if name == "indexed" else "",
        )
    return table
