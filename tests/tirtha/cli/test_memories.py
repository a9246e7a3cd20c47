"""Seeing and forgetting what is remembered, from the command line, over a real server."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner, Result

from memory.encoding.encoder import Encoder
from tests.support.server import serving
from tirtha.cli.app import app

USER, SESSION = "https://id.example/u/7", ".."
TURNS = [("a/b", "My cat is called Miso."), ("..", "I live by the sea."), ("%2F", "I like tea.")]

Tirtha = Callable[..., Result]


@pytest.fixture
def tirtha(tmp_path: Path, encoder: Encoder) -> Iterator[Tirtha]:
    """Run a command beside a server that remembers `TURNS`."""
    home = tmp_path / "home"
    with serving(home, encoder) as url:
        turns = [{"id": name, "role": "user", "text": text} for name, text in TURNS]
        body = {"user_id": USER, "session_id": SESSION, "turns": turns}
        assert httpx.post(f"{url}/v1/remember", json=body).status_code == 201
        variables = {"TIRTHA_HOME": str(home), "COLUMNS": "200", "TERM": "dumb"}
        yield lambda *arguments: CliRunner().invoke(app, [*arguments, "--user", USER], env=variables)


def test_what_is_remembered_is_listed_page_by_page(tirtha: Tirtha) -> None:
    listed = json.loads(tirtha("memories", "--json").stdout)
    assert [(turn["id"], turn["text"]) for turn in listed["turns"]] == TURNS
    page = tirtha("memories", "--session", SESSION, "--limit", "1").stdout
    assert "a/b  user: My cat is called Miso." in page
    cursor = page.split("--cursor ")[1].strip()
    rest = tirtha("memories", "--session", SESSION, "--cursor", cursor).stdout
    assert "I live by the sea." in rest
    assert "I like tea." in rest
    assert "Miso" not in rest
    assert "--cursor" not in rest
    best = tirtha("memories", "--query", "Where do I live?", "--limit", "1").stdout
    assert "I live by the sea." in best
    wrong = tirtha("memories", "--cursor", "x")
    assert (wrong.exit_code, wrong.stdout) == (1, "")
    assert "is no cursor" in wrong.stderr


def test_ids_that_a_path_cannot_carry_are_forgotten(tirtha: Tirtha) -> None:
    for name in ("..", "%2F"):
        assert "Forgot 1 turns of 0 sessions" in tirtha("forget", "--session", SESSION, "--turn", name).stdout
    assert "Forgot 1 turns of 1 sessions" in tirtha("forget", "--session", SESSION).stdout
    nothing = tirtha("forget", "--everything")
    assert (nothing.exit_code, nothing.stderr.strip()) == (1, "nothing of that is remembered")
    assert tirtha("memories").stdout.strip() == "Nothing is remembered."


def test_what_was_changed_is_listed_for_the_admin(tirtha: Tirtha) -> None:
    assert f"remember  3  {USER}  by no key" in tirtha("audit").stdout
    tirtha("forget", "--everything")
    page = tirtha("audit", "--limit", "1").stdout
    assert "forget.user  3  forgotten user " in page
    cursor = page.split("--cursor ")[1].strip()
    rest = tirtha("audit", "--cursor", cursor).stdout
    assert "remember  3  forgotten user " in rest
    assert USER not in page + rest
    [entry] = json.loads(tirtha("audit", "--what", "forget.user", "--json").stdout)["entries"]
    assert (entry["what"], entry["count"], entry["user_id"]) == ("forget.user", 3, None)
    assert tirtha("audit", "--until", "2020-01-01T00:00:00Z").stdout.strip() == "Nothing is noted."
    wrong = tirtha("audit", "--what", "nothing")
    assert wrong.exit_code == 1
    assert "--what" in wrong.stderr


def test_what_a_user_wants_always_is_listed_and_switched_off(tirtha: Tirtha) -> None:
    assert (
        tirtha("remember", "Always show types.", "--session", "s1", "--said-at", "2023-05-08T10:00:00Z").exit_code == 0
    )
    listed = json.loads(tirtha("memories", "--kind", "instruction", "--json").stdout)["instructions"]
    [rule] = [one for one in listed if one["text"] == "Always show types."]
    off = tirtha("forget", "--session", "s1", "--turn", rule["turn_id"], "--kind", "instruction")
    assert "Switched off 1 instructions" in off.stdout
    assert f"s1  {rule['turn_id']}  (off): Always show types." in tirtha("memories", "--kind", "instruction").stdout
    assert "Always show types." in tirtha("memories").stdout
    assert tirtha("forget", "--session", "s1", "--kind", "instruction").exit_code == 2
