"""Following a conversation that is sent whole each time: which of its turns are new, and which it has edited away.

A client of a chat endpoint holds the conversation and sends all of it, or its newest part, with every message. What the session
holds is compared with it by `alignment`. The session of a conversation without a name is found by what was said in it; nothing
that two conversations may share is ever replaced there: where it is not clear which one is meant, the turns begin a new session.

Turns are equal if role, speaker and text are. Turns that were replaced before do not count.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

from sqlalchemy import ColumnElement, Connection, select, update
from sqlalchemy.orm import aliased
from sqlmodel import col

from memory.model import Follow, Followed, NewTurn, Placed, Receipt, ScopeId, TurnOutcome, TurnPk
from memory.storage.forgetting import set_aside
from memory.storage.idempotency import content_hash
from memory.storage.intake.alignment import LEAST_RUN, Alignment, align, align_new
from memory.storage.schema import SessionRow, TurnRow
from memory.storage.statements import SCOPE_OWNED, owner
from memory.storage.tenancy import take_room
from memory.storage.writing import insert_turns, lock_scope, own_session, set_epoch

__all__ = ["follow", "place"]

_STANDS: ColumnElement[bool] = col(TurnRow.flag).is_distinct_from("replaced")
_SESSIONS_COMPARED = 32  # that hold one turn; bounds the work where hundreds of sessions begin with "hi"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """A turn that a session holds and that was not replaced."""

    pk: TurnPk
    key: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Session:
    """A session with its turns that stand."""

    pk: int
    key: str
    shared: bool
    turns: Sequence[_Held]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where a conversation stands: its session, None for a new one; the ids of its first turns, which are known; what it replaced.

    `shares` is the key of a session that was found by its content, if nothing of the conversation is new.
    """

    session_id: str | None
    known: tuple[str, ...] = ()
    replaced: tuple[TurnPk, ...] = ()
    shares: int | None = None


def follow(
    connection: Connection,
    request: Follow,
    *,
    most_turns: int | None,
    admit: Callable[[Connection, ScopeId], None],
) -> Followed:
    """Store what is new of a conversation, and flag what it replaced.

    Args:
        connection: a transaction that may write.
        request: the conversation, whole or its last turns.
        most_turns: how many turns the tenant may have in all; None for any number.
        admit: called before anything is written; it may refuse new turns of the scope by raising.

    Raises:
        TenantFull, TenantClosed: the tenant takes no more.
    """
    now = datetime.now(UTC)
    scope, epoch = lock_scope(connection, request.scope, now)
    found = _find_place(connection, scope, request)
    session_id = found.session_id or uuid4().hex
    new = [(turn, uuid4().hex) for turn in request.turns[len(found.known) :]]
    pks: list[TurnPk] = []
    if new:
        admit(connection, scope)
        session = own_session(connection, scope, session_id)
        pks = insert_turns(connection, new, scope=scope, session=session, now=now)
    if found.replaced:
        set_aside(connection, scope, found.replaced)
    if found.shares is not None:
        connection.execute(update(SessionRow).where(col(SessionRow.id) == found.shares).values(shared=True))
    if new or found.replaced:
        epoch += 1
        set_epoch(connection, scope, epoch)
    if new:
        take_room(connection, request.scope.tenant, len(new), most=most_turns)
    outcomes: list[TurnOutcome] = [
        "stored" if place >= len(found.known) else "duplicate" for place in range(len(request.turns))
    ]
    receipt = Receipt(
        scope_id=scope,
        session_id=session_id,
        turn_ids=(*found.known, *(key for _, key in new)),
        outcomes=tuple(outcomes),
        stored=tuple(pks),
        epoch=epoch,
    )
    return Followed(receipt=receipt, replaced=len(found.replaced))


def place(connection: Connection, request: Follow) -> Placed:
    """Return what `follow` would do, without a change."""
    known = connection.execute(SCOPE_OWNED, owner(request.scope)).first()
    if known is None:
        return Placed(session_id=request.session_id, new=len(request.turns), replaced=0)
    found = _find_place(connection, ScopeId(known[0]), request)
    return Placed(session_id=found.session_id, new=len(request.turns) - len(found.known), replaced=len(found.replaced))


def _find_place(connection: Connection, scope: ScopeId, request: Follow) -> _Place:
    """Compare a request with what `scope` holds. Writes nothing."""
    sent = [content_hash(turn) for turn in request.turns]
    if not sent:
        return _Place(session_id=request.session_id)
    if request.session_id is None:
        found = _find_session(connection, scope, request, sent)
        if found is None:
            return _Place(session_id=None)
        session, alignment = found
    else:
        named = select(col(SessionRow.id)).where(
            col(SessionRow.scope_id) == scope, col(SessionRow.key) == request.session_id
        )
        sessions = _sessions(connection, list(connection.execute(named).scalars()))
        if not sessions:
            return _Place(session_id=request.session_id)
        session, alignment = sessions[0], _aligned(sessions[0], request, sent)
    end = alignment.start + alignment.known
    replaced = tuple(turn.pk for turn in session.turns[end:]) if alignment.replaces else ()
    nothing_new = alignment.known == len(sent) and not replaced
    return _Place(
        session_id=session.key,
        known=tuple(turn.key for turn in session.turns[alignment.start : end]),
        replaced=replaced,
        shares=session.pk if request.session_id is None and nothing_new else None,
    )


