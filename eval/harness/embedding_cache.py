"""Embeddings kept on disk by content, so that a text that many histories share is encoded once.

An encoder like any other to the memory over it: the vectors are those the model gave, bit for bit. Kept by model, precision,
speaker and text, in a SQLite file, so a run that was cut short goes on where it stopped. What was cut into other passages than it
is now is encoded again.
"""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from threading import Lock

import numpy as np

from language import Passage, split_passages
from memory.encoding.encoder import Encoder
from memory.model import EncodedPassage, Turn

__all__ = ["CachedEncoder"]

_TABLE = (
    "CREATE TABLE IF NOT EXISTS turn (key BLOB PRIMARY KEY, spans BLOB NOT NULL, vectors BLOB NOT NULL) WITHOUT ROWID"
)


class CachedEncoder(Encoder):
    """An encoder that looks a turn up in `file` before it encodes it."""

    def __init__(self, file: Path, model: str | None = None) -> None:
        super().__init__(*([model] if model else []))
        file.parent.mkdir(parents=True, exist_ok=True)
        self._rows = sqlite3.connect(file, check_same_thread=False)
        self._in_use = Lock()
        self._rows.execute(_TABLE)

    def encode_turns(
        self, turns: Sequence[Turn], between: Callable[[], None] = lambda: None
    ) -> list[list[EncodedPassage]]:
        """Return the passages of every turn, from the file where it has them."""
        keys = [self._key(turn) for turn in turns]
        kept = self._read(keys)
        known = {
            key: kept[key]
            for key, turn in zip(keys, turns, strict=True)
            if key in kept and kept[key][0] == _spans(split_passages(turn.text))
        }
        missing = {key: turn for key, turn in zip(keys, turns, strict=True) if key not in known}
        fresh = dict(zip(missing, super().encode_turns(list(missing.values()), between), strict=True))
        self._write(fresh)
        return [
            _decoded(turn, *known[key]) if key in known else [replace(one, turn_pk=turn.pk) for one in fresh[key]]
            for key, turn in zip(keys, turns, strict=True)
        ]

    def close(self) -> None:
        """Close the file."""
        self._rows.close()

    def _key(self, turn: Turn) -> bytes:
        parts = (self.name, str(self.model.dtype), turn.name, turn.text)
        return blake2b("\0".join(parts).encode(), digest_size=20).digest()

    def _read(self, keys: Sequence[bytes]) -> dict[bytes, tuple[bytes, bytes]]:
        with self._in_use:
            found = {
                key: self._rows.execute("SELECT spans, vectors FROM turn WHERE key = ?", (key,)).fetchone()
                for key in keys
            }
        return {key: row for key, row in found.items() if row}

    def _write(self, fresh: dict[bytes, list[EncodedPassage]]) -> None:
        with self._in_use, self._rows:
            self._rows.executemany(
                "INSERT OR REPLACE INTO turn VALUES (?, ?, ?)", [(key, *_encoded(one)) for key, one in fresh.items()]
            )


def _encoded(found: Sequence[EncodedPassage]) -> tuple[bytes, bytes]:
    """Lay passages out as bytes: spans `(n, 2) int32`; vectors `(n + 1, d) float32`, the turn's last."""
    vectors = [one.vector for one in found] + [one.turn_vector for one in found[:1]]
    return _spans([one.passage for one in found]), np.array(vectors, dtype=np.float32).tobytes()


def _spans(passages: Sequence[Passage]) -> bytes:
    return np.array([(one.start, one.end) for one in passages], dtype=np.int32).tobytes()


def _decoded(turn: Turn, spans: bytes, vectors: bytes) -> list[EncodedPassage]:
    ends = np.frombuffer(spans, dtype=np.int32).reshape(-1, 2)
    if not len(ends):
        return []
    rows = np.frombuffer(vectors, dtype=np.float32).reshape(len(ends) + 1, -1)
    return [
        EncodedPassage(
            turn_pk=turn.pk, passage=Passage(start=int(start), end=int(end)), vector=row, turn_vector=rows[-1]
        )
        for (start, end), row in zip(ends, rows, strict=False)
    ]
