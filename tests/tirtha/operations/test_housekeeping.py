"""Retention and deletion, by the rounds: what is too old leaves with every copy, what is not stays, and a crash loses no step."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cascade.errors import UnknownDecision
from cascade.storage.ledger import Owner
from memory import NewTurn
from memory.errors import TenantClosed
from tests.support.leftovers import in_files, in_index, in_rows, word
from tirtha.caller import Caller, local_caller
from tirtha.operations.ask import AskRequest
from tirtha.operations.listing import TurnsRequest
from tirtha.operations.remember import RememberRequest
from tirtha.operations.tenancy.housekeeping import Housekeeping, Removed
from tirtha.service import Service
from tirtha.settings import Settings
from tirtha.tenants.model import Assigned

OWN, OTHER = local_caller(), local_caller("other")
QUESTION = "What is my cat called?"


def after(days: float) -> Callable[[], datetime]:
    """A clock that is so many days ahead."""
    return lambda: datetime.now(UTC) + timedelta(days=days)


def ahead(service: Service, days: float) -> Housekeeping:
    return replace(service.housekeeping, now=after(days))


async def store_turns(service: Service, caller: Caller, *texts: str, **more: Any) -> None:
    turns = [NewTurn(role="user", text=text) for text in texts]
    await service.remember(caller, RememberRequest(user_id="u1", session_id="s1", turns=turns, **more))


async def held(service: Service, caller: Caller) -> list[str]:
    return [turn.text for turn in (await service.turns(caller, TurnsRequest(user_id="u1"))).items]


async def test_old_turns_leave_with_every_copy(service: Service, settings: Settings) -> None:
    cat = f"My cat is called {word(7)}."
    await service.tenants.create(OWN, "other", Assigned())
    await service.tenants.assign(OWN, "default", {"turns_days": 30})
    await store_turns(service, OWN, cat, *(f"Note {n}." for n in range(120)), wait="indexed")
    await store_turns(service, OTHER, "My cat is called Rex.")
    decision = (await service.ask(OWN, AskRequest(user_id="u1", question=QUESTION))).decision
    assert word(7) in decision.answer
    assert await ahead(service, 29.9).round() == Removed()
    assert await ahead(service, 30.1).round() == Removed(turns=121)
    assert await held(service, OWN) == []
    assert await held(service, OTHER) == ["My cat is called Rex."]
    with pytest.raises(UnknownDecision):
        await service.decision(OWN, decision.id)
    again = (await service.ask(OWN, AskRequest(user_id="u1", question=QUESTION))).decision
    assert (again.path, again.answer) == ("abstain", "That is not in memory.")
    assert in_files(settings.folder, [7]) == []
    assert in_index(settings.folder, [7]) == []
    assert (await service.stats(OWN)).n == 2, "decisions are kept for a time of their own"


async def test_what_is_stored_lately_stays_though_it_was_said_long_ago(service: Service) -> None:
    await service.tenants.assign(OWN, "default", {"turns_days": 1})
    long_ago = datetime(1999, 1, 1, tzinfo=UTC)
    turn = NewTurn(role="user", text="My cat is called Miso.", said_at=long_ago)
    await service.remember(OWN, RememberRequest(user_id="u1", session_id="s1", turns=[turn]))
    assert await service.housekeeping.round() == Removed()
    assert len(await held(service, OWN)) == 1


async def test_old_decisions_leave(service: Service) -> None:
    await service.tenants.assign(OWN, "default", {"decisions_days": 7})
    await store_turns(service, OWN, "My cat is called Miso.")
    decision = (await service.ask(OWN, AskRequest(user_id="u1", question=QUESTION))).decision
    assert await ahead(service, 6.9).round() == Removed()
    assert (await service.decision(OWN, decision.id)).answer == decision.answer
    assert await ahead(service, 7.1).round() == Removed(decisions=1)
    assert (await service.stats(OWN)).n == 0
    answered = await service.ask(OWN, AskRequest(user_id="u1", question=QUESTION))
    assert (answered.cache, len(await held(service, OWN))) == ("miss", 1)


async def test_old_rows_of_the_audit_log_leave_by_whoever_keeps_it(service: Service) -> None:
    rows = {"default": 450, "other": 3}
    asked: list[datetime] = []

    async def expire(tenant: str, before: datetime, limit: int) -> int:
        asked.append(before)
        removed = min(limit, rows[tenant])
        rows[tenant] -= removed
        return removed

    keeper = replace(service.housekeeping, audit=expire)
    await service.tenants.create(OWN, "other", Assigned())
    assert await keeper.round() == Removed()
    await service.tenants.assign(OWN, "default", {"audit_days": 10})
    assert await keeper.round() == Removed(audit=450)
    assert rows == {"default": 0, "other": 3}
    assert abs(datetime.now(UTC) - timedelta(days=10) - asked[0]) < timedelta(minutes=1)


async def test_a_round_goes_on_where_a_crash_left_off(service: Service) -> None:
    await service.tenants.assign(OWN, "default", {"turns_days": 30})
    await store_turns(service, OWN, "My cat is called Miso.")
    decision = (await service.ask(OWN, AskRequest(user_id="u1", question=QUESTION))).decision
    owner = Owner(tenant="default", user_id="u1")
    names = [(quote.session_id, quote.turn_id) for quote in decision.brief.quotes]
    await service.housekeeping.ledger.forget(owner, names)  # as a crash after the first step leaves it
    assert await ahead(service, 31).round() == Removed(turns=1)
    assert await held(service, OWN) == []


async def test_what_is_being_answered_meanwhile_is_notified(service: Service) -> None:
    await service.tenants.assign(OWN, "default", {"turns_days": 30})
    await store_turns(service, OWN, "My cat is called Miso.")
    under_way = service.housekeeping.under_way
    with under_way.reading(Owner(tenant="default", user_id="u1")) as reading:
        await ahead(service, 31).round()
        assert [session for session, _ in reading.forgotten] == ["s1"]


async def test_a_deletion_that_was_cut_short_is_ended_by_the_next_round(service: Service, settings: Settings) -> None:
    await service.tenants.create(OWN, "other", Assigned())
    await store_turns(service, OTHER, f"My cat is called {word(8)}.", wait="indexed")
    await service.ask(OTHER, AskRequest(user_id="u1", question=QUESTION))
    await service.admission.tenants.begin_deleting("other")
    assert await service.housekeeping.round() == Removed(tenants=1)
    assert await service.admission.tenants.find("other") is None
    with pytest.raises(TenantClosed):
        await store_turns(service, OTHER, "I come too late.")
    assert in_files(settings.folder, [8]) == []
    assert in_index(settings.folder, [8]) == []
    with service.housekeeping.tenants._database.reading() as connection:
        assert in_rows(connection, [8]) == []
    await service.tenants.create(OWN, "other", Assigned())
    await store_turns(service, OTHER, "I come in time.")
    assert await held(service, OTHER) == ["I come in time."]


async def test_other_packages_are_notified_of_a_deletion_before_anything_is_forgotten(service: Service) -> None:
    await service.tenants.create(OWN, "other", Assigned())
    await store_turns(service, OTHER, "My cat is called Miso.")
    seen: list[tuple[str, int]] = []

    async def forget_keys(tenant: str) -> None:
        seen.append((tenant, len(await held(service, OTHER))))

    await replace(service.delete_tenant, also=(forget_keys,))(OWN, "other", confirm="other")
    assert seen == [("other", 1)]


async def test_a_question_that_outlives_its_tenant_is_recorded_without_a_word(service: Service) -> None:
    await service.tenants.create(OWN, "other", Assigned())
    await store_turns(service, OTHER, "My cat is called Miso.")
    under_way = service.delete_tenant.under_way
    with under_way.reading(Owner(tenant="other", user_id="never listed")) as reading:
        await service.delete_tenant(OWN, "other", confirm="other")
        assert reading.forgotten == [(None, None)]


async def test_a_round_is_made_at_the_start(tmp_path: Path, service: Service) -> None:
    assert await service.housekeeping.round() == Removed()
