"""What a file is: known by its records, asked where it could be two things, refused where it is nothing that is known."""

import json
from datetime import UTC
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from tests.support.laws import tried_on
from tests.tirtha.importers.reading import EXPORTS, read, zipped
from tirtha.importers import IMPORTERS, Ambiguous, ImportFault, ImportOptions, NotRecognised, Unreadable


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b" \n ",
        b"\xff\xfe[\x00",
        b"hello",
        b"[]",
        b"{}",
        b"[1, 2]",
        b'{"conversations": []}',
        b'{"a": ',
        b"[" * 100_000,
        b'{"a": {"b": [' * 50_000,
        b'{"conversations": [{"mapping": {"a": {"message": ',
    ],
)
def test_what_is_no_export_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    with pytest.raises((NotRecognised, Unreadable)) as refused:
        read(file)
    assert str(refused.value)


def test_the_formats_that_are_known_are_recognised(tmp_path: Path) -> None:
    file = zipped(tmp_path / "a.zip", {"a.json": b"[1]", "b.txt": b""})
    with pytest.raises(NotRecognised, match="known are chatgpt, claude, claude-code") as refused:
        read(file)
    assert refused.value.known == tuple(one.name for one in IMPORTERS)


def test_another_format_than_the_one_named_is_refused() -> None:
    with pytest.raises(NotRecognised, match="the file is of claude"):
        read(EXPORTS / "claude.json", wanted="chatgpt")


def test_files_of_two_products_are_a_question(tmp_path: Path) -> None:
    both = {name: (EXPORTS / name).read_bytes() for name in ("claude-code.jsonl", "codex.jsonl")}
    file = zipped(tmp_path / "logs.zip", both)
    with pytest.raises(Ambiguous, match="Which of them is meant") as asked:
        read(file)
    assert (asked.value.parameter, asked.value.choices) == ("format", ("claude-code", "codex"))
    assert read(file, wanted="codex")["conversations"] == read(EXPORTS / "codex.jsonl")["conversations"]


def test_a_record_that_fits_two_formats_is_a_question(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text(json.dumps({"id": "1", "memory": "m", "role": "user", "content": "c"}), "utf-8")
    with pytest.raises(Ambiguous, match="mem0 and as jsonl"):
        read(file)


@pytest.mark.parametrize("name", ["locomo.json", "longmemeval.json"])
def test_times_without_a_zone_are_a_question(name: str) -> None:
    with pytest.raises(Ambiguous, match="In which zone were they told") as asked:
        read(EXPORTS / name)
    assert asked.value.parameter == "time_zone"


def test_the_zone_that_is_given_is_where_times_were_written() -> None:
    zone = ImportOptions(time_zone=ZoneInfo("America/New_York"))
    assert read(EXPORTS / "locomo.json", zone)["conversations"][0]["started"] == "2023-05-08T13:56:00-04:00"


def test_a_zone_does_not_change_times_that_have_one() -> None:
    zone = ImportOptions(time_zone=ZoneInfo("America/New_York"))
    assert read(EXPORTS / "claude.json", zone) == read(EXPORTS / "claude.json")


def test_a_mark_and_windows_line_ends_are_read_over(tmp_path: Path) -> None:
    for name in ("codex.jsonl", "chatgpt.json"):
        file = tmp_path / name
        file.write_bytes(b"\xef\xbb\xbf" + (EXPORTS / name).read_bytes().replace(b"\n", b"\r\n"))
        assert read(file)["conversations"] == read(EXPORTS / name)["conversations"]


def test_lists_may_stand_in_an_object(tmp_path: Path) -> None:
    for indent in (None, 2):
        file = tmp_path / "wrapped.json"
        chats = json.loads((EXPORTS / "chatgpt.json").read_text("utf-8"))
        file.write_text(json.dumps({"version": 1, "conversations": chats, "more": {}}, indent=indent), "utf-8")
        assert read(file)["conversations"] == read(EXPORTS / "chatgpt.json")["conversations"]


def test_one_conversation_may_stand_alone(tmp_path: Path) -> None:
    first = json.loads((EXPORTS / "chatgpt.json").read_text("utf-8"))[0]
    for indent in (None, 2):
        file = tmp_path / "one.json"
        file.write_text(json.dumps(first, indent=indent), "utf-8")
        assert read(file)["conversations"] == read(EXPORTS / "chatgpt.json")["conversations"][:1]


@pytest.mark.parametrize("name", [file.name for file in sorted(EXPORTS.iterdir())])
@tried_on(60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damage_is_refused_or_reported_and_never_a_crash(tmp_path: Path, name: str, data: st.DataObject) -> None:
    content = bytearray((EXPORTS / name).read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(content) - 1))
        content[start : start + data.draw(st.integers(0, 30))] = data.draw(st.binary(max_size=8))
        if not content:
            break
    file = tmp_path / name
    file.write_bytes(content)
    try:
        read(file, ImportOptions(time_zone=UTC, tools=True))
    except ImportFault as fault:
        assert str(fault)


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def _places(value: object) -> list[tuple[object, object]]:
    found: list[tuple[object, object]] = []
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        found += [(value, key), *_places(one)]
    return found


@pytest.mark.parametrize("name", [file.name for file in sorted(EXPORTS.glob("*.json"))])
@tried_on(60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_fields_of_other_kinds_are_never_a_crash(tmp_path: Path, name: str, data: st.DataObject) -> None:
    whole = json.loads((EXPORTS / name).read_bytes())
    for _ in range(3):
        holder, key = data.draw(st.sampled_from(_places(whole)))
        holder[key] = data.draw(ODD)  # type: ignore[index]
    file = tmp_path / name
    file.write_text(json.dumps(whole), "utf-8")
    try:
        read(file, ImportOptions(time_zone=UTC, tools=True))
    except ImportFault as fault:
        assert str(fault)
