"""Forgetting: a turn, a session or all of a scope, out of the truth for good; the scope's epoch rises.

The row of the scope itself stays, because its epoch must never be counted anew. Turns that repeat what is forgotten were
perhaps never indexed themselves; they are named, so that they can be.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, func, or_, select, update

from memory.database import KEYS_PER_QUERY
from memory.passages import split_passages
from memory.tables import ScopeRow, SessionRow, TurnRow
from memory.turns import ScopeId, TurnPk

__all__ = ["Forgotten", "forget"]

_TURN = TurnRow.__table__  # type: ignore[attr-defined]
_SESSION = SessionRow.__table__  # type: ignore[attr-defined]
_SCOPE = ScopeRow.__table__  # type: ignore[attr-defined]
_SENTENCES = 200
_LEAST_CHARS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """What was removed: turns as (session id, turn id), with their keys, and the sessions that are empty now.

    `repeats` are turns of the scope that say the same again and wait for the index anew.
    """

    turns: tuple[tuple[str, str], ...]
    pks: tuple[TurnPk, ...]
    sessions: tuple[str, ...]
    repeats: tuple[TurnPk, ...]
    epoch: int


def forget(connection: Connection, scope: ScopeId, *, session_id: str | None, turn_id: str | None) -> Forgotten:
    """Remove a turn of a session, a session, or everything of `scope`. What is not there is no error."""
    wanted = [_TURN.c.scope_id == scope]
    if session_id is not None:
        wanted.append(_SESSION.c.key == session_id)
    if turn_id is not None:
        wanted.append(_TURN.c.key == turn_id)
    found = connection.execute(
        select(_TURN.c.id, _TURN.c.key, _TURN.c.text, _SESSION.c.key.label("session_key"))
        .join(_SESSION, _SESSION.c.id == _TURN.c.session_id)
        .where(*wanted)
        .order_by(_TURN.c.id)
    ).all()
    pks = [TurnPk(row.id) for row in found]
    for start in range(0, len(pks), KEYS_PER_QUERY):
        connection.execute(delete(_TURN).where(_TURN.c.id.in_(pks[start : start + KEYS_PER_QUERY])))
    emptied = _remove_empty_sessions(connection, scope)
    repeats = _index_anew(connection, scope, [row.text for row in found])
    if found:
        connection.execute(update(_SCOPE).where(_SCOPE.c.id == scope).values(epoch=_SCOPE.c.epoch + 1))
    epoch = connection.execute(select(_SCOPE.c.epoch).where(_SCOPE.c.id == scope)).scalar_one()
    turns = tuple((row.session_key, row.key) for row in found)
    return Forgotten(turns=turns, pks=tuple(pks), sessions=emptied, repeats=repeats, epoch=epoch)


def _remove_empty_sessions(connection: Connection, scope: ScopeId) -> tuple[str, ...]:
    held = select(_TURN.c.id).where(_TURN.c.session_id == _SESSION.c.id).exists()
    empty = [_SESSION.c.scope_id == scope, ~held]
    keys = tuple(connection.execute(select(_SESSION.c.key).where(*empty)).scalars())
    connection.execute(delete(_SESSION).where(*empty))
    return keys


def _index_anew(connection: Connection, scope: ScopeId, texts: Sequence[str]) -> tuple[TurnPk, ...]:
    """Mark the turns that hold a sentence of these texts as not indexed: as repetitions they may be missing there."""
    spans = [(text, passage) for text in texts for passage in split_passages(text)][:_SENTENCES]
    sentences = {text[passage.start : passage.end].lower() for text, passage in spans}
    told: list[Any] = [
        func.lower(_TURN.c.text).contains(sentence, autoescape=True)
        for sentence in sorted(sentences)
        if len(sentence) >= _LEAST_CHARS
    ]
    pks: list[TurnPk] = []
    for start in range(0, len(told), 50):
        same = or_(*told[start : start + 50])
        pks += connection.execute(select(_TURN.c.id).where(_TURN.c.scope_id == scope, same)).scalars()
    for start in range(0, len(pks), KEYS_PER_QUERY):
        chunk = pks[start : start + KEYS_PER_QUERY]
        connection.execute(update(_TURN).where(_TURN.c.id.in_(chunk)).values(indexed=False))
    return tuple(dict.fromkeys(TurnPk(pk) for pk in pks))
