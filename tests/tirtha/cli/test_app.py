"""The command line as a user types it: real processes on a data folder of their own."""

import json
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.support.server import COMMAND, environment, running


def tirtha(home: Path, *arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
    wide = {"COLUMNS": "200", "TERM": "dumb"} | extra
    return subprocess.run(
        [COMMAND, *arguments], env=environment(home, **wide), capture_output=True, text=True, check=False, timeout=120
    )


@pytest.mark.slow
def test_remember_and_ask_without_a_server_and_with_one(tmp_path: Path) -> None:
    home = tmp_path / "home"
    turn = "My cat is called Miso, I got her yesterday."
    told = tirtha(home, "remember", turn, "--user", "u1", "--said-at", "2023-05-08T12:00:00Z", "--session", "s1")
    assert told.returncode == 0, told.stderr
    assert "Remembered in session s1" in told.stdout
    with running(home) as server:
        asked = tirtha(home, "ask", "When did I get the cat?", "--user", "u1", "--json")
        assert json.loads(asked.stdout)["answer"] == "On 7 May 2023."
        narrow = tirtha(home, "ask", "When did I get the cat?", "--user", "u1", "--json", COLUMNS="20")
        assert json.loads(narrow.stdout)["answer"] == "On 7 May 2023."
        assert "Miso" in tirtha(home, "context", "What is the cat called?", "--user", "u1").stdout
        assert "Miso" in tirtha(home, "recall", "What is the cat called?", "--user", "u1").stdout
        wrong = tirtha(home, "context", "What is the cat called?", "--user", "u1", "--budget", "3")
        assert wrong.returncode == 1
        assert "a budget of 3 tokens holds no line" in wrong.stderr
        second = subprocess.run(
            [COMMAND, "serve", "--port", "0"],
            env=environment(home),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert second.returncode == 1
        assert f"another Tirtha process uses the data folder {home}" in " ".join(second.stderr.split())
        doctor = tirtha(home, "doctor")
        assert doctor.returncode == 0, doctor.stdout
        assert server.url in doctor.stdout
        lines = tmp_path / "more.jsonl"
        lines.write_text(
            '{"role": "user", "text": "My dog is called Rex."}\n\n{"role": "robot", "text": "Beep."}\n',
            encoding="utf-8",
        )
        bulk = tirtha(home, "remember", "--file", str(lines), "--user", "u1")
        assert "1 stored, 0 known already, 1 rejected" in bulk.stdout
        assert "line 3: role" in bulk.stdout
        assert httpx.get(f"{server.url}/readyz").json()["turns"] == 2


@pytest.mark.slow
def test_doctor_names_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file where the folder should be")
    doctor = tirtha(tmp_path / "home", "doctor")
    assert doctor.returncode == 1
    assert "NO" in doctor.stdout
    assert str(tmp_path / "home") in doctor.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "extra", "words"),
    [
        (["serve", "--host", "0.0.0.0"], {}, "refusing to listen on 0.0.0.0"),  # noqa: S104 - it must be refused
        (["ask", "Why?", "--user", "u1"], {"TIRTHA_BUDGET": "0"}, "TIRTHA_BUDGET"),
        (["eval", "locomo", "--data", "/no/such/file.json"], {}, "/no/such/file.json"),
    ],
)
def test_what_the_user_can_mend_is_one_line(
    tmp_path: Path, arguments: list[str], extra: dict[str, str], words: str
) -> None:
    run = tirtha(tmp_path / "home", *arguments, **extra)
    assert run.returncode in {1, 2}
    assert words in " ".join(run.stderr.split())
    assert "Traceback" not in run.stderr


@pytest.mark.slow
def test_reindex_rebuilds_and_finds_again(tmp_path: Path) -> None:
    home = tmp_path / "home"
    tirtha(home, "remember", "My cat is called Miso.", "--user", "u1")
    rebuilt = tirtha(home, "reindex")
    assert "Indexed 1 turns anew." in rebuilt.stdout
    assert "Miso" in tirtha(home, "context", "What is the cat called?", "--user", "u1").stdout


def test_a_package_that_shadows_ours_is_refused(tmp_path: Path) -> None:
    (tmp_path / "memory").mkdir()
    (tmp_path / "memory" / "__init__.py").write_text("")
    run = tirtha(tmp_path / "home", "doctor", PYTHONPATH=str(tmp_path))
    assert run.returncode != 0
    assert str(tmp_path / "memory") in run.stderr
    assert "Traceback" not in run.stderr
