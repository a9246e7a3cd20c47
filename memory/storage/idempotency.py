"""What of a request the store holds already: by the caller's ids, or, without ids, by what was said in which place.

Reads the session's turns and decides; writes nothing.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

from sqlalchemy import Connection, Row, func, select
from sqlmodel import col

from memory.model import NewTurn, TurnOutcome
from memory.storage.database import KEYS_PER_QUERY
from memory.storage.schema import TurnRow

__all__ = ["content_hash", "plan_turns"]

_STARTS = 200  # places where a run may begin; bounds the work in a session of a thousand equal turns


def plan_turns(connection: Connection, session: int, turns: Sequence[NewTurn]) -> list[tuple[str, TurnOutcome]]:
    """Decide for each turn its id and whether it is new, known or in conflict.

    1. Turns with an id are looked up by it. The same role, speaker and text under the id is a duplicate, anything else a conflict.
       An id that comes twice in one request is compared with its first turn.
    2. Turns without an id are compared with the session by what they say. `_known_run` returns the ids of the first of them that
       the session holds already: they are duplicates, in their order.
    3. What is left is new, and gets a random id, which the receipt names. So a request that is sent again at
       once, because its answer was lost, finds its own turns in step 2, and stores nothing twice.
    """
    known = _known_ids(connection, session, [turn.id for turn in turns if turn.id is not None])
    run = _known_run(connection, session, [turn for turn in turns if turn.id is None])
    unnamed = iter(run + [None] * len(turns))
    plan: list[tuple[str, TurnOutcome]] = []
    for turn in turns:
        if turn.id is None:
            key = next(unnamed)
            plan.append((key, "duplicate") if key else (uuid4().hex, "stored"))
        elif turn.id not in known:
            known[turn.id] = content_hash(turn)
            plan.append((turn.id, "stored"))
        else:
            plan.append((turn.id, "duplicate" if known[turn.id] == content_hash(turn) else "conflict"))
    return plan


def _known_ids(connection: Connection, session: int, keys: Sequence[str]) -> dict[str, str]:
    known: dict[str, str] = {}
    for start in range(0, len(keys), KEYS_PER_QUERY):
        chunk = keys[start : start + KEYS_PER_QUERY]
        query = select(col(TurnRow.key), col(TurnRow.content_hash)).where(
            col(TurnRow.session_id) == session, col(TurnRow.key).in_(chunk)
        )
        known |= {row.key: row.content_hash for row in connection.execute(query)}
    return known


def _known_run(connection: Connection, session: int, turns: Sequence[NewTurn]) -> list[str]:
    """Find where turns without ids continue what the session holds; returns the ids of those it holds already.

    A caller without ids repeats itself in three ways: it sends a request again, it sends the whole conversation so far,
    or a sliding window of it. Each shows as a run of equal turns. A run counts if it reaches the session's end (what
    follows is new) or if it covers the whole request and is longer than one turn or carries its own time: a lone "yes"
    said again later is a new turn.

    1. A run can begin only where the session holds the request's first turn: the latest 200 such places, and the place where the
       last request began if this is it again, which may lie before them where all turns are equal.
    2. The starts are tried from the earliest: that gives the longest run, and so the fewest turns that are stored twice.
    3. From a start, as many turns as the request has, and one more, are read: the one more says whether the session goes on.
    """
    if not turns:
        return []
    hashes = [content_hash(turn) for turn in turns]
    whole = len(turns) > 1 or turns[0].said_at is not None
    first = select(col(TurnRow.position)).where(
        col(TurnRow.session_id) == session, col(TurnRow.content_hash) == hashes[0]
    )
    if turns[0].said_at is not None:
        first = first.where(col(TurnRow.said_at) == turns[0].said_at)
    latest = connection.execute(first.order_by(col(TurnRow.position).desc()).limit(_STARTS)).scalars().all()
    last = connection.execute(
        select(func.max(col(TurnRow.position))).where(col(TurnRow.session_id) == session)
    ).scalar()
    retried = 0 if last is None else max(last - len(turns) + 1, 0)  # where the last request began, if this is it again
    for start in sorted({*latest, retried}):  # the earliest start gives the longest run
        window = select(col(TurnRow.key), col(TurnRow.content_hash), col(TurnRow.said_at)).where(
            col(TurnRow.session_id) == session, col(TurnRow.position) >= start
        )
        held = connection.execute(window.order_by(col(TurnRow.position)).limit(len(turns) + 1)).all()
        ends_here = len(held) <= len(turns)
        pairs = list(zip(turns, hashes, held, strict=False))
        if pairs and all(_same(turn, digest, row) for turn, digest, row in pairs) and (ends_here or whole):
            return [row.key for _, _, row in pairs]
    return []


def _same(turn: NewTurn, digest: str, row: Row[str, str, datetime]) -> bool:
    return row.content_hash == digest and (turn.said_at is None or turn.said_at == row.said_at)


def content_hash(turn: NewTurn) -> str:
    """Return 32 hexadecimal digits that turns of one role, speaker and text share."""
    parts = "\x00".join((turn.role, turn.speaker or "", turn.text))
    return hashlib.blake2b(parts.encode(), digest_size=16).hexdigest()
