"""Whether the index is what the database says it is: a quick look at every start, all of it for `tirtha doctor`.

LanceDB opens what its newest readable list of files names, and finds out what is wrong with a file when it reads it. If the newest
list is gone, it opens an older one without a word. So the index is compared with the database, which holds the truth:
every turn that is marked as indexed must have rows, unless it only repeats others; no row may be of a turn that the database never
had; rows must be of the very text that the database holds, and their terms those that a question would look for. The quick look
reads two columns of all rows, each file of the indexes, and a sample of the rest.
"""

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from language import Passage, said_in, split_passages
from language.words import content_terms
from memory.errors import DatabaseBehind, IndexOutdated
from memory.index.echoes import fingerprint, fresh, suspicions
from memory.index.faults import damaged_rows
from memory.index.lance import PassageIndex
from memory.index.rows import to_matrix
from memory.model import ScopeId, Turn, TurnPk
from memory.storage.inventory import Inventory

__all__ = ["check_all", "check_quickly"]

log = logging.getLogger(__name__)

_MOST_LOADED = 500_000  # passages whose search indexes are read whole at a start: 8 s of them for a million
_SAMPLE = 24
_SCOPES = 16
_LACKING = 500
_ROWS_AT_ONCE = 2_000
_TURN_COLUMNS = ["scope", "turn", "start", "end", "fingerprint", "terms"]


def check_quickly(index: PassageIndex, inventory: Inventory) -> list[TurnPk]:
    """Compare the index with the database, in bounded time; returns the turns that it has lost, which are to be indexed again.

    Raises:
        IndexOutdated: another version made its passages or terms.
        IndexDamaged: it cannot be read, or does not hold what it should.
        DatabaseBehind: it holds turns that the database never had.
    """
    keys = _keys(index, inventory)
    if not keys.num_rows:
        return []
    if keys.num_rows <= _MOST_LOADED:
        index.load_indexes()
    else:
        log.info(
            "the passage index is large: its files are read when they are needed; `tirtha doctor` checks all of them"
        )
    turns = sorted(_column(keys, "turn"))
    sample = [turns[place] for place in np.linspace(0, len(turns) - 1, _SAMPLE).astype(int)]
    _compare_rows(index, inventory, index.read(_TURN_COLUMNS, _in(sample)))
    _compare_counts(index, keys, _SCOPES)
    _remove_forgotten(index, inventory, keys)
    lost = _lost(index, inventory, keys, _LACKING)
    if lost:
        log.warning(
            "the passage index has lost %d turns, as if an older one had been put back: they are indexed anew",
            len(lost),
        )
    return lost


def check_all(index: PassageIndex, inventory: Inventory) -> int:
    """Read and compare everything, and change nothing; returns the number of passages. Takes minutes for a large index.

    Raises as `check_quickly` does.
    """
    keys = _keys(index, inventory)
    if not keys.num_rows:
        return 0
    index.load_indexes()
    turns = sorted(_column(keys, "turn"))
    for start in range(0, len(turns), _ROWS_AT_ONCE):
        rows = index.read([*_TURN_COLUMNS, "vector", "turn_vector"], _in(turns[start : start + _ROWS_AT_ONCE]))
        starts, ends = (rows.column(name).to_numpy().astype(np.int64) for name in ("start", "end"))
        if damage := damaged_rows(starts, ends, [to_matrix(rows, name) for name in ("vector", "turn_vector")]):
            raise index.mark_damaged(damage)
        _compare_rows(index, inventory, rows)
    _compare_counts(index, keys, None)
    lost = _lost(index, inventory, keys, None)
    if lost:
        raise index.mark_damaged(f"it lacks {len(lost):,} turns that are marked as indexed")
    return int(keys.num_rows)


