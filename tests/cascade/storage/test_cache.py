"""What the cache of answers refuses, and what it does not believe. What any database must do under it: `tests/contracts`."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from cascade import Ledger
from cascade.storage.cache import AnswerCache
from tests.contracts.test_ledger import OWNER, decision
from tests.support.memory import database_in


async def test_an_answer_that_was_not_accepted_is_never_stored(tmp_path: Path) -> None:
    made = replace(await decision(), verified=False)
    with database_in(tmp_path) as database:
        cache = AnswerCache(database, ttl=timedelta(days=1), max_bytes=10**6)
        await Ledger(database).record(made, OWNER)
        with pytest.raises(ValueError, match="only accepted answers"):
            await cache.put("k", made, tenant="default")
        assert await cache.size() == (0, 0)


async def test_a_record_that_another_version_wrote_is_answered_anew(tmp_path: Path) -> None:
    made = await decision()
    with database_in(tmp_path) as database:
        cache = AnswerCache(database, ttl=timedelta(days=1), max_bytes=10**6)
        await Ledger(database).record(made, OWNER)
        await cache.put("k", made, tenant="default")
        with database.writing() as connection:
            connection.execute(text('UPDATE decision SET record = \'{"path": "by another way"}\''))
        assert await cache.get("k", tenant="default") is None
