"""The envelope of an export: what is read as one, and how one knows that it is whole."""

import json
from collections.abc import AsyncIterator

import pytest

from tests.support.exports import export_of, turn_line
from tirtha.errors import ExportIsNewer, NotAnExport
from tirtha.transfer.canonical import canonical_json
from tirtha.transfer.envelope import Header, Trailer, is_export
from tirtha.transfer.reader import ExportReader


async def cut(export: bytes) -> AsyncIterator[tuple[bytes, int]]:
    for line in export.split(b"\n"):
        yield line, len(line)


async def read(export: bytes) -> tuple[list[int], str]:
    """The numbers of the lines between header and trailer, and why the export is not whole."""
    reader = ExportReader(cut(export))
    await reader.header()
    numbers = [line.number async for line in reader.lines()]
    return numbers, reader.broken.why if reader.broken else ""


async def test_a_whole_export_is_read_to_its_end() -> None:
    assert await read(export_of(turn_line(number) for number in range(3))) == ([2, 3, 4], "")
    assert await read(export_of([])) == ([], "")


async def test_a_trailer_that_counts_other_lines_does_not_fit() -> None:
    *lines, trailer = export_of([turn_line(0)]).split(b"\n")[:-1]
    counts = json.loads(trailer) | {"counts": {"turn": 2, "decision": 0, "answer": 0}}
    assert (await read(b"\n".join([*lines, json.dumps(counts).encode()])))[1].startswith("its checksum does not fit")


async def test_a_line_that_looks_like_a_trailer_is_one_only_at_the_end() -> None:
    whole = export_of([turn_line(0)])
    trailer = whole.split(b"\n")[2]
    assert await read(export_of([turn_line(0), trailer])) == ([2, 3], "")


@pytest.mark.parametrize(
    ("line", "known"),
    [
        (b'{"format": "tirtha-export"}', True),
        (b'\xef\xbb\xbf{"format": "tirtha-export", "version": 99}', True),
        (b'{"format": "other"}', False),
        (b'{"mapping": {}}', False),
        (b'["tirtha-export"]', False),
        (b"", False),
        (b"[" * 100_000, False),
        (b"\x80", False),
    ],
)
def test_a_file_is_known_by_its_first_line(line: bytes, known: bool) -> None:
    assert is_export(line) is known


def test_a_header_is_read_as_it_was_written() -> None:
    header = Header.now(user_id="ä/b", agent_id=None)
    assert Header.read(header.line()) == header
    assert Header.now(user_id=None, agent_id=None).holds == "tenant"


def test_a_newer_version_is_named() -> None:
    with pytest.raises(ExportIsNewer) as caught:
        Header.read(b'{"format": "tirtha-export", "version": 3, "tirtha": "4.5.6", "new": true}')
    assert (caught.value.version, caught.value.known, caught.value.written_by) == (3, 1, "4.5.6")
    for version in (b"0", b'"1"', b"1.5", b"null", b"true"):
        with pytest.raises(NotAnExport):
            Header.read(b'{"format": "tirtha-export", "version": ' + version + b"}")


def test_a_trailer_is_nothing_else() -> None:
    trailer = Trailer(counts={"turn": 1, "decision": 0, "answer": 0}, sha256="0" * 64)
    assert Trailer.read(trailer.line()) == trailer
    for line in (b"{}", b"", b'{"kind":"trailer","counts":{},"sha256":"zz"}', canonical_json(turn_line(0))):
        assert Trailer.read(line) is None


def test_values_are_written_in_one_way() -> None:
    assert (
        canonical_json({"b": [1.0, None], "a": "ä\u2028😀\x01"}) == '{"a":"ä\u2028😀\\u0001","b":[1.0,null]}'.encode()
    )
    with pytest.raises(ValueError, match="JSON"):
        canonical_json(float("nan"))
