"""Remembering: what is new of requests, appended to their sessions within a transaction, and what a tenant then has."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection

from memory.model import Receipt, Remember, ScopeId, TurnPk
from memory.storage.idempotency import plan_turns
from memory.storage.tenancy import take_room
from memory.storage.writing import insert_turns, lock_scope, own_session, set_epoch

__all__ = ["remember"]


def remember(
    connection: Connection,
    requests: Sequence[Remember],
    *,
    most_turns: int | None,
    admit: Callable[[Connection, ScopeId], None],
) -> list[Receipt]:
    """Write what is new of each request.

    Args:
        connection: a transaction that may write.
        requests: turns of sessions, in the order in which they are stored.
        most_turns: how many turns a tenant may have in all; None for any number.
        admit: called before new turns of a scope are written; it may refuse them by raising.

    Raises:
        TenantFull, TenantClosed: a tenant takes no more.
    """
    now = datetime.now(UTC)
    receipts: list[Receipt] = []
    grown: Counter[str] = Counter()
    for request in requests:
        scope, epoch = lock_scope(connection, request.scope, now)
        session = own_session(connection, scope, request.session_id)
        plan = plan_turns(connection, session, request.turns)
        new = [(request.turns[index], key) for index, (key, outcome) in enumerate(plan) if outcome == "stored"]
        pks: list[TurnPk] = []
        if new:
            admit(connection, scope)
            pks = insert_turns(connection, new, scope=scope, session=session, now=now)
            epoch += 1
            grown[request.scope.tenant] += len(new)
            set_epoch(connection, scope, epoch)
        receipts.append(
            Receipt(
                scope_id=scope,
                session_id=request.session_id,
                turn_ids=tuple(key for key, _ in plan),
                outcomes=tuple(outcome for _, outcome in plan),
                stored=tuple(pks),
                epoch=epoch,
            )
        )
    for tenant, turns in sorted(grown.items()):
        take_room(connection, tenant, turns, most=most_turns)
    return receipts
