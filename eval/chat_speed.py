"""Speed of `/v1/chat/completions`: the time to the first word beside the tier called directly, and many streams at once.

Run by `make bench`; `python -m eval.bench chat` runs it alone. The tier is a server of ours that answers at once, so that what is
timed is what Tirtha adds. Kinds of requests take turns, a block of each, since the machine may be shared: compare ratios and
differences of one run. The same is timed with a tier that thinks before its first word, as models do.
"""

import asyncio
import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import perf_counter, sleep

import httpx
import psutil
from rich.table import Table

from eval.harness.serving import p95, serving
from eval.instant_tier import MODEL, instant_tier
from tirtha.sample import sample_questions

__all__ = ["chat_tables"]

PASSAGES = 10_000
QUESTIONS = 100
BLOCK = 20
PAUSE_S = 0.2  # before each request: people take longer to type, and what was said before is indexed meanwhile
UNTIMED = 2  # the first of a block find cold caches
THINKS_MS = 200  # before the first word: a fast model's time
THOUGHTFUL_QUESTIONS = 40
STREAMS = 32
ROUNDS = 12
SETTLE_ROUNDS = 2  # after them memory is compared
WORDS = 100
BETWEEN_WORDS_MS = 5
WARM_UP_S = 5

Ask = Callable[[int], float]  # milliseconds until the first word


@dataclass(slots=True)
class Streams:
    """What became of concurrent streams: how many there were, were cut, and the server's memory after each round, MB."""

    opened: int = 0
    cut: int = 0
    server_mb: list[float] = field(default_factory=list)


def chat_tables(fill: Callable[[Path, int], None]) -> list[Table]:
    """Measure on a memory that `fill` puts passages of the user `u0` into."""
    with tempfile.TemporaryDirectory() as folder, instant_tier() as tier:
        home = Path(folder)
        fill(home, PASSAGES)
        home.joinpath("tirtha.toml").write_text(
            f'[local]\nurl = "{tier}"\nmodel = "{MODEL}"\ninput_usd_per_mtok = 0\noutput_usd_per_mtok = 0\n'
        )
        with serving(home) as (url, process), httpx.Client(timeout=60) as client:
            at_once = _first_words(client, tier, url, questions=QUESTIONS, wait_ms=0)
            thinking = _first_words(client, tier, url, questions=THOUGHTFUL_QUESTIONS, wait_ms=THINKS_MS)
            streams = asyncio.run(_many(url, process))
    return [
        _times_table(f"Time to the first word, {PASSAGES:,} passages, a tier that answers at once", at_once),
        _times_table(f"The same, a tier that thinks for {THINKS_MS} ms", thinking),
        _streams_table(streams),
    ]


def _first_words(client: httpx.Client, tier: str, url: str, *, questions: int, wait_ms: int) -> dict[str, list[float]]:
    """Time the first word of each kind of request, in turn; milliseconds. Streams are read to their end all the same."""
    chat = f"{url}/v1/chat/completions"
    asked = [question.question for question in sample_questions()]
    title = "### Task:\nGenerate a concise title for this chat.\n### Chat History:\nUSER: {}"

    def first_word(to: str, text: str, **more: object) -> float:
        started_s = perf_counter()
        message = {"role": "user", "content": text}
        body = {"model": MODEL, "messages": [message], "stream": True, "user": "u0", "wait_ms": wait_ms, **more}
        with client.stream("POST", to, json=body) as stream:
            stream.raise_for_status()
            lines = stream.iter_lines()
            next(line for line in lines if '"content"' in line)
            took_ms = (perf_counter() - started_s) * 1_000
            for _ in lines:
                pass
        return took_ms

    def context(number: int) -> float:
        started_s = perf_counter()
        body = {"user_id": "u0", "question": f"{asked[number % len(asked)]} {number}"}
        client.post(f"{url}/v1/context", json=body).raise_for_status()
        return (perf_counter() - started_s) * 1_000

    def text(number: int) -> str:
        return f"{asked[number % len(asked)]} {number}"

    kinds: Mapping[str, Ask] = {
        "the tier, directly": lambda number: first_word(f"{tier}/chat/completions", text(number)),
        "/v1/context": context,
        "chat with memory": lambda number: first_word(chat, text(number)),
        "chat, recall: false": lambda number: first_word(chat, text(number), tirtha={"recall": False}),
        "chat, neither recalled nor remembered": lambda number: first_word(
            chat, text(number), tirtha={"recall": False, "remember": False}
        ),
        "an interface's own task": lambda number: first_word(chat, title.format(text(number))),
    }
    context(0)
    sleep(WARM_UP_S)  # a scope's vectors come into memory after its first question
    times: dict[str, list[float]] = {kind: [] for kind in kinds}
    for first in range(0, questions, BLOCK):
        for kind, ask in kinds.items():
            for number in range(first - UNTIMED, first + BLOCK):
                sleep(PAUSE_S)
                took_ms = ask(number)
                if number >= first:
                    times[kind].append(took_ms)
    return times


async def _many(url: str, process: psutil.Process) -> Streams:
    """Open many streams at once, round after round, and look how the server's memory grows."""
    streams = Streams()
    limits = httpx.Limits(max_connections=STREAMS)
    async with httpx.AsyncClient(base_url=url, timeout=120, limits=limits) as client:
        for number in range(ROUNDS):
            whole = await asyncio.gather(*(_whole(client, f"{number} {stream}") for stream in range(STREAMS)))
            streams.opened += len(whole)
            streams.cut += whole.count(False)
            streams.server_mb.append(process.memory_info().rss / 1e6)
    return streams


async def _whole(client: httpx.AsyncClient, text: str) -> bool:
    """Return whether a stream came to its end with all its words."""
    message = {"role": "user", "content": f"What did I say of note {text}?"}
    body = {
        "model": MODEL,
        "messages": [message],
        "stream": True,
        "user": "u0",
        "words": WORDS,
        "pause_ms": BETWEEN_WORDS_MS,
    }
    said: list[str] = []
    ended = False
    async with client.stream("POST", "/v1/chat/completions", json=body) as stream:
        async for line in stream.aiter_lines():
            data = line.removeprefix("data: ")
            ended = ended or data == "[DONE]"
            if data.startswith("{"):
                said += [choice["delta"].get("content", "") for choice in json.loads(data).get("choices", ())]
    return ended and "".join(said).split() == [str(number) for number in range(WORDS)]


def _times_table(title: str, times: dict[str, list[float]]) -> Table:
    table = Table(
        "", "n", "p50 ms", "p95 ms", "beside the tier, p50", "more, p50 ms", "as /v1/context's p50", title=title
    )
    direct, context = median(times["the tier, directly"]), median(times["/v1/context"])
    for kind, took in times.items():
        more = median(took) - direct
        beside = (
            () if kind == "/v1/context" else (f"{median(took) / direct:.2f}x", f"{more:.1f}", f"{more / context:.2f}x")
        )
        table.add_row(kind, str(len(took)), f"{median(took):.1f}", f"{p95(took):.1f}", *beside)
    return table


def _streams_table(streams: Streams) -> Table:
    table = Table("", "", title=f"{STREAMS} streams at once, {ROUNDS} rounds, {WORDS} words each")
    table.add_row("streams", f"{streams.opened:,}")
    table.add_row("cut", str(streams.cut))
    table.add_row("server MB after the rounds", ", ".join(f"{size:.0f}" for size in streams.server_mb))
    grown = streams.server_mb[-1] / streams.server_mb[SETTLE_ROUNDS - 1]
    table.add_row(f"last beside round {SETTLE_ROUNDS}", f"{grown:.3f}x")
    return table
