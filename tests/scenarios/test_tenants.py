"""Stories of tenants: one floods, one has spent its money, one may not ask the expensive model."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import httpx

from memory import NewTurn
from memory.encoding.encoder import Encoder
from tests.scenarios.test_cascade import CODE, FRONTIER, LOCAL, ask, house, nothing, right, wrong
from tests.support.chat_server import says
from tests.support.exports import NDJSON
from tirtha.caller import Caller, local_caller
from tirtha.operations.recall import RecallRequest
from tirtha.operations.remember import RememberRequest
from tirtha.service import Service
from tirtha.tenants.model import Assigned

FREE_LOCAL = {"TIRTHA_LOCAL_INPUT_USD_PER_MTOK": "0", "TIRTHA_LOCAL_OUTPUT_USD_PER_MTOK": "0"}
ONE_CALL = Decimal("0.000280")  # of the frontier tier: 100 tokens at 2 and 10 at 8 US$ a million


async def test_a_question_waits_for_a_couple_of_anothers_two_hundred(service: Service) -> None:
    flooding, quiet = local_caller("flooding"), local_caller("quiet")
    for caller in (flooding, quiet):
        await service.tenants.create(local_caller(), caller.tenant, Assigned())
        turns = [NewTurn(role="user", text=f"On day {n} my cat Miso caught {n} mice.") for n in range(300)]
        await service.remember(caller, RememberRequest(user_id="u1", session_id="s1", turns=turns, wait="indexed"))
    answered: list[str] = []

    async def recall(caller: Caller) -> None:
        request = RecallRequest(user_id="u1", question="How many mice did Miso catch on day 7?")
        assert await service.recall(caller, request)
        answered.append(caller.tenant)

    await recall(flooding)
    await recall(quiet)
    answered.clear()
    async with anyio.create_task_group() as tasks:
        for _ in range(200):
            tasks.start_soon(recall, flooding)
        await anyio.sleep(0.05)
        before = len(answered)
        await recall(quiet)
        waited_for = answered.index("quiet") - before
    assert waited_for <= 4, "those that ran, and the next one or two"
    assert len(answered) == 201


def spent(client: httpx.Client) -> Decimal:
    return Decimal(client.get("/v1/tenants/default").json()["spent_today_usd"])


def test_a_spending_cap_leaves_what_costs_nothing(tmp_path: Path, encoder: Encoder) -> None:
    home = tmp_path / "home"
    with house(home, encoder, **FREE_LOCAL) as (client, local, frontier):
        assert client.patch("/v1/tenants/default", json={"usd_per_day": "0.0005"}).status_code == 200
        local.script = wrong(LOCAL)
        first = ask(client)
        assert (first["path"], Decimal(first["cost_usd"])) == ("frontier", ONE_CALL)
        assert ask(client, budget=160)["path"] == "frontier"
        assert spent(client) == 2 * ONE_CALL
        asked = len(frontier.requests)

        local.script = nothing(LOCAL)
        capped = ask(client, budget=150)
        assert (capped["path"], Decimal(capped["cost_usd"])) == ("abstain", Decimal(0))
        assert "today's spending cap of US$ 0.000500 is reached" in capped["reason"]
        local.script = right(LOCAL)
        free = ask(client, budget=150)
        assert (free["path"], free["cached"], free["answer"]) == ("local", False, "Miso"), (
            "a capped end is not served again"
        )
        assert ask(client)["path"] == "cache", "what was paid for already is served"
        local.script = lambda request: says("```python\ndef add(a, b):\n    return 0\n```", model=LOCAL)
        code = client.post("/v1/ask", json=CODE).json()
        assert code["path"] == "abstain"
        assert "spending cap" in code["reason"]
        assert (len(frontier.requests), spent(client)) == (asked, 2 * ONE_CALL)

    with house(home, encoder, **FREE_LOCAL) as (client, local, frontier):
        local.script = wrong(LOCAL)
        assert spent(client) == 2 * ONE_CALL, "a restart forgets nothing"
        assert ask(client, budget=140)["path"] == "abstain"
        assert frontier.requests == []
        client.patch("/v1/tenants/default", json={"usd_per_day": "1"})
        assert ask(client, budget=140)["path"] == "frontier", "the capped end is not served again"


def test_what_was_spent_elsewhere_leaves_the_cap_as_it_is(tmp_path: Path, encoder: Encoder) -> None:
    with house(tmp_path / "there", encoder, **FREE_LOCAL) as (client, local, _):
        local.script = wrong(LOCAL)
        assert ask(client)["path"] == "frontier"
        whole = client.get("/v1/export?user_id=u1").content
        client.delete("/v1/users/u1")
        assert client.post("/v1/import", content=whole, headers=NDJSON).json()["decisions"]["stored"] == 1
        assert spent(client) == ONE_CALL, "forgotten and imported again, it was spent here all the same"
    with house(tmp_path / "here", encoder, **FREE_LOCAL) as (client, local, frontier):
        client.patch("/v1/tenants/default", json={"usd_per_day": "0.0002"})
        assert client.post("/v1/import", content=whole, headers=NDJSON).json()["decisions"]["stored"] == 1
        assert spent(client) == 0
        local.script = wrong(LOCAL)
        assert (ask(client, budget=150)["path"], len(frontier.requests)) == ("frontier", 1)
        assert spent(client) == ONE_CALL
        assert ask(client, budget=140)["path"] == "abstain"
        assert Decimal(client.get("/v1/stats").json()["cost_usd"]) == 2 * ONE_CALL


def test_without_a_free_model_quotes_remain(tmp_path: Path, encoder: Encoder) -> None:
    with house(tmp_path / "home", encoder) as (client, local, frontier):
        client.patch("/v1/tenants/default", json={"usd_per_day": 0})
        quoted = ask(client)
        assert (quoted["path"], quoted["tier"]) == ("extractive", "extractive")
        assert "Miso" in quoted["answer"]
        assert "spending cap" in quoted["reason"]
        code = client.post("/v1/ask", json=CODE)
        assert (code.status_code, code.json()["path"]) == (200, "abstain")
        assert (local.requests, frontier.requests) == ([], [])


def test_policies_of_a_tenant(tmp_path: Path, encoder: Encoder) -> None:
    def policies(client: httpx.Client, **values: Any) -> None:
        assert client.patch("/v1/tenants/default", json=values).status_code == 200

    with house(tmp_path / "home", encoder) as (client, local, frontier):
        local.script = wrong(LOCAL)
        policies(client, max_tier="local")
        abstained = ask(client)
        assert (abstained["path"], frontier.requests) == ("abstain", [])
        policies(client, unverified="serve")
        served = ask(client)
        assert (served["answer"], served["verified"]) == ("Bella", False)
        policies(client, unverified=None, max_tier="extractive")
        calls = len(local.requests)
        assert (ask(client)["path"], len(local.requests)) == ("extractive", calls)
        policies(client, max_tier=None)
        assert ask(client)["path"] == "frontier"
        assert frontier.requests[0]["model"] == FRONTIER
