"""What the database holds over all scopes, for those who compare the index with it: the keys of turns, and turns by their keys."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlmodel import col

from memory.model import ScopeId, Turn, TurnPk
from memory.storage.database import KEYS_PER_QUERY, Database, store_faults
from memory.storage.schema import TurnRow
from memory.storage.statements import IS_EVIDENCE, TURNS, to_turn

__all__ = ["Inventory"]


class Inventory:
    """The turns of a database, whosever they are. Every method raises StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def last_pk_given(self) -> TurnPk:
        """Return the highest key that any turn ever had, forgotten ones too; 0 if there never was one."""
        match self._database.kind:
            case "sqlite":
                query = "SELECT seq FROM sqlite_sequence WHERE name = 'turn'"
            case _:
                query = "SELECT pg_sequence_last_value(pg_get_serial_sequence('turn', 'id')::regclass)"
        with store_faults(), self._database.reading() as connection:
            return TurnPk(connection.exec_driver_sql(query).scalar() or 0)

    def pks(self) -> dict[TurnPk, bool]:
        """Return the keys of all turns, and whether the index should hold each: it is evidence, and was indexed."""
        with store_faults(), self._database.reading() as connection:
            rows = connection.execute(select(col(TurnRow.id), col(TurnRow.indexed) & IS_EVIDENCE))
            return {TurnPk(pk): bool(held) for pk, held in rows}

    def no_evidence(self) -> set[TurnPk]:
        """Return the keys of the turns that are stored and never evidence, which the index must not hold."""
        with store_faults(), self._database.reading() as connection:
            return {TurnPk(pk) for pk in connection.execute(select(col(TurnRow.id)).where(~IS_EVIDENCE)).scalars()}

    def turns(self, pks: Sequence[TurnPk]) -> list[tuple[ScopeId, Turn]]:
        """Read turns, oldest first; what is gone is absent."""
        found: list[tuple[ScopeId, Turn]] = []
        with store_faults(), self._database.reading() as connection:
            for start in range(0, len(pks), KEYS_PER_QUERY):
                query = TURNS.where(col(TurnRow.id).in_(pks[start : start + KEYS_PER_QUERY]))
                found += [(ScopeId(row.scope_id), to_turn(row)) for row in connection.execute(query)]
        return sorted(found, key=lambda one: one[1].pk)