def _keys(index: PassageIndex, inventory: Inventory) -> pa.Table:
    """Return the keys of all rows, of an index that may be used.

    Refused are rows of turns that are yet to come: under those keys the database will store other turns. That goes for an
    outdated index, too, which may be the last trace of a database that was lost.
    """
    keys = index.keys()
    last = inventory.last_pk_given()
    beyond = {turn for turn in _column(keys, "turn") if turn > last}
    if beyond:
        raise DatabaseBehind(len(beyond))
    if index.outdated:
        raise IndexOutdated
    return keys


def _compare_rows(index: PassageIndex, inventory: Inventory, rows: pa.Table) -> None:
    """Compare rows with the texts of their turns."""
    turns = {turn.pk: (scope, turn) for scope, turn in inventory.turns(sorted(_column(rows, "turn")))}
    for row in index.decoded(rows.select(_TURN_COLUMNS)):
        if TurnPk(row["turn"]) not in turns:
            continue  # a forgotten one
        scope, turn = turns[TurnPk(row["turn"])]
        if row["scope"] != scope or not _is_of(row, turn.text):
            raise index.mark_damaged("passages of it are not those of the stored turns")


def _is_of(row: dict[str, Any], turn: str) -> bool:
    """Return whether a row was made of a turn's text: it shares half of the terms, or has none and is a copy."""
    passage, held = Passage(start=row["start"], end=row["end"]), set(row["terms"].split())
    terms = set(content_terms(said_in(turn, passage)))
    alike = 2 * len(terms & held) >= len(terms | held)
    return alike and (bool(terms) or bool(row["fingerprint"] == fingerprint(turn[passage.start : passage.end])))


def _compare_counts(index: PassageIndex, keys: pa.Table, scopes: int | None) -> None:
    """Count the rows of scopes by the index of scopes, and without."""
    counted = pc.value_counts(keys.column("scope")).to_pylist()
    for one in counted[:scopes]:
        if index.number(f"scope = {int(one['values'])}") != one["counts"]:
            raise index.mark_damaged("passages of it are not found by their scope")


def _remove_forgotten(index: PassageIndex, inventory: Inventory, keys: pa.Table) -> None:
    """Remove rows of turns that were forgotten, or are no evidence: a crash came first, or an older index was put back."""
    held = _column(keys, "turn")
    gone = sorted((held - inventory.pks().keys()) | (held & inventory.no_evidence()))
    if gone:
        theirs = keys.filter(pc.is_in(keys.column("turn"), value_set=pa.array(gone, pa.int64())))
        for scope in sorted(pc.unique(theirs.column("scope")).to_pylist()):
            index.remove_turns(ScopeId(scope), gone)


def _lost(index: PassageIndex, inventory: Inventory, keys: pa.Table, looked_at: int | None) -> list[TurnPk]:
    """Return the turns that should have rows and have none; the newest `looked_at` that have none say what of the others."""
    held = _column(keys, "turn")
    lacking = sorted(pk for pk, indexed in inventory.pks().items() if indexed and pk not in held)
    looked = lacking[-looked_at:] if looked_at else lacking
    lost = [turn.pk for scope, turn in inventory.turns(looked) if _holds_anything_new(index, scope, turn)]
    return lost if len(lost) < len(looked) else lacking


def _holds_anything_new(index: PassageIndex, scope: ScopeId, turn: Turn) -> bool:
    """Return whether a turn should have rows: not all of it repeats what older turns say."""
    passages = split_passages(turn.text)
    suspected = {mark for passage in passages for mark in suspicions(turn, passage)}
    first = index.first_turns(scope, sorted(suspected))
    return bool(fresh(turn, passages, {mark for mark, holder in first.items() if holder < turn.pk}))


def _column(rows: pa.Table, name: str) -> set[TurnPk]:
    return {TurnPk(key) for key in pc.unique(rows.column(name)).to_pylist()}


def _in(turns: Sequence[TurnPk]) -> str:
    return f"turn IN ({', '.join(str(int(turn)) for turn in turns)})"
