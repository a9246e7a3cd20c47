"""Decisions to archive, and what an archive of an owner's decisions holds."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import perf_counter

from cascade import Cascade, Decision
from cascade.decision import Call
from cascade.guards import CitationGuard
from cascade.model import Usage
from cascade.storage.archive import ArchivedDecision, archived_decisions
from cascade.storage.ledger import Owner
from cascade.storage.restoring import Restoring
from memory.storage.database import Database
from tests.support.briefs import brief, quote
from tests.support.tiers import OneContext

__all__ = ["OWNER", "decision", "decisions_of", "restoring"]

OWNER = Owner(tenant="default", user_id="u1")


async def decision(n: int = 2, *, seconds: int = 0) -> Decision:
    own = Cascade(guards=(), quote_guards=(CitationGuard(),), answerable_from=0.0)
    contexts = OneContext([brief("What is the cat called?", quote(n, "My cat is called Miso.", 1.0))])
    made = (await own.answer(contexts, budget=165, started_s=perf_counter())).decision
    call = Call(tier="local", model="m", usage=Usage(prompt_tokens=1), cost_nanousd=7, latency_ms=1)
    return replace(made, calls=(call,), decided_at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds))


def restoring(opened: Database, *, days: int = 2, max_bytes: int = 10**6) -> Restoring:
    return Restoring(database=opened, longest=timedelta(days=days), max_bytes=max_bytes)


def decisions_of(opened: Database, owner: Owner = OWNER) -> list[ArchivedDecision]:
    with opened.reading() as connection:
        return list(archived_decisions(connection, owner))
