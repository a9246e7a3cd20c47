"""`tirtha import` of other products' files, over a real server: what is said before and after, and with which status."""

import json
from pathlib import Path
from shutil import copy

import pytest

from tests.support.command import tirtha as command
from tests.tirtha.cli.conftest import Tirtha
from tests.tirtha.importers.archives import write_archive
from tests.tirtha.importers.reading import EXPORTS


def held(tirtha: Tirtha, user: str) -> int:
    return len(json.loads(tirtha("memories", "--user", user, "--json").stdout)["turns"])


def test_what_a_file_is_is_said_before_it_is_stored(tirtha: Tirtha, tmp_path: Path) -> None:
    file = write_archive(tmp_path / "export.zip", 3)
    dry = tirtha("import", file, "--user", "ines", "--dry-run")
    assert dry.exit_code == 0, dry.output
    assert dry.stdout.splitlines() == [
        "This is an export of chatgpt: 3 conversations, 18 turns, said from 2023-11-14 to 2023-11-14.",
        "Among them: Chat 0; Chat 1; Chat 2",
        "For user ines, 18 turns are new and 0 known already.",
        "  3 left out: hidden by the product",
        "  3 left out: in another branch: edited or regenerated",
        "18 would be stored, 0 known already, 0 rejected",
    ]
    assert held(tirtha, "ines") == 0
    done = tirtha("import", file, "--user", "ines")
    assert done.stdout.splitlines() == [*dry.stdout.splitlines()[:-1], "18 stored, 0 known already, 0 rejected"]
    assert held(tirtha, "ines") == 18
    again = tirtha("import", file, "--user", "ines")
    assert again.stdout.splitlines()[-1] == "0 would be stored, 18 known already, 0 rejected"
    assert held(tirtha, "ines") == 18


def test_what_could_not_be_stored_is_listed_and_is_no_success(tirtha: Tirtha) -> None:
    run = tirtha("import", EXPORTS / "chatgpt.json", "--user", "otto")
    assert run.exit_code == 1
    assert "5 stored, 0 known already, 4 rejected" in run.stdout
    assert "  file, record 3, message x: has a create_time that is no time" in run.stdout


def test_json_is_one_document(tirtha: Tirtha) -> None:
    summary = json.loads(tirtha("import", EXPORTS / "claude.json", "--user", "w", "--json").stdout)
    assert (summary["format"], summary["dry_run"], summary["stored"]) == ("claude", False, 6)
    summary = json.loads(tirtha("import", EXPORTS / "claude.json", "--user", "v", "--json", "--dry-run").stdout)
    assert (summary["dry_run"], summary["stored"], held(tirtha, "v")) == (True, 6, 0)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["chatgpt.json"], "--user: The file does not say whose it is. In whose memory does it go?"),
        (["locomo.json", "--user", "u"], "--time-zone: The file has times without a zone"),
        (["claude.json", "--user", "u", "--format", "word"], "--format Input should be"),
        (["claude.json", "--user", "u", "--format", "codex"], "the file is of claude"),
        (["claude.json", "--user", "u", "--time-zone", "Mars"], "--time-zone is no time zone"),
        (["../test_formats.py", "--user", "u"], "is no JSON"),
    ],
    ids=["user", "zone", "format", "other_format", "no_zone", "no_json"],
)
def test_questions_name_the_flag(tirtha: Tirtha, arguments: list[str], sentence: str) -> None:
    run = tirtha("import", EXPORTS / arguments[0], *arguments[1:])
    assert run.exit_code == 1
    assert run.stdout == ""
    assert sentence in run.stderr
    assert held(tirtha, "u") == 0


def test_a_folder_is_imported_as_one_file(tirtha: Tirtha, tmp_path: Path) -> None:
    sessions = tmp_path / "sessions" / "2026" / "03"
    sessions.mkdir(parents=True)
    copy(EXPORTS / "codex.jsonl", sessions / "rollout-1.jsonl")
    (sessions / "notes.txt").write_text("not read", "utf-8")
    run = tirtha("import", tmp_path / "sessions", "--user", "dev", "--tools")
    assert "This is an export of codex: 1 conversations, 4 turns" in run.stdout
    assert "2026/03/rollout-1.jsonl, line 13: lacks a time in timestamp" in run.stdout
    (tmp_path / "empty").mkdir()
    empty = tirtha("import", tmp_path / "empty", "--user", "dev")
    assert empty.exit_code == 2
    assert "without JSON files" in empty.stderr


def test_a_file_that_is_not_there_is_named(tirtha: Tirtha, tmp_path: Path) -> None:
    run = tirtha("import", tmp_path / "none.zip", "--user", "u")
    assert run.exit_code == 2
    assert "none.zip" in run.stderr


def test_standard_input_is_imported(tirtha: Tirtha, home: Path) -> None:
    content = (EXPORTS / "codex.jsonl").read_bytes()
    run = command(home, "import", "-", "--user", "piped", stdin=content)
    assert "2 stored, 0 known already, 1 rejected" in run.stdout, run.stderr
    assert held(tirtha, "piped") == 2
