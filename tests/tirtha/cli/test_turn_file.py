"""A file of turns: what each line is read as, which are refused and why, and that a second reading names the same turns alike."""

import io
import json
from typing import Any

import pytest

from tirtha.cli.running import CommandFailed
from tirtha.cli.turn_file import TurnFile

OWNER = {"user_id": "u1"}


def read(
    content: bytes, *, place: str | None = "/data/turns.jsonl", session: str | None = None
) -> tuple[dict[int, dict[str, Any]], dict[int, str], TurnFile]:
    """Read all batches: the turns by line, and why the other lines are refused."""
    file = TurnFile(io.BytesIO(content), owner=OWNER, session=session, place=place)
    turns: dict[int, dict[str, Any]] = {}
    refused: dict[int, str] = {}
    taken = 0
    while (batch := file.batch()) is not None:
        assert len(batch.turns) <= 512
        turns |= dict(zip(batch.numbers, map(json.loads, batch.turns), strict=True))
        refused |= dict(batch.rejected)
        taken += batch.read_bytes
    assert taken == len(content)
    return turns, refused, file


def line(text: str, **more: Any) -> bytes:
    return json.dumps({"role": "user", "text": text} | more).encode() + b"\n"


def test_a_mark_and_windows_line_ends_are_accepted() -> None:
    turns, refused, _ = read(b"\xef\xbb\xbf" + line("one").replace(b"\n", b"\r\n") + b"\r\n" + line("two")[:-1])
    assert {number: turn["text"] for number, turn in turns.items()} == {1: "one", 3: "two"}
    assert refused == {}
    assert read(b"\xef\xbb\xbf" + line("one"))[0] == read(line("one"))[0]


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (b'{"text": "caf\xe9"}', "is not UTF-8: its byte 14 is 0xe9"),
        (b'{"text": ', "is no JSON: Expecting value at character 10"),
        (b"[]", "is no JSON object"),
        (b"[" * 100_000, "is no JSON that can be read"),
        (b'{"n": ' + b"1" * 5_000 + b"}", "is no JSON that can be read"),
    ],
)
def test_a_bad_line_is_refused_by_number_and_the_next_is_read(bad: bytes, why: str) -> None:
    turns, refused, _ = read(line("one") + bad + b"\n" + line("three"))
    assert sorted(turns) == [1, 3]
    assert refused[2].startswith(why)


def test_utf_16_is_named() -> None:
    with pytest.raises(CommandFailed, match="UTF-16"):
        read("\ufeff{}".encode("utf-16-le"))


def test_a_line_may_name_its_own_owner_session_and_id() -> None:
    own = {"user_id": "u2", "session_id": "s9", "id": "a"}
    turns, _, file = read(line("x", **own), session="s1")
    assert turns[1] == {"role": "user", "text": "x"} | own
    assert file.nameless is None


@pytest.mark.parametrize("nulls", [{}, {"id": None, "session_id": None}])
def test_a_turn_keeps_its_name_when_lines_before_it_are_corrected(nulls: dict[str, Any]) -> None:
    before = read(b"{\n" + line("yes", **nulls) + b"{\n" + line("no", **nulls) + line("yes", **nulls))[0]
    after = read(line("new") + line("yes", **nulls) + line("new", at="x") + line("no", **nulls) + line("yes", **nulls))[
        0
    ]
    assert [before[number] for number in (2, 4, 5)] == [after[number] for number in (2, 4, 5)]
    assert len({turn["id"] for turn in after.values()}) == 5
    assert len({turn["session_id"] for turn in after.values()}) == 1


def test_another_file_and_another_session_are_other_turns() -> None:
    ids = [
        read(line("yes"), **where)[0][1]["id"]
        for where in ({}, {"place": "/data/other.jsonl"}, {"session": "s1"}, {"session": "s2"})
    ]
    assert len(set(ids)) == 4


def test_what_is_read_once_gets_a_new_session_and_no_ids() -> None:
    first, second = (read(line("yes") + line("yes"), place=None) for _ in range(2))
    assert first[2].nameless != second[2].nameless
    assert "id" not in first[0][1]
    assert first[2].unnamed_turns == 2
