"""What LanceDB's errors mean, which rows cannot be right, and how an index is thrown away.

LanceDB has no error type for damage: a missing file, a wrong length and nonsense inside a page all come as RuntimeError, ValueError
or OSError. So what is known to be something else is named here, and the rest counts as damage: the index can be rebuilt at
any time, and an index that is wrong but believed cannot be noticed. Messages of LanceDB name its files and its own source; none
of that is passed on.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from memory.errors import IndexDamaged, StoreUnavailable

__all__ = ["damaged_rows", "discard", "index_fault", "is_of_lance"]

_PANICS = {"RustPanic", "PanicException"}
_ROWS_AT_ONCE = 4_096
_LENGTH = (0.98, 1.02)  # half precision moves the length of a unit vector by less than 0.001
# What the words of an error say, and what it is then. These are of the machine, or pass by themselves.
_NO_DAMAGE = {
    "no space left": "no space left on the disk",
    "quota exceeded": "the disk's quota is exceeded",
    "file too large": "its files may not grow",
    "permission denied": "its folder may not be read or written",
    "read-only file system": "its folder may not be written",
    "too many open files": "too many files are open",
    "cannot allocate memory": "no memory is left",
    "resources exhausted": "no memory is left",
    "commit conflict": "it was changed by two at once",
    "concurrent": "it was changed by two at once",
    "too much contention": "it was changed by two at once",
}
# What the words say of a damage.
_DAMAGE = {
    "not found": "a file of it is missing",
    "no such file": "a file of it is missing",
    "not a directory": "it is no folder",
    "file exists": "it is no folder",
}


def is_of_lance(fault: BaseException) -> bool:
    """Return whether LanceDB or Arrow may raise this. Panics of Rust have types that cannot be imported; some are no Exception."""
    known = isinstance(fault, RuntimeError | OSError | ValueError | KeyError | pa.ArrowException)
    return known or type(fault).__name__ in _PANICS


def index_fault(fault: BaseException) -> StoreUnavailable:
    """Return what an error of LanceDB or Arrow means: IndexDamaged, or that the index cannot be used just now."""
    message = str(fault).lower()
    passing = next((reason for words, reason in _NO_DAMAGE.items() if words in message), None)
    if passing:
        return StoreUnavailable(f"the passage index: {passing}")
    return IndexDamaged(
        next((what for words, what in _DAMAGE.items() if words in message), "a file of it cannot be read")
    )


def damaged_rows(
    starts: NDArray[np.int64], ends: NDArray[np.int64], vectors: Sequence[NDArray[np.float16]]
) -> str | None:
    """Return what is wrong with passages `(n,)` and their vectors `(n, d)`: LanceDB keeps no checksums of what is in its files."""
    if (starts < 0).any() or (ends <= starts).any():
        return "passages of it begin behind their end"
    for matrix in vectors:
        for first in range(0, len(matrix), _ROWS_AT_ONCE):
            part = matrix[first : first + _ROWS_AT_ONCE].astype(np.float32)
            lengths = np.sqrt(np.einsum("ij,ij->i", part, part))
            if not ((lengths > _LENGTH[0]) & (lengths < _LENGTH[1])).all():
                return "vectors of it are not of unit length"
    return None


def discard(folder: Path) -> None:
    """Remove whatever index lies at `folder`, readable or not; the next one opened there is new. Raises StoreUnavailable."""
    try:
        if folder.is_dir():
            for inside in folder.iterdir():
                if inside.is_dir() and not inside.is_symlink():
                    shutil.rmtree(inside)
                else:
                    inside.unlink()
        else:
            folder.unlink(missing_ok=True)
    except OSError as fault:
        raise StoreUnavailable(f"the damaged passage index cannot be removed: {fault.strerror}") from fault
