"""The rows of the index: their schema, how passages become rows of Arrow, and what is read of rows again."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from language.requests.instructions import INSTRUCTIONS_VERSION
from language.segmentation.passages import PASSAGES_VERSION
from language.words import TERMS_VERSION
from memory.errors import IndexDamaged, IndexMismatch
from memory.model import EncodedPassage, ScopeId, Vector

__all__ = ["VERSIONS", "IndexRow", "check_schema", "halves", "is_outdated", "table_schema", "to_matrix", "to_table"]


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexRow:
    """A passage on its way into the index, with its terms (white space between) and the fingerprint that copies share."""

    scope: ScopeId
    encoded: EncodedPassage
    terms: str
    fingerprint: str


# How rows are made of turns, and what is derived with them and kept beside the index. An index of another way is made anew,
# and with it that.
VERSIONS = {
    "tirtha.passages": PASSAGES_VERSION,
    "tirtha.terms": TERMS_VERSION,
    "tirtha.instructions": INSTRUCTIONS_VERSION,
}


def table_schema(model: str, dimension: int) -> pa.Schema:
    """Return the schema of the table, which names the model and how its rows are made."""
    return pa.schema(
        [
            pa.field("scope", pa.int64(), nullable=False),
            pa.field("turn", pa.int64(), nullable=False),
            pa.field("start", pa.int32(), nullable=False),
            pa.field("end", pa.int32(), nullable=False),
            pa.field("fingerprint", pa.string(), nullable=False),
            pa.field("terms", pa.string(), nullable=False),
            pa.field("vector", halves(dimension), nullable=False),
            pa.field("turn_vector", halves(dimension), nullable=False),
        ],
        metadata={"tirtha.model": model, "tirtha.dimension": str(dimension), **VERSIONS},
    )


def halves(dimension: int) -> pa.DataType:
    """Return the type of vectors: half precision moves a cosine by less than 0.0005, at half the bytes."""
    return pa.list_(pa.float16(), dimension)


def check_schema(schema: pa.Schema, model: str, dimension: int) -> None:
    """Check that a table is one of ours, and of this model. Raises IndexDamaged, IndexMismatch."""
    if not set(table_schema(model, dimension).names) <= set(schema.names):
        raise IndexDamaged("its table has lost its columns")
    metadata = schema.metadata or {}
    stored = metadata.get(b"tirtha.model", b"an unknown model").decode()
    width = metadata.get(b"tirtha.dimension", b"?").decode()
    if (stored, width) != (model, str(dimension)):
        raise IndexMismatch(stored=f"{stored} ({width} dimensions)", configured=f"{model} ({dimension} dimensions)")


def is_outdated(schema: pa.Schema) -> bool:
    """Return whether a table's passages or terms, or what is derived beside it, were made in another way than they are now."""
    held = schema.metadata or {}
    return any(held.get(name.encode()) != version.encode() for name, version in VERSIONS.items())


def to_table(rows: Sequence[IndexRow], model: str, dimension: int) -> pa.Table:
    """Make a table of rows."""
    return pa.table(
        {
            "scope": pa.array([row.scope for row in rows], pa.int64()),
            "turn": pa.array([row.encoded.turn_pk for row in rows], pa.int64()),
            "start": pa.array([row.encoded.passage.start for row in rows], pa.int32()),
            "end": pa.array([row.encoded.passage.end for row in rows], pa.int32()),
            "fingerprint": pa.array([row.fingerprint for row in rows], pa.string()),
            "terms": pa.array([row.terms for row in rows], pa.string()),
            "vector": _column([row.encoded.vector for row in rows]),
            "turn_vector": _column([row.encoded.turn_vector for row in rows]),
        },
        schema=table_schema(model, dimension),
    )


def _column(vectors: Sequence[Vector]) -> pa.FixedSizeListArray:
    halves = np.stack(vectors).astype(np.float16)
    return pa.FixedSizeListArray.from_arrays(pa.array(halves.ravel()), halves.shape[1])


def to_matrix(found: pa.Table, column: str) -> NDArray[np.float16]:
    """Return a column of vectors as a matrix `(n, d)`."""
    held = found.column(column).combine_chunks()
    values: NDArray[np.float16] = held.values.to_numpy(zero_copy_only=False)
    return values.reshape(found.num_rows, held.type.list_size)
