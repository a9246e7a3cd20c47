"""What any database must do under the audit log."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from memory.errors import StoreUnavailable
from memory.storage.database import Database
from tirtha.audit.entries import AuditQuery, Entry
from tirtha.audit.log import AuditLog
from tirtha.audit.reading import ReadAudit
from tirtha.caller import Caller, local_caller
from tirtha.errors import Forbidden, NotAudited

OURS, OTHERS = local_caller(), local_caller("other")
WITH_KEY = Caller(tenant="default", rights=frozenset({"read", "write"}), key_id="k1")


@pytest.fixture
def lost() -> list[int]:
    """How many entries were lost, time by time."""
    return []


@pytest.fixture
def audit(opened: Database, lost: list[int]) -> AuditLog:
    return AuditLog(opened, on_failure=lost.append)


@contextmanager
def no_table(opened: Database) -> Iterator[None]:
    """Have the log's table out of the way."""
    with opened.writing() as connection:
        connection.execute(text("ALTER TABLE audit_entry RENAME TO away"))
    yield
    with opened.writing() as connection:
        connection.execute(text("ALTER TABLE away RENAME TO audit_entry"))


async def entries_of(audit: AuditLog, tenant: str = "default", **query: object) -> list[Entry]:
    return await audit.read(tenant, AuditQuery(**query))  # type: ignore[arg-type]


async def test_a_change_is_noted_with_who_and_when(audit: AuditLog) -> None:
    before = datetime.now(UTC)
    await audit.record(WITH_KEY, what="remember", user_id="u1", agent_id="a1", count=3)
    [entry] = await entries_of(audit)
    assert (entry.what, entry.tenant, entry.key_id, entry.user_id, entry.agent_id) == (
        "remember",
        "default",
        "k1",
        "u1",
        "a1",
    )
    assert (entry.count, entry.user_hash, entry.request_id) == (3, None, None)
    assert before <= entry.at <= datetime.now(UTC)
    assert entry.at.tzinfo is not None


async def test_entries_are_found_by_user_kind_and_time_the_newest_first(audit: AuditLog) -> None:
    await audit.record(OURS, what="remember", user_id="u1")
    await audit.record(OURS, what="remember", user_id="u2")
    middle = datetime.now(UTC)
    await audit.record(OURS, what="key.created")
    await audit.record(OURS, what="forget.turn", user_id="u1")
    assert [one.what for one in await entries_of(audit)] == ["forget.turn", "key.created", "remember", "remember"]
    assert [one.what for one in await entries_of(audit, user_id="u1")] == ["forget.turn", "remember"]
    assert [one.user_id for one in await entries_of(audit, what="remember")] == ["u2", "u1"]
    assert [one.what for one in await entries_of(audit, since=middle)] == ["forget.turn", "key.created"]
    assert [one.user_id for one in await entries_of(audit, until=middle)] == ["u2", "u1"]
    newest = (await entries_of(audit))[0]
    assert await entries_of(audit, since=newest.at, until=newest.at) == [], "`until` itself is not in it"
    assert (await entries_of(audit, since=newest.at, until=newest.at + timedelta(microseconds=1)))[0] == newest


async def test_a_tenant_reads_its_own_entries_only_and_only_its_admin_does(audit: AuditLog) -> None:
    await audit.record(OURS, what="remember", user_id="u1")
    await audit.record(OTHERS, what="forget.user", user_id="u1")
    read = ReadAudit(log=audit)
    assert [one.what for one in (await read(OURS, AuditQuery())).entries] == ["remember"]
    assert [one.what for one in (await read(OTHERS, AuditQuery(user_id="u1"))).entries] == ["forget.user"]
    with pytest.raises(Forbidden):
        await read(WITH_KEY, AuditQuery())


async def test_pages_have_each_entry_once(audit: AuditLog) -> None:
    for number in range(5):
        await audit.record(OURS, what="remember", user_id=f"u{number}")
    read, seen, before, sizes = ReadAudit(log=audit), [], None, []
    while True:
        page = await read(OURS, AuditQuery(limit=2, before=before))
        seen += [one.user_id for one in page.entries]
        sizes.append(len(page.entries))
        await audit.record(OURS, what="import", user_id="late")
        if page.end is None:
            break
        before = page.end
    assert seen == ["u4", "u3", "u2", "u1", "u0"], "what is noted meanwhile stands before the first page"
    assert sizes == [2, 2, 1]


async def test_who_was_forgotten_is_named_no_more_and_found_all_the_same(audit: AuditLog, opened: Database) -> None:
    for caller in (OURS, OTHERS):
        await audit.record(caller, what="remember", user_id="someone@example.org")
        await audit.record(caller, what="remember", user_id="u2")
    await audit.forget_user("default", "someone@example.org")
    await audit.forget_user("default", "someone@example.org")
    entries = await entries_of(audit, user_id="someone@example.org")
    assert [(one.user_id, one.what) for one in entries] == [(None, "remember")]
    assert [one.user_id for one in await entries_of(audit, "other")] == ["u2", "someone@example.org"], (
        "another tenant's"
    )
    with opened.reading() as connection:
        rows = connection.execute(text("SELECT * FROM audit_entry WHERE tenant_id = 'default'")).all()
        salts = connection.execute(text("SELECT salt FROM audit_salt")).all()
    assert "someone" not in str(rows)
    assert len(salts) == 1
    await audit.record(OURS, what="remember", user_id="someone@example.org")
    again = await entries_of(audit, user_id="someone@example.org")
    assert [one.user_id for one in again] == ["someone@example.org", None], "who comes back is a user again"


async def test_the_same_name_has_another_hash_in_another_tenant(audit: AuditLog) -> None:
    for caller in (OURS, OTHERS):
        await audit.record(caller, what="remember", user_id="u1")
        await audit.forget_user(caller.tenant, "u1")
    [ours], [others] = await entries_of(audit), await entries_of(audit, "other")
    assert ours.user_hash
    assert others.user_hash
    assert ours.user_hash != others.user_hash


async def test_a_log_that_cannot_be_written_says_so_until_it_can(
    audit: AuditLog, opened: Database, lost: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    await audit.check()
    with no_table(opened):
        audit.write([audit.change(OURS, what="remember", user_id="secret-user", count=n) for n in (2, 3)])
        assert lost == [2]
        [line] = [one.getMessage() for one in caplog.records if one.levelname == "ERROR"]
        assert "remember of 2, remember of 3" in line
        assert "secret-user" not in line
        with pytest.raises(NotAudited):
            await audit.check()
    await audit.check()
    await audit.check()
    assert await entries_of(audit) == [], "trying leaves nothing"
    await audit.record(OURS, what="remember", user_id="u1")
    assert [one.user_id for one in await entries_of(audit)] == ["u1"]
    assert lost == [2]


async def test_a_name_is_not_forgotten_in_silence(audit: AuditLog, opened: Database) -> None:
    await audit.record(OURS, what="remember", user_id="u1")
    with no_table(opened), pytest.raises((StoreUnavailable, ProgrammingError)):
        await audit.forget_user("default", "u1")
