"""Every format reads its export as written down beside it, with and without tools.

`exports/` holds a small export of each product, made by hand, with what is awkward in it; `read/` what must come of it.
"""

import json
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from tests.tirtha.importers.reading import EXPORTS, LIMITS, read, source
from tirtha.importers import IMPORTERS, ImportOptions, documents_of, recognise
from tirtha.importers.model import Record

FILES = sorted(EXPORTS.iterdir())
READ = EXPORTS.parent / "read"


def texts(file: str, *, tools: bool = False) -> list[str]:
    got = read(EXPORTS / file, ImportOptions(time_zone=UTC, tools=tools))
    return [turn[-1] for conversation in got["conversations"] for turn in conversation["turns"]]


@pytest.mark.parametrize("tools", [False, True], ids=["without_tools", "with_tools"])
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_an_export_is_read_as_written_down(file: Path, tools: bool) -> None:
    expected = json.loads((READ / f"{file.stem}.json").read_text("utf-8"))["with_tools" if tools else "without_tools"]
    assert read(file, ImportOptions(time_zone=UTC, tools=tools)) == expected


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_record_is_recognised_by_one_importer_only(file: Path) -> None:
    def records() -> Iterator[Any]:
        with documents_of(source(file), LIMITS) as documents:
            for record in documents[0].records():
                if isinstance(record, Record):
                    yield record.value

    by = [[one.name for one in IMPORTERS if one.recognise(record)] for record in records()]
    assert {name for names in by for name in names} == {read(file, ImportOptions(time_zone=UTC))["format"]}
    assert max(map(len, by)) == 1


def test_every_importer_has_an_export_here() -> None:
    assert {one.name for one in IMPORTERS} == {read(file, ImportOptions(time_zone=UTC))["format"] for file in FILES}


def test_reading_again_gives_the_same() -> None:
    for file in FILES:
        options = ImportOptions(time_zone=UTC, tools=True)
        assert read(file, options) == read(file, options)


def test_ids_of_turns_are_those_of_one_session_only() -> None:
    for file in FILES:
        got = read(file, ImportOptions(time_zone=UTC, tools=True))
        ids = [(one["id"], turn[0]) for one in got["conversations"] for turn in one["turns"]]
        assert len(ids) == len(set(ids)) > 0


def test_chatgpt_says_what_the_product_shows() -> None:
    found = texts("chatgpt.json")
    assert "[image]\nI fly to Lisbon on 4 July.\n[file: plan.pdf]" in found
    assert "Your trip takes 7 days." in found  # without the mark of a citation
    assert "What did I call my boat?" in found  # spoken
    assert "Half a pair: \ufffd and a NUL: \ufffd." in found
    hidden = ("secret", "Ines", "brief", "web page", "User flies", "Porto", "print", "Alfama")
    assert [one for one in found if any(word in one for word in hidden)] == []
    assert {"[tool call: python(print(4 + 3))]", "7", "Day 1: Alfama."} <= {*texts("chatgpt.json", tools=True)}


def test_sessions_of_programs_are_what_people_and_models_said() -> None:
    assert texts("claude-code.jsonl") == [
        "The build fails on Windows only.",
        "I will look at the paths.",
        "[image]\nIt looks like this.",
    ]
    assert texts("codex.jsonl") == ["Our release is called Heron.", "I wrote it down."]


def test_thoughts_are_never_read() -> None:
    for file in FILES:
        assert [one for one in texts(file.name, tools=True) if "secret" in one or one == "hm"] == []


def test_a_file_that_grew_keeps_the_ids_it_had(tmp_path: Path) -> None:
    lines = (EXPORTS / "plain.jsonl").read_text("utf-8").splitlines()[:6]
    file, again = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    file.write_text("\n".join(lines), "utf-8")
    again.write_text("\n".join([*lines, '{"role": "user", "content": "ok", "session": "s2", "name": "Tom"}']), "utf-8")
    before = {one["id"]: one["turns"] for one in read(file)["conversations"]}
    after = {one["id"]: one["turns"] for one in read(again)["conversations"][:-1]}
    assert before == after


def test_a_rewritten_memory_of_mem0_is_a_new_turn(tmp_path: Path) -> None:
    memory = {"id": "e", "memory": "Lives in Graz", "user_id": "a", "created_at": "2025-01-01T00:00:00Z"}
    later = memory | {"memory": "Lives in Linz", "updated_at": "2025-02-01T00:00:00Z"}
    file = tmp_path / "mem0.json"
    file.write_text(json.dumps([memory, later]), "utf-8")
    first, second = read(file)["conversations"][0]["turns"]
    assert first[0] != second[0]
    assert first[3] < second[3]


def test_claudes_manifest_says_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "manifest-2026.json"
    file.write_text(
        json.dumps({"files": [{"name": "conversations-000.zip", "url": "https://x/conversations-000.zip?a=b"}]})
    )
    got = read(file)
    assert (got["format"], got["conversations"]) == ("claude", [])
    assert "download each zip" in got["skipped"][0]


def test_the_format_may_be_named() -> None:
    with documents_of(source(EXPORTS / "claude.json"), LIMITS) as documents:
        assert recognise(documents, "claude").importer.name == "claude"
