"""Listing: the users of a tenant, the sessions, turns and standing instructions of a user, and one turn; a page at a time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar

from memory import Instruction, SessionSummary, Turn, TurnCursor, TurnPk, UserSummary
from memory.api import Memory
from tirtha.caller import Caller
from tirtha.errors import SessionNeeded
from tirtha.operations.limits import Limits

__all__ = [
    "MOST_FOUND",
    "FoundSoFar",
    "InstructionCursor",
    "InstructionsRequest",
    "ListInstructions",
    "ListSessions",
    "ListTurns",
    "ListUsers",
    "Page",
    "ReadTurn",
    "SearchRequest",
    "SearchTurns",
    "SessionsRequest",
    "TurnRequest",
    "TurnsRequest",
    "UsersRequest",
    "page_of",
]

MOST_FOUND = 300  # turns of a search, over all its pages: recall ranks hundreds, and a cursor names all that were shown

InstructionCursor = tuple[datetime, TurnPk, int]  # when the last one was said, in which turn, and where in it
FoundSoFar = tuple[datetime, list[TurnPk]]  # when a search began, and the turns that its pages have shown
T = TypeVar("T")
P = TypeVar("P")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T, P]):
    """A page of a listing, and the place that the next one begins after; None on the last page."""

    items: Sequence[T]
    end: P | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UsersRequest:
    """Up to `limit` users, from after the name `after`."""

    limit: int = 100
    after: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionsRequest:
    """Up to `limit` sessions of a user, from after the place `after`."""

    user_id: str
    agent_id: str | None = None
    limit: int = 100
    after: TurnCursor | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InstructionsRequest:
    """Up to `limit` standing instructions of a user, or of one session, from after the place `after`."""

    user_id: str
    agent_id: str | None = None
    session_id: str | None = None
    limit: int = 100
    after: InstructionCursor | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnsRequest:
    """Up to `limit` turns of a user, or of one session, from after the place `after`."""

    user_id: str
    agent_id: str | None = None
    session_id: str | None = None
    limit: int = 100
    after: TurnCursor | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnRequest:
    """One turn of a user; its session may be left out if no other has a turn of this id."""

    user_id: str
    agent_id: str | None = None
    session_id: str | None = None
    turn_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRequest:
    """Up to `limit` turns of a user, or of one session, that say most on `query`; after those that earlier pages showed."""

    user_id: str
    agent_id: str | None = None
    session_id: str | None = None
    query: str
    limit: int = 100
    after: FoundSoFar | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListUsers:
    """List users. Raises StoreUnavailable."""

    memory: Memory

    async def __call__(self, caller: Caller, request: UsersRequest) -> Page[UserSummary, str]:
        """Return the users of the caller's tenant of whom something is remembered, by name; of a bound caller only that user."""
        caller.require("read")
        found = await self.memory.users(
            caller.tenant, only=caller.user_id, limit=request.limit + 1, after=request.after
        )
        return page_of(found, request.limit, lambda user: user.user_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSessions:
    """List sessions. Raises StoreUnavailable."""

    memory: Memory

    async def __call__(self, caller: Caller, request: SessionsRequest) -> Page[SessionSummary, TurnCursor]:
        """Return the sessions, oldest first."""
        caller.require("read")
        scope = caller.scope(request.user_id, request.agent_id)
        found = await self.memory.sessions(scope, limit=request.limit + 1, after=request.after)
        return page_of(found, request.limit, lambda session: (session.started_at, session.first_pk))


@dataclass(frozen=True, slots=True, kw_only=True)
class ListTurns:
    """List turns. Raises StoreUnavailable."""

    memory: Memory

    async def __call__(self, caller: Caller, request: TurnsRequest) -> Page[Turn, TurnCursor]:
        """Return the turns, oldest first."""
        caller.require("read")
        scope = caller.scope(request.user_id, request.agent_id)
        found = await self.memory.turns(
            scope, session_id=request.session_id, after=request.after, limit=request.limit + 1
        )
        return page_of(found, request.limit, lambda turn: (turn.said_at, turn.pk))


@dataclass(frozen=True, slots=True, kw_only=True)
class ListInstructions:
    """List what users want always. Raises StoreUnavailable."""

    memory: Memory

    async def __call__(self, caller: Caller, request: InstructionsRequest) -> Page[Instruction, InstructionCursor]:
        """Return the instructions, newest first, also those that are switched off or replaced."""
        caller.require("read")
        found = await self.memory.instructions.of_scope(caller.scope(request.user_id, request.agent_id))
        if request.session_id is not None:
            found = [one for one in found if one.turn.session_id == request.session_id]
        if request.after is not None:
            last = _newest_first(request.after)
            found = [one for one in found if _newest_first(_place(one)) > last]
        return page_of(found[: request.limit + 1], request.limit, _place)


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchTurns:
    """Find turns, a page at a time. Raises TooLarge and StoreUnavailable.

    A ranking has no places that outlive a change of the memory. So every page ranks anew and leaves out what was shown: no turn
    comes twice, and none that is still there is passed over.
    """

    memory: Memory
    limits: Limits

    async def __call__(self, caller: Caller, request: SearchRequest) -> Page[Turn, FoundSoFar]:
        """Return the turns that say most on the query, best first; `MOST_FOUND` of them over all pages."""
        caller.require("read")
        self.limits.check_question(request.query, "query")
        asked_at, shown = request.after or (datetime.now(UTC), [])
        scope = caller.scope(request.user_id, request.agent_id)
        if request.session_id is None:
            found = await self.memory.recall(scope, request.query, asked_at)
        else:
            found = await self.memory.recall_session(scope, request.session_id, request.query, asked_at)
        ranked = {evidence.turn.pk: evidence.turn for evidence in found.evidence}
        for pk in shown:
            ranked.pop(pk, None)
        left = list(ranked.values())[: MOST_FOUND - len(shown)]
        items = left[: request.limit]
        end = (asked_at, [*shown, *(turn.pk for turn in items)])
        return Page(items=items, end=end if len(left) > len(items) else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadTurn:
    """Read one turn. Raises SessionNeeded and StoreUnavailable."""

    memory: Memory

    async def __call__(self, caller: Caller, request: TurnRequest) -> Turn | None:
        """Return the turn; None if it is not remembered. Never one of two that the id may mean."""
        caller.require("read")
        scope = caller.scope(request.user_id, request.agent_id)
        if request.session_id is not None:
            return await self.memory.turn(scope, request.session_id, request.turn_id)
        named = await self.memory.turns_named(scope, request.turn_id, limit=2)
        if len(named) > 1:
            raise SessionNeeded(request.turn_id)
        return named[0] if named else None


def _place(one: Instruction) -> InstructionCursor:
    return one.turn.said_at, one.turn.pk, one.start


def _newest_first(place: InstructionCursor) -> tuple[float, int, int]:
    moment, pk, start = place
    return -moment.timestamp(), -pk, start


def page_of(found: Sequence[T], limit: int, place: Callable[[T], P]) -> Page[T, P]:
    """Make a page of one more item than it has room for, which says that there is another page."""
    items = found[:limit]
    return Page(items=items, end=place(items[-1]) if len(found) > limit else None)
