"""Feedback, as callers give it and as they get it back."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from cascade.storage.feedback import Feedback
from tirtha.http.cursors import LONGEST_CURSOR
from tirtha.http.schemas.fields import In
from tirtha.operations.feedback import FeedbackRequest

__all__ = ["FeedbackIn", "FeedbackOut", "FeedbackQuery", "FeedbacksOut"]


class FeedbackIn(In):
    """POST /v1/decisions/{id}/feedback: whether the answer was right."""

    correct: bool


class FeedbackQuery(BaseModel):
    """GET /v1/feedback."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=1_000)] = 100
    cursor: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_CURSOR)] | None = None

    def request(self, after: str | None) -> FeedbackRequest:
        """Return the request as the operation takes it."""
        return FeedbackRequest(limit=self.limit, after=after)


class FeedbackOut(BaseModel):
    """What was said of the answer of a decision."""

    decision_id: str
    correct: bool
    given_at: datetime

    @classmethod
    def of(cls, feedback: Feedback) -> Self:
        """Report a judgement."""
        return cls(decision_id=feedback.decision_id, correct=feedback.correct, given_at=feedback.given_at)


class FeedbacksOut(BaseModel):
    """200 of GET /v1/feedback."""

    feedback: list[FeedbackOut]
    next: str | None
