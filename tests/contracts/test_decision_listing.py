"""What any database must do where decisions are listed: newest first, page by page, by user, path and time."""

from dataclasses import replace
from typing import Any

from cascade import Ledger
from cascade.storage.ledger import Owner
from cascade.storage.listing import DecisionFilter
from memory.storage.database import Database
from tests.support.archived_decisions import OWNER, decision


async def test_decisions_are_listed_newest_first_while_others_arrive(opened: Database) -> None:
    ledger = Ledger(opened)
    made = [await decision(seconds=n // 2) for n in range(9)]
    for one in made[:7]:
        await ledger.record(one, OWNER)
    await ledger.record(made[7], Owner(tenant="other", user_id="u1"))
    await ledger.record(replace(made[8], path="abstain"), Owner(tenant="default", user_id="u2", agent_id="a"))
    chosen = DecisionFilter(tenant="default", user_id="u1")
    seen, after = [], None
    while page := await ledger.page(chosen, limit=2, after=after):
        seen += [one.decision.id for one in page]
        after = (page[-1].decision.decided_at, page[-1].decision.id)
        await ledger.record(await decision(seconds=1_000 + len(seen)), OWNER)  # newer than what was seen
    expected = sorted(made[:7], key=lambda one: (one.decided_at, one.id), reverse=True)
    assert seen == [one.id for one in expected]

    async def found(**filters: Any) -> list[str | None]:
        page = await ledger.page(DecisionFilter(tenant="default", **filters), limit=100)
        return [one.user_id for one in page]

    assert await found(path="abstain") == await found(abstained=True) == await found(user_id="u2") == ["u2"]
    assert await found(user_id="u2", agent_id="b") == []
    assert "u2" not in await found(abstained=False)
    bounds = {"since": made[2].decided_at, "until": made[4].decided_at}
    assert len(await found(**bounds)) == 2
    assert await ledger.forget(Owner(tenant="default", user_id="u2", agent_id="a"), None) == 1
    assert "u2" not in await found()
