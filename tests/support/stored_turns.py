"""Turns put into a turn store, and how it stands: the key of a scope, and its epoch."""

from memory import NewTurn, Receipt, Remember, Scope
from memory.model import ScopeId
from memory.storage.store import TurnStore
from tests.support.turns import SCOPE

__all__ = ["epoch", "key", "remember"]


def remember(store: TurnStore, *turns: NewTurn, session: str = "s1", scope: Scope = SCOPE) -> Receipt:
    return store.remember(Remember(scope=scope, session_id=session, turns=turns))


def key(store: TurnStore, scope: Scope = SCOPE) -> ScopeId:
    known = store.scope(scope)
    assert known
    return known[0]


def epoch(store: TurnStore) -> int:
    known = store.scope(SCOPE)
    assert known
    return known[1]
