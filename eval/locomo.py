"""LoCoMo (Maharana et al., ACL 2024): does the context of a question name the turns that hold its answer?

Each conversation is remembered through the HTTP contract, each question asked of `/v1/context`. Knows the data set's format and the
contract, nothing of the engine. Categories: 1 multi-hop, 2 temporal, 3 open-domain, 4 single-hop, 5 adversarial (not scored here).
"""

import json
import re
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import mean
from time import perf_counter
from typing import Any

import httpx
from dateutil.parser import parse as parse_date
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from compaction import count_tokens
from memory.words import content_terms
from tirtha.api.app import create_app
from tirtha.service import open_service
from tirtha.settings import Settings

__all__ = ["Conversation", "LocomoResults", "read_locomo", "run_locomo"]

CATEGORIES = {1: "multi-hop", 2: "temporal", 3: "open-domain", 4: "single-hop"}
_TURN_ID = re.compile(r"D\d+:\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class LocomoQuestion:
    """A question, its gold answer and those of its evidence ids that are turns of the conversation."""

    question: str
    answer: str
    category: int
    evidence: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A conversation: per session the turns as `/v1/remember` takes them, and the questions."""

    id: str
    sessions: dict[str, list[dict[str, str]]]
    questions: tuple[LocomoQuestion, ...]
    last_said_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LocomoSample:
    """What one question got."""

    conversation: str
    question: str
    category: int
    evidence_recall: float
    all_evidence: bool
    answer_word_recall: float | None
    tokens: int
    latency_ms: float
    answerable: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Means over the questions of one category, or of all."""

    name: str
    n: int
    evidence_recall: float
    all_evidence_rate: float
    answer_word_recall: float
    tokens_mean: float
    tokens_max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LocomoResults:
    """A run: every sample, and what follows from them."""

    data: str
    budget: int
    samples: tuple[LocomoSample, ...]
    raw_tokens: dict[str, int]

    def figures(self) -> list[Figures]:
        """Give the figures of each category and of all of them."""
        groups = [(name, [s for s in self.samples if s.category == number]) for number, name in CATEGORIES.items()]
        return [_figures(name, group) for name, group in [*groups, ("all", list(self.samples))] if group]

    def compaction(self) -> tuple[float, float, float]:
        """Give the mean raw tokens a question, the mean context tokens, and their ratio."""
        raw = mean(self.raw_tokens[sample.conversation] for sample in self.samples)
        tokens = mean(sample.tokens for sample in self.samples)
        return raw, tokens, raw / max(tokens, 1)

    def latency_ms(self) -> tuple[float, float]:
        """Give the median and the 95th percentile of the time of a request, in milliseconds."""
        times = sorted(sample.latency_ms for sample in self.samples)
        return times[len(times) // 2], times[int(len(times) * 0.95)]

    def table(self) -> Table:
        """Lay the figures out for people."""
        columns = ("category", "n", "evidence recall", "all evidence", "answer words", "tokens mean", "tokens max")
        raw, tokens, ratio = self.compaction()
        p50, p95 = self.latency_ms()
        caption = (
            f"raw {raw:,.0f} tokens, context {tokens:.0f}: {ratio:.0f}x compaction; "
            f"latency p50 {p50:.0f} ms, p95 {p95:.0f} ms; {len(self.raw_tokens)} conversations"
        )
        table = Table(*columns, title=f"LoCoMo, {self.data}, budget {self.budget}", caption=caption)
        for row in self.figures():
            shares = (f"{value:.3f}" for value in (row.evidence_recall, row.all_evidence_rate, row.answer_word_recall))
            table.add_row(row.name, str(row.n), *shares, f"{row.tokens_mean:.0f}", str(row.tokens_max))
        return table

    def as_json(self) -> str:
        """Give everything as JSON: the figures, and each sample they come from."""
        raw, tokens, ratio = self.compaction()
        p50, p95 = self.latency_ms()
        return json.dumps(
            {
                "benchmark": "locomo",
                "data": self.data,
                "budget": self.budget,
                "figures": [asdict(row) for row in self.figures()],
                "raw_tokens_mean": raw,
                "context_tokens_mean": tokens,
                "compaction_ratio": ratio,
                "latency_ms": {"p50": p50, "p95": p95},
                "samples": [asdict(sample) for sample in self.samples],
            },
            indent=1,
        )


async def run_locomo(
    data: Path, *, settings: Settings, budget: int, limit: int | None, console: Console
) -> LocomoResults:
    """Remember every conversation of `data` in a data folder of its own and ask its questions.

    `limit` bounds the questions of each conversation. Only categories 1 to 4 with at least one valid evidence id count.
    """
    conversations = read_locomo(data)
    samples: list[LocomoSample] = []
    raw_tokens: dict[str, int] = {}
    with tempfile.TemporaryDirectory(prefix="tirtha-locomo-") as folder:
        own = settings.model_copy(update={"home": Path(folder), "database_url": None})
        async with open_service(own) as service:
            transport = httpx.ASGITransport(create_app(service))
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
                with _progress(console) as progress:
                    for conversation in conversations:
                        questions = conversation.questions[:limit]
                        task = progress.add_task(conversation.id, total=len(conversation.sessions) + len(questions))
                        raw_tokens[conversation.id] = await _remember(client, conversation, progress, task)
                        for question in questions:
                            samples.append(await _ask(client, conversation, question, budget))
                            progress.advance(task)
    if not samples:
        raise ValueError(f"{data} holds no question of categories 1 to 4 with valid evidence")
    return LocomoResults(data=data.name, budget=budget, samples=tuple(samples), raw_tokens=raw_tokens)


def read_locomo(data: Path) -> list[Conversation]:
    """Read a LoCoMo file; raises ValueError where it is not one."""
    try:
        conversations = [_conversation(record) for record in json.loads(data.read_text("utf-8"))]
    except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as fault:
        raise ValueError(f"{data} is not in LoCoMo's format: {fault!r}") from fault
    if not conversations:
        raise ValueError(f"{data} holds no conversation")
    return conversations


def _conversation(record: dict[str, Any]) -> Conversation:
    said = record["conversation"]
    numbers = sorted(int(key.removeprefix("session_")) for key in said if re.fullmatch(r"session_\d+", key))
    starts = {number: parse_date(said[f"session_{number}_date_time"]).replace(tzinfo=UTC) for number in numbers}
    sessions = {f"session_{n}": [_turn(turn, said, starts[n]) for turn in said[f"session_{n}"]] for n in numbers}
    known = {turn["id"] for turns in sessions.values() for turn in turns}
    return Conversation(
        id=record["sample_id"],
        sessions=sessions,
        questions=tuple(question for qa in record["qa"] if (question := _question(qa, known)) is not None),
        last_said_at=max(starts.values()),
    )


def _turn(turn: dict[str, Any], said: dict[str, Any], said_at: datetime) -> dict[str, str]:
    caption = turn.get("blip_caption")
    return {
        "id": turn["dia_id"],
        "role": "user" if turn["speaker"] == said["speaker_a"] else "assistant",
        "speaker": turn["speaker"],
        "text": f"{turn['text']}\n[shows {caption}]" if caption else turn["text"],
        "said_at": said_at.isoformat(),
    }


def _question(qa: dict[str, Any], known: set[str]) -> LocomoQuestion | None:
    evidence = frozenset(turn for text in qa.get("evidence", ()) for turn in _TURN_ID.findall(text)) & known
    if qa["category"] not in CATEGORIES or not evidence:
        return None
    return LocomoQuestion(question=qa["question"], answer=str(qa["answer"]), category=qa["category"], evidence=evidence)


async def _remember(client: httpx.AsyncClient, conversation: Conversation, progress: Progress, task: TaskID) -> int:
    """Remember a conversation and give the tokens of its raw text."""
    for session_id, turns in conversation.sessions.items():
        body = {"user_id": conversation.id, "session_id": session_id, "turns": turns, "wait": "indexed"}
        (await client.post("/v1/remember", json=body)).raise_for_status()
        progress.advance(task)
    return sum(
        count_tokens(f"{t['speaker']}: {t['text']}\n") for turns in conversation.sessions.values() for t in turns
    )


async def _ask(
    client: httpx.AsyncClient, conversation: Conversation, question: LocomoQuestion, budget: int
) -> LocomoSample:
    asked_at = conversation.last_said_at + timedelta(days=1)
    body = {
        "user_id": conversation.id,
        "question": question.question,
        "budget": budget,
        "asked_at": asked_at.isoformat(),
    }
    started_s = perf_counter()
    response = await client.post("/v1/context", json=body)
    latency_ms = (perf_counter() - started_s) * 1_000
    context = response.raise_for_status().json()
    named = {line["turn_id"] for line in context["lines"]}
    return LocomoSample(
        conversation=conversation.id,
        question=question.question,
        category=question.category,
        evidence_recall=len(question.evidence & named) / len(question.evidence),
        all_evidence=question.evidence <= named,
        answer_word_recall=_word_recall(question.answer, context["text"]),
        tokens=context["tokens"],
        latency_ms=latency_ms,
        answerable=context["answerable"],
    )


def _word_recall(answer: str, text: str) -> float | None:
    """Give the share of the answer's content words, stemmed, that `text` holds; None for an answer without any."""
    wanted = set(content_terms(answer))
    return len(wanted & set(content_terms(text))) / len(wanted) if wanted else None


def _figures(name: str, samples: Sequence[LocomoSample]) -> Figures:
    return Figures(
        name=name,
        n=len(samples),
        evidence_recall=mean(sample.evidence_recall for sample in samples),
        all_evidence_rate=mean(sample.all_evidence for sample in samples),
        answer_word_recall=mean([s.answer_word_recall for s in samples if s.answer_word_recall is not None] or [0.0]),
        tokens_mean=mean(sample.tokens for sample in samples),
        tokens_max=max(sample.tokens for sample in samples),
    )


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=console
    )