def _aligned(session: _Session, request: Follow, sent: Sequence[str]) -> Alignment:
    held = [turn.digest for turn in session.turns]
    if not request.whole:
        return align_new(held, sent)
    return align(held, sent, awaits_answer=_awaits_answer(request.turns))


def _awaits_answer(turns: Sequence[NewTurn]) -> bool:
    """Return whether an assistant speaks next: to its user, or with what a tool returned."""
    return turns[-1].role != "assistant"


def _find_session(
    connection: Connection, scope: ScopeId, request: Follow, sent: Sequence[str]
) -> tuple[_Session, Alignment] | None:
    """Find the session of a conversation without a name; None if it begins a new one."""
    alike = _longest_alike(connection, scope, request, sent) if request.whole else []
    intact = [one for one in alike if not one[1].replaces]
    if intact:
        return max(intact, key=lambda one: one[0].turns[0].pk)
    if alike:
        [session, alignment], *others = alike
        unclear = others or session.shared or _begins_another(connection, scope, session, sent[0])
        return None if unclear else (session, alignment)
    for pk in _holders(connection, scope, sent[-1], last=True):
        [session] = _sessions(connection, [pk])
        if [turn.digest for turn in session.turns] == sent:
            return session, Alignment(start=0, known=len(sent), replaces=False)
    return None


def _longest_alike(
    connection: Connection, scope: ScopeId, request: Follow, sent: Sequence[str]
) -> list[tuple[_Session, Alignment]]:
    """Return the sessions that hold most of the beginning of what was sent, an answer among it.

    They are looked for by the answers, the last one first: a session that holds a later answer in such a run holds more of it.
    """
    for place in reversed([place for place, turn in enumerate(request.turns) if turn.role == "assistant"]):
        least = max(place + 1, LEAST_RUN)
        sessions = _sessions(connection, _holders(connection, scope, sent[place]))
        compared = [(session, _aligned(session, request, sent)) for session in sessions]
        alike = [(session, alignment) for session, alignment in compared if alignment.known >= least]
        if alike:
            longest = max(alignment.known for _, alignment in alike)
            return [(session, alignment) for session, alignment in alike if alignment.known == longest]
    return []


def _holders(connection: Connection, scope: ScopeId, digest: str, *, last: bool = False) -> list[int]:
    """Return the sessions that hold a turn, or of which it is the `last` one, the newest first."""
    held = (col(TurnRow.scope_id) == scope, col(TurnRow.content_hash) == digest, _STANDS)
    query = select(col(TurnRow.session_id)).where(*held).order_by(col(TurnRow.id).desc()).limit(_SESSIONS_COMPARED)
    if last:
        later = aliased(TurnRow, name="later")
        behind = select(col(later.id)).where(
            col(later.session_id) == col(TurnRow.session_id),
            col(later.position) > col(TurnRow.position),
            col(later.flag).is_distinct_from("replaced"),
        )
        query = query.where(~behind.exists())
    return list(dict.fromkeys(connection.execute(query).scalars()))


def _begins_another(connection: Connection, scope: ScopeId, session: _Session, digest: str) -> bool:
    """Return whether a turn stands in another session, too: then a conversation that begins with it may be either."""
    elsewhere = (
        col(TurnRow.scope_id) == scope,
        col(TurnRow.content_hash) == digest,
        col(TurnRow.session_id) != session.pk,
        _STANDS,
    )
    return connection.execute(select(col(TurnRow.id)).where(*elsewhere).limit(1)).first() is not None


def _sessions(connection: Connection, pks: Sequence[int]) -> list[_Session]:
    """Read sessions, in the order of `pks`, with the turns that stand."""
    turns: dict[int, list[_Held]] = {pk: [] for pk in pks}
    among = col(TurnRow.session_id).in_(pks)
    stored = select(col(TurnRow.session_id), col(TurnRow.id), col(TurnRow.key), col(TurnRow.content_hash))
    for row in connection.execute(stored.where(among, _STANDS).order_by(col(TurnRow.position))):
        turns[row.session_id].append(_Held(pk=TurnPk(row.id), key=row.key, digest=row.content_hash))
    named = select(col(SessionRow.id), col(SessionRow.key), col(SessionRow.shared)).where(col(SessionRow.id).in_(pks))
    rows = {row.id: row for row in connection.execute(named)}
    return [_Session(pk=pk, key=rows[pk].key, shared=rows[pk].shared, turns=turns[pk]) for pk in pks]
