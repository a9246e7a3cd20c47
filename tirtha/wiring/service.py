"""From settings to an open service: everything is built here, once, in plain sight."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import anyio.to_thread

from cascade import Cascade, Ledger
from cascade.errors import Misconfigured
from cascade.shadowing import Shadowing
from cascade.storage.cache import AnswerCache
from cascade.storage.feedback import FeedbackStore
from compaction.tokens import token_table
from memory.api import Memory, MemorySettings
from memory.encoding.encoder import BUNDLED_MODEL, Encoder
from memory.opening import open_memory
from memory.recall.reranker import MODELS
from memory.storage.database import Database
from tirtha.operations.answering import Answering
from tirtha.operations.ask import AskMemory
from tirtha.operations.code import WriteCode
from tirtha.operations.context import MakeContext
from tirtha.operations.decisions import ReadDecision, ReadStats
from tirtha.operations.feedback import GiveFeedback, ListFeedback, ReadFeedback
from tirtha.operations.forget import Forget
from tirtha.operations.limits import Limits
from tirtha.operations.listing import ListSessions, ListTurns, ListUsers, ReadTurn, SearchTurns
from tirtha.operations.readiness import CheckReadiness
from tirtha.operations.recall import RecallTurns
from tirtha.operations.remember import RememberTurns
from tirtha.service import Service
from tirtha.settings import Settings
from tirtha.wiring.cascade import make_cascade, make_code_cascade
from tirtha.wiring.database import database_of
from tirtha.wiring.tiers import Tiers, open_tiers

__all__ = ["memory_settings", "open_service"]


@asynccontextmanager
async def open_service(
    settings: Settings,
    *,
    encoder: Encoder | None = None,
    recall_models: Path = MODELS,
    change: Callable[[Cascade], Cascade] | None = None,
) -> AsyncIterator[Service]:
    """Open the configured data folder and set the operations over it; everything is closed at the end.

    An `encoder` that is loaded already may be shared between services. For measurements, `recall_models` is a folder of other
    weights than the shipped ones, and `change` makes another cascade of the configured one.

    Raises the errors of `open_database`, `open_memory` and `open_tiers`.
    """
    async with open_tiers(settings) as tiers:  # first: a wrong setting must not have upgraded the data folder
        with database_of(settings) as database:
            own = memory_settings(settings, recall_models=recall_models)
            async with open_memory(own, database, encoder=encoder) as memory:
                await anyio.to_thread.run_sync(token_table)  # now, so that the first question does not wait for it
                cascade = make_cascade(settings, tiers, memory.embed)
                cascade = change(cascade) if change else cascade
                answering = _answering(settings, tiers, database)
                try:
                    yield _service(settings, tiers, memory, cascade, answering, FeedbackStore(database))
                finally:
                    await answering.close()


def _service(
    settings: Settings, tiers: Tiers, memory: Memory, cascade: Cascade, answering: Answering, feedback: FeedbackStore
) -> Service:
    limits = Limits(
        turn_chars=settings.max_turn_chars, question_chars=settings.max_question_chars, turns=settings.max_turns
    )
    code = make_code_cascade(settings, tiers)
    budget, ledger, under_way = settings.budget, answering.ledger, answering.under_way
    return Service(
        remember=RememberTurns(memory=memory, limits=limits),
        recall=RecallTurns(memory=memory, limits=limits, under_way=under_way),
        context=MakeContext(memory=memory, limits=limits, budget=budget, under_way=under_way),
        ask=AskMemory(memory=memory, cascade=cascade, answering=answering, limits=limits, budget=budget),
        write_code=WriteCode(cascade=code, answering=answering, limits=limits),
        forget=Forget(memory=memory, ledger=ledger, under_way=under_way),
        users=ListUsers(memory=memory),
        sessions=ListSessions(memory=memory),
        turns=ListTurns(memory=memory),
        search=SearchTurns(memory=memory, limits=limits),
        turn=ReadTurn(memory=memory),
        decision=ReadDecision(ledger=ledger),
        stats=ReadStats(ledger=ledger),
        give_feedback=GiveFeedback(store=feedback),
        feedback=ReadFeedback(store=feedback),
        feedbacks=ListFeedback(store=feedback),
        ready=CheckReadiness(memory=memory),
        limits=limits,
        memory=memory,
    )


def _answering(settings: Settings, tiers: Tiers, database: Database) -> Answering:
    ttl, max_bytes = timedelta(seconds=settings.cache_ttl_s), settings.cache_mb * 2**20
    share, frontier = settings.shadow_share, tiers.frontier
    if share and frontier is None:
        raise Misconfigured(setting="TIRTHA_SHADOW_SHARE", why="needs the frontier tier: set TIRTHA_FRONTIER_URL")
    return Answering(
        ledger=Ledger(database),
        cache=AnswerCache(database, ttl=ttl, max_bytes=max_bytes) if ttl and max_bytes else None,
        frontier=frontier.price if frontier else None,
        shadowing=Shadowing(tier=frontier, share=share) if frontier and share else None,
    )


def memory_settings(settings: Settings, *, recall_models: Path = MODELS) -> MemorySettings:
    """Return memory's slice of the settings, with a folder of recall's weights."""
    return MemorySettings(
        embedding_model=settings.embedding_model or BUNDLED_MODEL,
        max_tail_turns=settings.max_tail_turns,
        index_timeout_s=settings.index_timeout_s,
        hot_vectors_mb=settings.hot_vectors_mb,
        recall_models=recall_models,
    )
