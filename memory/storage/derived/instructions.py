"""Standing instructions as SQL keeps them: where in which turn one stands, and whether a person switched it off.

Where they stand is derived, and made anew with the index. That one is switched off is a fact about its turn, and outlives that.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, delete, insert, select, update
from sqlmodel import col

from language import Passage
from memory.model import Instruction, ScopeId, TurnPk
from memory.storage.database import KEYS_PER_QUERY, Database, store_faults
from memory.storage.schema import InstructionRow, ScopeRow, TurnRow
from memory.storage.statements import IS_EVIDENCE, TURNS, to_turn

__all__ = ["InstructionStore", "note_instructions"]

_MOST = 1_000  # of a scope, the newest


class InstructionStore:
    """The standing instructions of one database. Every method blocks, and raises StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of_scope(self, scope: ScopeId) -> list[Instruction]:
        """Read the instructions of `scope`, those switched off too, newest first: a thousand at most."""
        columns = (col(InstructionRow.start), col(InstructionRow.stop), col(TurnRow.instructions_off))
        query = TURNS.add_columns(*columns).join(InstructionRow, col(InstructionRow.turn_id) == col(TurnRow.id))
        query = query.where(col(InstructionRow.scope_id) == scope, IS_EVIDENCE)
        newest = (col(TurnRow.said_at).desc(), col(TurnRow.id).desc(), col(InstructionRow.start))
        with store_faults(), self._database.reading() as connection:
            rows = connection.execute(query.order_by(*newest).limit(_MOST)).all()
        return [Instruction(turn=to_turn(row[:-3]), start=row[-3], end=row[-2], off=row[-1]) for row in rows]

    def off(self, pks: Sequence[TurnPk]) -> set[TurnPk]:
        """Return those of these turns of which a person wants no instruction followed."""
        found: set[TurnPk] = set()
        with store_faults(), self._database.reading() as connection:
            for start in range(0, len(pks), KEYS_PER_QUERY):
                among = col(TurnRow.id).in_(pks[start : start + KEYS_PER_QUERY])
                off = select(col(TurnRow.id)).where(among, col(TurnRow.instructions_off))
                found |= {TurnPk(pk) for pk in connection.execute(off).scalars()}
        return found

    def switch_off(self, scope: ScopeId, turn: TurnPk) -> int:
        """Let no instruction of a turn of `scope` be followed any more; returns the scope's epoch, which rises if one was.

        The caller knows that the turn has any.
        """
        with store_faults(), self._database.writing() as connection:
            connection.execute(select(col(ScopeRow.id)).where(col(ScopeRow.id) == scope).with_for_update())
            of_turn = (col(TurnRow.id) == turn, col(TurnRow.scope_id) == scope, ~col(TurnRow.instructions_off))
            changed = connection.execute(update(TurnRow).where(*of_turn).values(instructions_off=True)).rowcount
            if changed:
                connection.execute(
                    update(ScopeRow).where(col(ScopeRow.id) == scope).values(epoch=col(ScopeRow.epoch) + 1)
                )
            return connection.execute(select(col(ScopeRow.epoch)).where(col(ScopeRow.id) == scope)).scalar_one()


def note_instructions(
    connection: Connection, turns: Mapping[ScopeId, Sequence[TurnPk]], found: Mapping[TurnPk, Sequence[Passage]]
) -> None:
    """Note what was `found` in these turns, and nothing else of them: what an earlier look found is forgotten."""
    for scope, pks in turns.items():
        for start in range(0, len(pks), KEYS_PER_QUERY):
            chunk = pks[start : start + KEYS_PER_QUERY]
            connection.execute(delete(InstructionRow).where(col(InstructionRow.turn_id).in_(chunk)))
            holding = [pk for pk in chunk if found.get(pk)]
            if not holding:
                continue
            held = connection.execute(select(col(TurnRow.id)).where(col(TurnRow.id).in_(holding))).scalars()
            rows = [
                {"turn_id": pk, "start": one.start, "stop": one.end, "scope_id": scope}
                for pk in map(TurnPk, held.all())
                for one in found[pk]
            ]
            if rows:
                connection.execute(insert(InstructionRow), rows)
