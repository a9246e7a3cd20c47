"""Machine text beside prose: what a turn of it costs to remember, to index and to ask about, and how long others wait meanwhile.

Run by `make bench`; `python -m eval.bench machine` runs it alone. For each kind of machine text one user remembers a turn of it
with a sentence before and after, waits until it is indexed, and asks; another user asks all the while. Figures to compare are
ratios to prose of the same size in the same run, since the machine may be shared.
"""

import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from threading import Event

import httpx
import psutil
from rich.table import Table

from eval.harness.machine_text import MACHINE_TEXTS
from eval.harness.serving import numbered_texts, p95, serving, timed
from tirtha.sample import sample_questions, sample_sessions

__all__ = ["machine_text_table"]

CHARS = 60_000
ASKED = 8  # questions about each turn, of which the first finds it cold
ALONE = 60
LONGEST_S = 900
BEFORE, AFTER = "My pet heron is called Ottokar.", "He sleeps in the boathouse at night."


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What one turn cost: milliseconds to store it, until it was indexed and to ask, MB that the server grew; whether it was found.

    `others`: the milliseconds that another user's questions took meanwhile.
    """

    chars: int
    store_ms: float
    index_ms: float
    ask_ms: float
    grown_mb: float
    found: bool
    others: list[float]


def machine_text_table(chars: int = CHARS) -> Table:
    """Measure prose and every kind of machine text in turns of `chars` characters."""
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder)) as (url, process),
        httpx.Client(base_url=url, timeout=LONGEST_S) as client,
    ):
        _settle_in(client)
        alone = [_ask_as_other(client, number) for number in range(ALONE)]
        prose = _measure(client, process, "prose", _prose, chars)
        rows = {kind: _measure(client, process, kind, make, chars) for kind, make in MACHINE_TEXTS.items()}
    return _table(alone, prose, rows)


def _prose(chars: int) -> str:
    return " ".join(numbered_texts(chars // 60))[:chars]


def _settle_in(client: httpx.Client) -> None:
    """Store a memory for the other user: the sample history."""
    for session, turns in sample_sessions().items():
        said = [{"role": turn.role, "speaker": turn.speaker, "text": turn.text} for turn in turns]
        body = {"user_id": "other", "session_id": session, "turns": said, "wait": "indexed"}
        client.post("/v1/remember", json=body).raise_for_status()
    _ask_as_other(client, 0)


def _ask_as_other(client: httpx.Client, number: int) -> float:
    questions = sample_questions()
    question = f"{questions[number % len(questions)].question} {number}"
    return timed(partial(_post, client, "/v1/context", {"user_id": "other", "question": question}))[0]


def _measure(client: httpx.Client, process: psutil.Process, kind: str, make: Callable[[int], str], chars: int) -> Costs:
    """Remember one turn of a kind, wait for the index and ask about it, beside another user who asks."""
    text = f"{BEFORE}\n{make(chars)}\n{AFTER}"
    said = {"user_id": kind, "session_id": "s", "turns": [{"role": "user", "text": text}]}
    before, done = process.memory_info().rss, Event()
    with ThreadPoolExecutor(1) as pool:
        others = pool.submit(_ask_until, client, done)
        store_ms, _ = timed(partial(_post, client, "/v1/remember", said))
        index_ms, _ = timed(partial(_post, client, "/v1/remember", {**said, "wait": "indexed"}))
        done.set()
        waits = others.result()
    asked = {"user_id": kind, "question": "Where does the heron sleep at night?"}
    times, contexts = zip(*(timed(partial(_post, client, "/v1/context", asked)) for _ in range(ASKED)), strict=True)
    return Costs(
        chars=len(text),
        store_ms=store_ms,
        index_ms=index_ms,
        ask_ms=median(times),
        grown_mb=(process.memory_info().rss - before) / 2**20,
        found=all("boathouse" in str(context["text"]) for context in contexts),
        others=waits,
    )


def _ask_until(client: httpx.Client, done: Event) -> list[float]:
    waits = [_ask_as_other(client, 0)]
    while not done.is_set():
        waits.append(_ask_as_other(client, len(waits)))
    return waits


def _post(client: httpx.Client, path: str, body: Mapping[str, object]) -> dict[str, object]:
    answer: dict[str, object] = client.post(path, json=body).raise_for_status().json()
    return answer


def _table(alone: list[float], prose: Costs, rows: dict[str, Costs]) -> Table:
    columns = ("kind", "chars", "stored", "indexed", "asked", "grown MB", "found", "others' p95, to alone")
    title = (
        f"Machine text as multiples of prose of {prose.chars:,} characters (stored {prose.store_ms:.0f} ms, "
        f"indexed {prose.index_ms:.0f} ms, asked {prose.ask_ms:.0f} ms)"
    )
    table = Table(*columns, title=title)
    for kind, costs in {"prose": prose, **rows}.items():
        table.add_row(
            kind,
            f"{costs.chars:,}",
            f"{costs.store_ms / prose.store_ms:.1f}x",
            f"{costs.index_ms / prose.index_ms:.2f}x",
            f"{costs.ask_ms / prose.ask_ms:.2f}x",
            f"{costs.grown_mb:.0f}",
            "yes" if costs.found else "no",
            f"{p95(costs.others) / p95(alone):.1f}x (n = {len(costs.others)})",
        )
    return table
