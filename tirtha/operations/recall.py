"""Recall: the turns that say most on a question, with the features behind each score.

To a request for work or advice, up to a quarter of them are instructions that its user wants followed always. They come last, their
score is 0, and their one feature is `standing`: how near they are to the request.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from memory import Evidence, Recollection, Turn, TurnPk
from memory.api import Memory
from tirtha.caller import Caller
from tirtha.observation.observer import Observer
from tirtha.operations.answering import owner_of
from tirtha.operations.as_of import AsOf, until
from tirtha.operations.limits import Limits
from tirtha.operations.under_way import UnderWay
from tirtha.tenants.admission import Admission

__all__ = ["RecallRequest", "RecallTurns", "RecalledTurn"]

_STANDING = 4  # one in so many turns may be an instruction


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallRequest:
    """A question over a user's memory; `asked_at` defaults to now, `limit` is of turns."""

    user_id: str
    agent_id: str | None = None
    question: str
    asked_at: datetime | None = None
    as_of: AsOf = None
    limit: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class RecalledTurn:
    """A turn that recall found, by its best passage, and the features that this was scored by."""

    turn: Turn
    best: Evidence
    features: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallTurns:
    """Find turns. Raises TooLarge, RateLimited, TooManyQuestions and StoreUnavailable."""

    memory: Memory
    limits: Limits
    under_way: UnderWay
    admission: Admission
    observer: Observer

    async def __call__(self, caller: Caller, request: RecallRequest) -> list[RecalledTurn]:
        """Return the `limit` turns that say most on the question, best first."""
        caller.require("read")
        self.limits.check_question(request.question)
        await self.admission.asking(caller.tenant, request.user_id)
        scope = caller.scope(request.user_id, request.agent_id)
        asked_at = request.asked_at or datetime.now(UTC)
        with self.under_way.reading(owner_of(scope)), self.observer.stage("recall"):
            found = await self.memory.recall(scope, request.question, asked_at, until=until(request.as_of, asked_at))
        wanted = _wanted(found, request.limit // _STANDING)
        best: dict[int, Evidence] = {}
        for evidence in found.evidence:
            if evidence.turn.pk not in wanted:
                best.setdefault(evidence.turn.pk, evidence)
            if len(best) == request.limit - len(wanted):
                break
        recalled = [RecalledTurn(turn=one.turn, best=one, features=found.features_of(one)) for one in best.values()]
        return [*recalled, *wanted.values()]


def _wanted(found: Recollection, most: int) -> dict[TurnPk, RecalledTurn]:
    """Return up to `most` turns with the instructions that are nearest to the request."""
    wanted: dict[TurnPk, RecalledTurn] = {}
    for one, near in zip(found.standing, found.nearness, strict=True):
        if len(wanted) < most:
            wanted.setdefault(one.turn.pk, RecalledTurn(turn=one.turn, best=one, features={"standing": near}))
    return wanted
