"""From settings to an open service: everything is built here, once, in plain sight."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
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
from tirtha.audit.log import AuditLog
from tirtha.audit.reading import ReadAudit
from tirtha.observation.observer import Observer
from tirtha.observation.scraping import ScrapeMetrics
from tirtha.operations.answering import Answering
from tirtha.operations.ask import AskMemory
from tirtha.operations.chat.following import FollowConversation
from tirtha.operations.code import WriteCode
from tirtha.operations.context import MakeContext
from tirtha.operations.decisions import ListDecisions, ReadDecision, ReadStats
from tirtha.operations.feedback import GiveFeedback, ListFeedback, ReadFeedback
from tirtha.operations.forget import Forget, SwitchOffInstructions
from tirtha.operations.limits import Limits
from tirtha.operations.listing import ListInstructions, ListSessions, ListTurns, ListUsers, ReadTurn, SearchTurns
from tirtha.operations.readiness import CheckReadiness
from tirtha.operations.recall import RecallTurns
from tirtha.operations.remember import RememberTurns
from tirtha.operations.tenancy.administration import ManageTenants
from tirtha.service import Service
from tirtha.settings import Settings
from tirtha.tenants.registry import Tenants
from tirtha.wiring.cascade import make_cascade, make_code_cascade
from tirtha.wiring.chat import make_chat
from tirtha.wiring.database import database_of
from tirtha.wiring.keys import KeyService, open_keys
from tirtha.wiring.moving import make_export, make_file_import, make_import
from tirtha.wiring.observation import open_observer
from tirtha.wiring.tenancy import keeping_house, make_admission, make_deletion, make_housekeeping
from tirtha.wiring.tenants import make_tenants
from tirtha.wiring.tiers import Tiers, open_tiers

__all__ = ["memory_settings", "open_service"]


@asynccontextmanager
async def open_service(
    settings: Settings,
    *,
    encoder: Encoder | None = None,
    recall_models: Path | None = None,
    change: Callable[[Cascade], Cascade] | None = None,
) -> AsyncIterator[Service]:
    """Open the configured data folder and set the operations over it; everything is closed at the end.

    Args:
        settings: everything that is configured.
        encoder: one that is loaded already, which services may share.
        recall_models: for measurements, a folder of other weights than the configured ones.
        change: for measurements, makes another cascade of the configured one.

    Raises the errors of `open_database`, `open_memory`, `open_observer` and `open_tiers`.
    """
    # These first: a wrong setting must not have upgraded the data folder.
    async with open_observer(settings) as observer, open_tiers(settings, observer) as tiers:
        with database_of(settings) as database:
            own, tenants = memory_settings(settings, recall_models=recall_models), make_tenants(settings, database)
            audit = AuditLog(database, on_failure=observer.metrics.audit_failed)
            async with (
                open_keys(settings, database, tenants, audit) as keys,
                open_memory(own, database, encoder=encoder) as memory,
            ):
                await anyio.to_thread.run_sync(token_table)  # now, so that the first question does not wait for it
                opened = _Opened(database=database, tiers=tiers, keys=keys, audit=audit, memory=memory)
                cascade = make_cascade(settings, tiers, memory.embed)
                cascade = change(cascade) if change else cascade
                answering = _answering(settings, tiers, database, tenants, observer)
                service = _service(settings, opened, cascade, answering)
                try:
                    async with keeping_house(service.housekeeping):
                        yield service
                finally:
                    await answering.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opened:
    """What is open, for the operations to stand on."""

    database: Database
    tiers: Tiers
    keys: KeyService
    audit: AuditLog
    memory: Memory


def _service(settings: Settings, opened: _Opened, cascade: Cascade, answering: Answering) -> Service:
    memory, keys, audit = opened.memory, opened.keys, opened.audit
    limits = Limits(
        turn_chars=settings.max_turn_chars, question_chars=settings.max_question_chars, turns=settings.max_turns
    )
    code = make_code_cascade(settings, opened.tiers)
    budget, ledger, under_way = settings.budget, answering.ledger, answering.under_way
    admission, observer = answering.admission, answering.observer
    delete_tenant = make_deletion(memory, answering, audit, keys.keys)
    feedback = FeedbackStore(opened.database)
    follow = FollowConversation(memory=memory, limits=limits, admission=admission, audit=audit, observer=observer)
    chats = make_chat(settings, opened.tiers, opened.database, answering, follow)
    import_lines = make_import(memory, opened.database, answering, limits, audit)
    return Service(
        remember=RememberTurns(memory=memory, limits=limits, admission=admission, audit=audit, observer=observer),
        recall=RecallTurns(memory=memory, limits=limits, under_way=under_way, admission=admission, observer=observer),
        context=MakeContext(
            memory=memory, limits=limits, budget=budget, under_way=under_way, admission=admission, observer=observer
        ),
        ask=AskMemory(
            memory=memory, cascade=cascade, answering=answering, limits=limits, budget=budget, admission=admission
        ),
        chat=chats.chat,
        compact=chats.compact,
        count_tokens=chats.count_tokens,
        models=chats.models,
        responses=chats.responses,
        write_code=WriteCode(cascade=code, answering=answering, limits=limits, admission=admission),
        forget=Forget(memory=memory, ledger=ledger, under_way=under_way, audit=audit),
        switch_off=SwitchOffInstructions(memory=memory, audit=audit),
        users=ListUsers(memory=memory),
        sessions=ListSessions(memory=memory),
        turns=ListTurns(memory=memory),
        instructions=ListInstructions(memory=memory),
        search=SearchTurns(memory=memory, limits=limits),
        turn=ReadTurn(memory=memory),
        decision=ReadDecision(ledger=ledger),
        decisions=ListDecisions(ledger=ledger),
        export=make_export(opened.database, audit),
        import_lines=import_lines,
        import_file=make_file_import(settings, import_lines),
        stats=ReadStats(ledger=ledger),
        give_feedback=GiveFeedback(store=feedback, ledger=ledger),
        feedback=ReadFeedback(store=feedback),
        feedbacks=ListFeedback(store=feedback),
        ready=CheckReadiness(memory=memory, audit=audit),
        audit_entries=ReadAudit(log=audit),
        metrics=ScrapeMetrics(metrics=observer.metrics, memory=memory, cache=answering.cache, tiers=opened.tiers.all),
        audit=audit,
        observer=observer,
        authentication=keys.authentication,
        keys=keys.keys,
        limits=limits,
        admission=admission,
        tenants=ManageTenants(memory=memory, admission=admission, audit=audit),
        delete_tenant=delete_tenant,
        housekeeping=make_housekeeping(delete_tenant, audit),
        memory=memory,
    )


def _answering(settings: Settings, tiers: Tiers, database: Database, tenants: Tenants, observer: Observer) -> Answering:
    ttl, max_bytes = timedelta(seconds=settings.cache_ttl_s), settings.cache_mb * 2**20
    share, frontier = settings.shadow_share, tiers.frontier
    if share and frontier is None:
        raise Misconfigured(setting="TIRTHA_SHADOW_SHARE", why="needs the frontier tier: set TIRTHA_FRONTIER_URL")
    ledger = Ledger(database)
    return Answering(
        observer=observer,
        ledger=ledger,
        admission=make_admission(tenants, ledger),
        cache=AnswerCache(database, ttl=ttl, max_bytes=max_bytes) if ttl and max_bytes else None,
        frontier=frontier.price if frontier else None,
        shadowing=Shadowing(tier=frontier, share=share) if frontier and share else None,
    )


def memory_settings(settings: Settings, *, recall_models: Path | None = None) -> MemorySettings:
    """Return memory's slice of the settings, with a folder of recall's weights in place of the configured ones."""
    return MemorySettings(
        embedding_model=settings.embedding_model or BUNDLED_MODEL,
        max_tail_turns=settings.max_tail_turns,
        index_timeout_s=settings.index_timeout_s,
        hot_vectors_mb=settings.hot_vectors_mb,
        max_waiting_questions=settings.max_waiting_questions,
        recall_models=recall_models or settings.recall_models or MODELS,
    )
