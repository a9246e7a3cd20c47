"""How earlier questions were answered, one by one and all together."""

from typing import Annotated

from fastapi import APIRouter, Query

from tirtha.http.cursors import DECISIONS
from tirtha.http.dependencies import Reader, Served
from tirtha.http.schemas.answers import DecisionOut, StatsOut
from tirtha.http.schemas.decisions import DecisionsOut, ListedDecisionOut
from tirtha.http.schemas.fields import ItemId
from tirtha.http.schemas.queries import DecisionsQuery
from tirtha.http.strict_route import StrictRoute

__all__ = ["router"]

router = APIRouter(route_class=StrictRoute)


@router.get("/v1/decisions")
async def decisions(query: Annotated[DecisionsQuery, Query()], service: Served, caller: Reader) -> DecisionsOut:
    """List how earlier questions were answered, newest first."""
    filters = (caller.tenant, *query.filters)
    page = await service.decisions(caller, query.request(DECISIONS.read(query.cursor, filters)))
    return DecisionsOut(
        decisions=[ListedDecisionOut.of(one) for one in page.items], next=DECISIONS.write(page.end, filters)
    )


@router.get("/v1/decisions/{decision_id:id}")
async def decision(decision_id: ItemId, service: Served, caller: Reader) -> DecisionOut:
    """Read how an earlier question was answered."""
    found = await service.decision(caller, decision_id)
    return DecisionOut.of(found, await service.feedback(caller, decision_id))


@router.get("/v1/stats")
async def stats(service: Served, caller: Reader) -> StatsOut:
    """Add up the decisions: where requests ended, what they cost, how long they took."""
    return StatsOut.of(await service.stats(caller))
