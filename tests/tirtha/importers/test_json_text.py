"""JSON that is read in pieces says what Python's decoder says of the whole, and refuses what is none."""

import json
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.laws import tried_on
from tirtha.importers import json_text
from tirtha.importers.errors import Unreadable
from tirtha.importers.json_text import JsonText, decode_line

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**17), 10**17)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


class Drops:
    """A stream that comes a few bytes at a time."""

    def __init__(self, content: bytes, size: int) -> None:
        self._stream = BytesIO(content)
        self._size = size

    def read(self, size: int) -> bytes:
        return self._stream.read(min(size, self._size))

    def readline(self, size: int) -> bytes:
        return self._stream.readline(size)


def items(content: bytes, size: int = 1_048_576) -> list[Any]:
    text = JsonText(Drops(content, size), "file")
    read = list(text.items())
    text.end()
    return read


@tried_on(100)
@given(
    values=st.lists(VALUES, max_size=6),
    size=st.integers(1, 40),
    ascii_only=st.booleans(),
    indent=st.sampled_from([None, 1]),
)
def test_an_array_in_pieces_is_the_array(values: list[Any], size: int, ascii_only: bool, indent: int | None) -> None:
    assert items(json.dumps(values, ensure_ascii=ascii_only, indent=indent).encode(), size) == values


@tried_on(100)
@given(content=st.binary(max_size=60), size=st.integers(1, 40))
def test_what_is_no_json_is_refused_with_its_place(content: bytes, size: int) -> None:
    try:
        items(b"[" + content, size)
    except Unreadable as fault:
        assert fault.at.startswith("file, character ")


@tried_on(100)
@given(values=st.lists(VALUES, min_size=1, max_size=4), data=st.data())
def test_an_array_that_is_cut_off_is_refused(values: list[Any], data: st.DataObject) -> None:
    whole = json.dumps(values).encode()
    with pytest.raises(Unreadable):
        items(whole[: data.draw(st.integers(1, len(whole) - 1))], 7)


def test_an_item_longer_than_the_window_is_read() -> None:
    long = "x\u00e9" * 2_000_000
    assert items(json.dumps([long, 1], ensure_ascii=False).encode()) == [long, 1]


def test_a_value_without_end_is_refused_before_all_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_text, "LONGEST_VALUE", 4 * 1_048_576)
    stream = BytesIO(b'["' + b"x" * 64 * 1_048_576)
    with pytest.raises(Unreadable, match="more than 4,194,304 characters"):
        list(JsonText(stream, "file").items())
    assert stream.tell() < 16 * 1_048_576


@pytest.mark.parametrize("depth", [100_000, 3_000_000], ids=["deep", "deeper"])
def test_brackets_without_end_are_refused(depth: int) -> None:
    with pytest.raises(Unreadable, match="nested too deeply"):
        items(b"[" * depth)
    with pytest.raises(ValueError, match="nested too deeply"):
        decode_line(b"[" * depth)


def test_odd_numbers_and_letters_do_not_end_a_document() -> None:
    odd = b'[1e400, 123456789012345678901234567890, "\\ud83d", "\\u0000", NaN, ' + b"9" * 5_000 + b"]"
    assert items(odd)[1:4] == [1.2345678901234568e29, "\ud83d", "\x00"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"[1] x", "goes on"),
        (b"[1 2]", "is expected"),
        (b"[1,]", "broken JSON"),
        (b'["\xff"]', "not UTF-8"),
        (b"", "too early"),
    ],
)
def test_the_reason_is_given(content: bytes, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        items(content)
