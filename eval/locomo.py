"""LoCoMo: does the context of a question name the turns that hold its answer?

Each conversation is remembered through the HTTP contract, each question asked of `/v1/context`. The same evidence is also
distilled at other budgets; on request, baselines pack the same turns, and every part is switched off in turn (`eval.ablation`).
"""

import tempfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from time import perf_counter

import anyio
import httpx
from rich.console import Console
from rich.progress import Progress, TaskID

from compaction import Context, count_tokens
from eval.ablation import Ablation, ablate, steps
from eval.baselines import BASELINES, pack_whole_turns
from eval.embedding_cache import CachedEncoder
from eval.locomo_data import CATEGORIES, Conversation, LocomoQuestion, read_locomo
from eval.locomo_report import OURS, LocomoResults, LocomoSample
from eval.progress import progress_bar
from eval.rescoring import ask_conversations
from memory import Scope
from memory.words import content_terms
from tirtha.api.app import create_app
from tirtha.requests import Ask
from tirtha.service import Service, open_service
from tirtha.settings import Settings

__all__ = ["LADDER", "LocomoRun", "run_locomo"]

LADDER = (82, 165, 330, 660, 1_320)
_TENANT = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocomoRun:
    """What to run: the budget, how many questions of each conversation, which to leave out, and what to print beside."""

    budget: int = 165
    limit: int | None = None
    exclude: frozenset[str] = frozenset()
    ladder: bool = True
    baselines: bool = False
    ablation: bool = True


async def run_locomo(data: Path, *, settings: Settings, run: LocomoRun, console: Console) -> LocomoResults:
    """Remember every conversation of `data` in a data folder of its own and ask its questions.

    Only questions with at least one valid evidence id count. Raises ValueError where `data` is no LoCoMo file.
    """
    read = read_locomo(data, exclude=run.exclude)
    conversations = [replace(one, questions=one.questions[: run.limit]) for one in read]
    if not any(question.answerable for one in conversations for question in one.questions):
        raise ValueError(f"{data} holds no question of categories 1 to 4 with valid evidence")
    cache = settings.folder / "eval" / "embeddings.sqlite3"
    with closing(CachedEncoder(cache, settings.embedding_model)) as encoder, progress_bar(console) as progress:
        results = await _ask_all(data.name, conversations, settings, encoder, run, progress)
        if run.ablation and len(conversations) > 1:
            results = replace(results, ablation=await _ablate(conversations, encoder, run.budget, progress))
    return results


async def _ask_all(
    name: str,
    conversations: Sequence[Conversation],
    settings: Settings,
    encoder: CachedEncoder,
    run: LocomoRun,
    progress: Progress,
) -> LocomoResults:
    samples: list[LocomoSample] = []
    ladder: list[LocomoSample] = []
    others: list[LocomoSample] = []
    raw_tokens: dict[str, int] = {}
    with tempfile.TemporaryDirectory(prefix="tirtha-locomo-") as folder:
        own = settings.model_copy(update={"home": Path(folder), "database_url": None})
        async with open_service(own, encoder=encoder) as service:
            transport = httpx.ASGITransport(create_app(service))
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
                for conversation in conversations:
                    total = len(conversation.sessions) + len(conversation.questions)
                    task = progress.add_task(conversation.id, total=total)
                    raw_tokens[conversation.id] = await _remember(client, conversation, progress, task)
                    for question in conversation.questions:
                        samples.append(await _ask(client, conversation, question, run.budget))
                        if run.ladder and question.answerable:
                            ladder += await _climb(service, conversation, question)
                        if run.baselines and question.answerable:
                            others += await _compare(service, encoder, conversation, question, run.budget)
                        progress.advance(task)
    return LocomoResults(
        data=name,
        budget=run.budget,
        samples=tuple(samples),
        raw_tokens=raw_tokens,
        ladder=tuple(ladder),
        others=tuple(others),
    )


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
    named = frozenset(line["turn_id"] for line in context["lines"])
    sample = _sample(OURS, budget, conversation, question, named, context["text"], context["tokens"])
    return replace(sample, latency_ms=latency_ms, answerable=context["answerable"])


async def _climb(service: Service, conversation: Conversation, question: LocomoQuestion) -> list[LocomoSample]:
    """Distil the same evidence at every budget of the ladder."""
    contexts = await service.contexts(_as_asked(conversation, question), LADDER)
    return [_of_context(OURS, context, conversation, question) for context in contexts]


async def _compare(
    service: Service, encoder: CachedEncoder, conversation: Conversation, question: LocomoQuestion, budget: int
) -> list[LocomoSample]:
    turns = await service.memory.history(_as_asked(conversation, question).scope)
    samples = []
    for name, rank in BASELINES.items():
        ranked = await anyio.to_thread.run_sync(rank, question.question, turns, encoder)
        samples.append(_of_context(name, pack_whole_turns(ranked, budget), conversation, question))
    return samples


async def _ablate(
    conversations: Sequence[Conversation], encoder: CachedEncoder, budget: int, progress: Progress
) -> Ablation:
    gathering = progress.add_task("candidates", total=sum(len(one.questions) for one in conversations))
    asked = await ask_conversations(conversations, encoder, lambda: progress.advance(gathering))
    task = progress.add_task("ablation", total=steps(asked))
    return await anyio.to_thread.run_sync(lambda: ablate(asked, budget=budget, advance=lambda: progress.advance(task)))


def _as_asked(conversation: Conversation, question: LocomoQuestion) -> Ask:
    scope = Scope(tenant=_TENANT, user_id=conversation.id)
    return Ask(scope=scope, question=question.question, asked_at=conversation.last_said_at + timedelta(days=1))


def _of_context(system: str, context: Context, conversation: Conversation, question: LocomoQuestion) -> LocomoSample:
    named = frozenset(line.turn_id for line in context.lines)
    return _sample(system, context.budget, conversation, question, named, context.text, context.tokens)


def _sample(  # noqa: PLR0913 - the one place where a sample is made
    system: str,
    budget: int,
    conversation: Conversation,
    question: LocomoQuestion,
    named: frozenset[str],
    text: str,
    tokens: int,
) -> LocomoSample:
    return LocomoSample(
        question_id=question.id,
        conversation=conversation.id,
        system=system,
        budget=budget,
        category=question.category,
        evidence_recall=len(question.evidence & named) / len(question.evidence),
        all_evidence=question.evidence <= named,
        answer_word_recall=_word_recall(question.answer, text) if question.category in CATEGORIES else None,
        tokens=tokens,
    )


def _word_recall(answer: str, text: str) -> float | None:
    """Give the share of the answer's content words, stemmed, that `text` holds; None for an answer without any."""
    wanted = set(content_terms(answer))
    return len(wanted & set(content_terms(text))) / len(wanted) if wanted else None
