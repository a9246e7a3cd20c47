"""Forgetting: a turn, a session or all of a scope, out of the truth for good; the scope's epoch rises.

The row of the scope itself stays, because its epoch must never be counted anew. Turns that repeat what is forgotten were
perhaps never indexed themselves; they are named, so that they can be. What the index still has to forget is noted in the same
transaction, so that no crash and no fault of the index makes it forgotten.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Label, delete, func, insert, or_, select, update
from sqlmodel import col

from language import split_passages
from memory.model import ScopeId, TurnPk
from memory.storage.database import KEYS_PER_QUERY
from memory.storage.schema import ForgettingRow, ScopeRow, SessionRow, TenantRow, TurnRow

__all__ = ["Forgetting", "Forgotten", "forget", "forget_turns", "set_aside"]

_SENTENCES = 200
_LEAST_CHARS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgetting:
    """Something that is to leave the index of a scope; what `stays` in the store need not leave every file, too."""

    scope: ScopeId
    stays: bool


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
    """Remove turns of `scope`: all, or those of a session, of a turn's id, or of both. What is not there is no error.

    Args:
        connection: a transaction that may write.
        scope: whose turns are removed.
        session_id: the session, by the caller's id; None for every session.
        turn_id: the turn, by the caller's id; None for every turn.
    """
    wanted: list[ColumnElement[bool]] = [col(TurnRow.scope_id) == scope]
    if session_id is not None:
        wanted.append(col(SessionRow.key) == session_id)
    if turn_id is not None:
        wanted.append(col(TurnRow.key) == turn_id)
    return _remove(connection, scope, wanted)


def forget_turns(connection: Connection, scope: ScopeId, pks: Sequence[TurnPk]) -> Forgotten:
    """Remove some hundreds of turns of `scope`, by their keys. What is not there is no error."""
    return _remove(connection, scope, [col(TurnRow.scope_id) == scope, col(TurnRow.id).in_(pks)])


def set_aside(connection: Connection, scope: ScopeId, pks: Sequence[TurnPk]) -> None:
    """Flag turns of a scope that is locked as replaced: they stay, and are no evidence from now on.

    The index lets go of them as it does of what is forgotten, and takes in what it left out as a repetition of them.
    """
    texts: list[str] = []
    for start in range(0, len(pks), KEYS_PER_QUERY):
        among = col(TurnRow.id).in_(pks[start : start + KEYS_PER_QUERY])
        texts += connection.execute(select(col(TurnRow.text)).where(among).order_by(col(TurnRow.id))).scalars()
        connection.execute(update(TurnRow).where(among).values(flag="replaced", indexed=False))
    _index_anew(connection, scope, texts, after=min(pks))
    connection.execute(insert(ForgettingRow).values(scope_id=scope, stays=True))


def _remove(connection: Connection, scope: ScopeId, wanted: Sequence[ColumnElement[bool]]) -> Forgotten:
    connection.execute(select(col(ScopeRow.id)).where(col(ScopeRow.id) == scope).with_for_update())
    session_key: Label[str] = col(SessionRow.key).label("session_key")
    found = connection.execute(
        select(col(TurnRow.id), col(TurnRow.key), col(TurnRow.text), session_key)
        .join(SessionRow, col(SessionRow.id) == col(TurnRow.session_id))
        .where(*wanted)
        .order_by(col(TurnRow.id))
    ).all()
    pks = [TurnPk(row.id) for row in found]
    for start in range(0, len(pks), KEYS_PER_QUERY):
        connection.execute(delete(TurnRow).where(col(TurnRow.id).in_(pks[start : start + KEYS_PER_QUERY])))
    emptied = _remove_empty_sessions(connection, scope)
    repeats = _index_anew(connection, scope, [row.text for row in found], after=min(pks, default=TurnPk(0)))
    if found:
        connection.execute(insert(ForgettingRow).values(scope_id=scope))
        connection.execute(update(ScopeRow).where(col(ScopeRow.id) == scope).values(epoch=col(ScopeRow.epoch) + 1))
        owner = select(col(ScopeRow.tenant_id)).where(col(ScopeRow.id) == scope).scalar_subquery()
        fewer = update(TenantRow).where(col(TenantRow.id) == owner).values(turns=col(TenantRow.turns) - len(found))
        connection.execute(fewer)
    epoch = connection.execute(select(col(ScopeRow.epoch)).where(col(ScopeRow.id) == scope)).scalar_one()
    turns = tuple((row.session_key, row.key) for row in found)
    return Forgotten(turns=turns, pks=tuple(pks), sessions=emptied, repeats=repeats, epoch=epoch)


def _remove_empty_sessions(connection: Connection, scope: ScopeId) -> tuple[str, ...]:
    held = select(col(TurnRow.id)).where(col(TurnRow.session_id) == col(SessionRow.id)).exists()
    empty = [col(SessionRow.scope_id) == scope, ~held]
    keys = tuple(connection.execute(select(col(SessionRow.key)).where(*empty)).scalars())
    connection.execute(delete(SessionRow).where(*empty))
    return keys


def _index_anew(connection: Connection, scope: ScopeId, texts: Sequence[str], *, after: TurnPk) -> tuple[TurnPk, ...]:
    """Mark the turns that hold a sentence of these texts as not indexed: as repetitions they may be missing there.

    The texts are of the turn `after` and later ones, and only what is older than a turn is repeated in it.
    """
    spans = [(text, passage) for text in texts for passage in split_passages(text)][:_SENTENCES]
    sentences = {text[passage.start : passage.end].lower() for text, passage in spans}
    repeating: list[Any] = [
        func.lower(col(TurnRow.text)).contains(sentence, autoescape=True)
        for sentence in sorted(sentences)
        if len(sentence) >= _LEAST_CHARS
    ]
    pks: list[int] = []
    later = (col(TurnRow.scope_id) == scope, col(TurnRow.id) > after)
    for start in range(0, len(repeating), 50):
        same = or_(*repeating[start : start + 50])
        pks += connection.execute(select(col(TurnRow.id)).where(*later, same)).scalars()
    for start in range(0, len(pks), KEYS_PER_QUERY):
        chunk = pks[start : start + KEYS_PER_QUERY]
        connection.execute(update(TurnRow).where(col(TurnRow.id).in_(chunk)).values(indexed=False))
    return tuple(dict.fromkeys(TurnPk(pk) for pk in pks))
