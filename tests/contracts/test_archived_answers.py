"""What any database must do under an archive of answers: those in force, put back for the memory as it is then."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cascade import Ledger
from cascade.decision import Hashes
from cascade.storage.archive import ArchivedAnswer, ArchivedDecision, archived_answers
from cascade.storage.cache import AnswerCache, cache_key
from cascade.storage.ledger import Owner
from memory.storage.database import Database
from tests.support.archived_decisions import OWNER, decision, decisions_of, restoring

REQUEST = {"task": "memory", "question": "What is the cat called?"}


def key_at(epoch: int, owner: Owner = OWNER) -> Any:
    def key(request: Mapping[str, Any], hashes: Hashes) -> str:
        return cache_key(request, owner=owner, epoch=epoch, hashes=hashes)

    return key


def answers_of(opened: Database, epoch: int, owner: Owner = OWNER) -> list[ArchivedAnswer]:
    with opened.reading() as connection:
        return list(archived_answers(connection, owner, key_at(epoch, owner)))


async def stored_answer(opened: Database, *, epoch: int = 3) -> tuple[ArchivedDecision, ArchivedAnswer]:
    made, cache = await decision(), AnswerCache(opened, ttl=timedelta(days=1), max_bytes=10**6)
    await Ledger(opened).record(made, OWNER)
    await cache.put(key_at(epoch)(REQUEST, made.hashes), made, tenant="default", request=REQUEST)
    [one], [answer] = decisions_of(opened), answers_of(opened, epoch)
    return one, answer


async def test_only_answers_in_force_are_archived(opened: Database) -> None:
    _, answer = await stored_answer(opened)
    assert answer.request == REQUEST
    assert answers_of(opened, 4) == [], "the memory has changed since"
    made = await decision()
    await Ledger(opened).record(made, OWNER)
    late = AnswerCache(opened, ttl=timedelta(), max_bytes=10**6)
    await late.put(key_at(3)({"task": "code"}, made.hashes), made, tenant="default", request={"task": "code"})
    await late.put("keyless", made, tenant="default")
    assert answers_of(opened, 3) == [answer]


async def test_an_answer_is_put_back_for_the_memory_as_it_is_now(opened: Database) -> None:
    one, answer = await stored_answer(opened)
    theirs = Owner(tenant="other", user_id="u9", agent_id="a")
    own, key = restoring(opened), key_at(12, theirs)
    assert await own.answers(theirs, [answer], key) == ["undecided"]
    assert await own.decisions(theirs, [one]) == ["stored"]
    assert await own.answers(theirs, [answer], key) == ["stored"]
    assert await own.answers(theirs, [answer], key) == ["duplicate"]
    [copy] = answers_of(opened, 12, theirs)
    assert (copy.request, copy.stored_at, copy.expires_at) == (answer.request, answer.stored_at, answer.expires_at)
    cache = AnswerCache(opened, ttl=timedelta(days=1), max_bytes=10**6)
    served = await cache.get(key(REQUEST, Hashes(**one.record["hashes"])), tenant="other")
    assert served
    assert served.id == copy.decision_id != answer.decision_id
    assert await Ledger(opened).forget(theirs, None) == 1
    assert answers_of(opened, 12, theirs) == []
    assert answers_of(opened, 3) == [answer]


async def test_answers_that_cannot_be_served_are_left_out(opened: Database) -> None:
    _, answer = await stored_answer(opened)
    key = key_at(9)
    past = replace(answer, expires_at=datetime.now(UTC) - timedelta(seconds=1))
    assert await restoring(opened).answers(OWNER, [past], key) == ["expired"]
    assert await restoring(opened, max_bytes=10).answers(OWNER, [answer], key) == ["too large"]
    unverified = replace(await decision(), verified=False)
    await Ledger(opened).record(unverified, OWNER)
    assert await restoring(opened).answers(OWNER, [replace(answer, decision_id=unverified.id)], key) == ["undecided"]
    for_ever = replace(answer, expires_at=datetime.max.replace(tzinfo=UTC))
    assert await restoring(opened, days=1).answers(OWNER, [for_ever], key) == ["stored"]
    [kept] = answers_of(opened, 9)
    assert kept.expires_at <= datetime.now(UTC) + timedelta(days=1)
