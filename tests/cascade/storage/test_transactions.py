"""A ledger whose database fails: what the caller is told, what is kept, and what is not taken for an outage."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from cascade import Ledger
from cascade.errors import LedgerUnavailable, UnknownDecision
from cascade.storage.cache import AnswerCache
from tests.contracts.test_ledger import OWNER, decision
from tests.support.disk import small_disk, write_until_full
from tests.support.memory import database_in


async def test_a_full_disk_keeps_decisions_and_answers_out_and_lets_them_be_read(tmp_path: Path) -> None:
    first, second = await decision(), await decision()
    with small_disk(tmp_path / "disk") as disk, database_in(disk / "home") as database:
        ledger, cache = Ledger(database), AnswerCache(database, ttl=timedelta(days=1), max_bytes=10**6)
        await ledger.record(first, OWNER)
        write_until_full(disk / "filler")
        with pytest.raises(LedgerUnavailable, match="full"):
            await ledger.record(second, OWNER)
        with pytest.raises(LedgerUnavailable, match="full"):
            await cache.put("k", first, tenant="default")
        assert await ledger.read(first.id, tenant="default") == first
        assert await cache.get("k", tenant="default") is None
        with pytest.raises(UnknownDecision):
            await ledger.read(second.id, tenant="default")
        (disk / "filler").unlink()
        await ledger.record(second, OWNER)
        await cache.put("k", first, tenant="default")
        assert await ledger.read(second.id, tenant="default") == second
        assert await cache.get("k", tenant="default") == first


async def test_a_decision_that_is_recorded_twice_is_a_bug_and_no_outage(tmp_path: Path) -> None:
    made = await decision()
    with database_in(tmp_path) as database:
        await Ledger(database).record(made, OWNER)
        with pytest.raises(IntegrityError):
            await Ledger(database).record(made, OWNER)
