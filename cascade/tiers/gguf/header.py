"""The header of a GGUF file: the window that its model was trained on.

llama.cpp takes memory for the whole window that it is given, before it looks what the model has. So it must be known beforehand.
The format is described in the ggml project's docs/gguf.md. Only what stands before the key that is sought is read, and no tensor.
"""

import struct
from pathlib import Path
from typing import BinaryIO, Final

__all__ = ["MAGIC", "trained_window"]

MAGIC: Final = b"GGUF"
_WIDTHS = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}  # bytes of a number, by its type
_STRING, _ARRAY = 8, 9
_INTEGERS = {4: "<I", 5: "<i", 10: "<Q", 11: "<q"}
_SOUGHT = ".context_length"
_LONGEST_KEY = 65_535


def trained_window(file: Path) -> int | None:
    """Return the tokens of the window that the model was trained on; None where the file does not say.

    Raises OSError, and ValueError for a file that is not in the format.
    """
    with file.open("rb") as opened:
        if opened.read(len(MAGIC)) != MAGIC:
            raise ValueError(f"it does not begin with {MAGIC.decode()}")
        _number(opened, "<I")  # the version: 2 and 3 are alike so far
        _number(opened, "<Q")
        for _ in range(_number(opened, "<Q")):
            key = _key(opened)
            kind = _number(opened, "<I")
            if key.endswith(_SOUGHT) and kind in _INTEGERS:
                return _number(opened, _INTEGERS[kind]) or None
            _skip(opened, kind)
    return None


def _key(opened: BinaryIO) -> str:
    length = _number(opened, "<Q")
    if length > _LONGEST_KEY:
        raise ValueError("its header is damaged")
    return _bytes(opened, length).decode("utf-8", "replace")


def _skip(opened: BinaryIO, kind: int) -> None:
    """Go past a value. Raises ValueError for a type that the format does not have."""
    if kind in _WIDTHS:
        _bytes(opened, _WIDTHS[kind])
    elif kind == _STRING:
        opened.seek(_number(opened, "<Q"), 1)
    elif kind == _ARRAY:
        items, count = _number(opened, "<I"), _number(opened, "<Q")
        if items in _WIDTHS:
            opened.seek(_WIDTHS[items] * count, 1)
            return
        for _ in range(count):
            _skip(opened, items)
    else:
        raise ValueError(f"its header has a value of the unknown type {kind}")


def _number(opened: BinaryIO, form: str) -> int:
    [number] = struct.unpack(form, _bytes(opened, struct.calcsize(form)))
    return int(number)


def _bytes(opened: BinaryIO, count: int) -> bytes:
    read = opened.read(count)
    if len(read) < count:
        raise ValueError("it ends within its header")
    return read
