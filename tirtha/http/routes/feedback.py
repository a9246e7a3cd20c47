"""Whether answers were right: said of one decision, and listed."""

from typing import Annotated

from fastapi import APIRouter, Query

from tirtha.http.cursors import FEEDBACK
from tirtha.http.dependencies import Reader, Served, Writer
from tirtha.http.schemas.feedback import FeedbackIn, FeedbackOut, FeedbackQuery, FeedbacksOut
from tirtha.http.schemas.fields import ItemId
from tirtha.http.strict_route import StrictRoute

__all__ = ["router"]

router = APIRouter(route_class=StrictRoute)


@router.post("/v1/decisions/{decision_id:id}/feedback")
async def give_feedback(decision_id: ItemId, body: FeedbackIn, service: Served, caller: Writer) -> FeedbackOut:
    """Say whether the answer of a decision was right; the last word counts."""
    return FeedbackOut.of(await service.give_feedback(caller, decision_id, correct=body.correct))


@router.get("/v1/feedback")
async def list_feedback(query: Annotated[FeedbackQuery, Query()], service: Served, caller: Reader) -> FeedbacksOut:
    """List the decisions that were judged, by their ids."""
    filters = (caller.tenant,)
    page = await service.feedbacks(caller, query.request(FEEDBACK.read(query.cursor, filters)))
    return FeedbacksOut(feedback=[FeedbackOut.of(one) for one in page.items], next=FEEDBACK.write(page.end, filters))
