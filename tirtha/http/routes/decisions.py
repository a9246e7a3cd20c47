"""How earlier questions were answered, one by one and all together."""

from fastapi import APIRouter

from tirtha.http.dependencies import CalledBy, Served
from tirtha.http.schemas.answers import DecisionOut, StatsOut
from tirtha.http.schemas.fields import ItemId
from tirtha.http.strict_route import StrictRoute

__all__ = ["router"]

router = APIRouter(route_class=StrictRoute)


@router.get("/v1/decisions/{decision_id:id}")
async def decision(decision_id: ItemId, service: Served, caller: CalledBy) -> DecisionOut:
    """Read how an earlier question was answered."""
    found = await service.decision(caller, decision_id)
    return DecisionOut.of(found, await service.feedback(caller, decision_id))


@router.get("/v1/stats")
async def stats(service: Served, caller: CalledBy) -> StatsOut:
    """Add up the decisions: where requests ended, what they cost, how long they took."""
    return StatsOut.of(await service.stats(caller))
