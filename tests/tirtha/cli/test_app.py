"""The command line as a user types it: real processes on a data folder of their own, where that is what matters."""

import json
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from memory.encoding.encoder import Encoder
from tests.support.command import tirtha, tirtha_here
from tests.support.server import COMMAND, environment, running, serving
from tirtha import __version__


@pytest.mark.slow
def test_remember_and_ask_without_a_server_and_with_one(tmp_path: Path) -> None:
    home = tmp_path / "home"
    turn = "My cat is called Miso, I got her yesterday."
    done = tirtha(home, "remember", turn, "--user", "u1", "--said-at", "2023-05-08T12:00:00Z", "--session", "s1")
    assert done.returncode == 0, done.stderr
    assert "Remembered in session s1" in done.stdout
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
        assert bulk.returncode == 1
        assert httpx.get(f"{server.url}/readyz").json()["turns"] == 2


@pytest.mark.slow
def test_doctor_names_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file where the folder should be")
    doctor = tirtha(tmp_path / "home", "doctor")
    assert doctor.returncode == 1
    assert "NO" in doctor.stdout
    assert str(tmp_path / "home") in doctor.stdout


@pytest.mark.parametrize(
    ("arguments", "extra", "words"),
    [
        (["serve", "--host", "0.0.0.0"], {}, "refusing to listen on 0.0.0.0"),  # noqa: S104 - it must be refused
        (["ask", "Why?", "--user", "u1"], {"TIRTHA_BUDGET": "0"}, "TIRTHA_BUDGET"),
        (["ask", "Why?", "--user", "u1"], {"TIRTHA_CONFIG": "/no/such/tirtha.toml"}, "/no/such/tirtha.toml"),
        (["serve", "--port", "99999"], {"TIRTHA_PORT": "8765"}, "--port: Input should be less than"),
        (["serve", "--local-url", "http://127.0.0.1:9/v1", "--local-model", "m"], {}, "no price of 'm' is known"),
        (["serve", "--local-gguf", "/no/such.gguf"], {}, "--local-gguf: /no/such.gguf cannot be read"),
        (
            ["serve", "--local-gguf", "/"],
            {"TIRTHA_LOCAL_URL": "http://127.0.0.1:9"},
            "TIRTHA_LOCAL_URL: and gguf are two",
        ),
        (["feedback", "d1", "perhaps"], {}, "'perhaps' is not one of 'right', 'wrong'"),
        (["remember", "--file", "/no/such.jsonl", "--user", "u1"], {}, "there is no /no/such.jsonl"),
        (["remember", "--file", "/", "--user", "u1"], {}, "/ is a folder"),
        (["certify", "/no/such.jsonl"], {}, "/no/such.jsonl"),
        (["replay", "d1", "--recordings", "/no/such"], {}, "/no/such"),
        (["eval", "locomo", "--data", "/no/such/file.json"], {}, "/no/such/file.json"),
    ],
)
def test_what_the_user_can_mend_is_one_line(
    tmp_path: Path, arguments: list[str], extra: dict[str, str], words: str
) -> None:
    run = tirtha_here(tmp_path / "home", *arguments, **extra)
    assert run.returncode in {1, 2}
    assert words in " ".join(run.stderr.split())
    assert run.stdout == ""


def test_what_is_typed_and_no_utf_8_is_one_line(tmp_path: Path, encoder: Encoder) -> None:
    with serving(tmp_path / "home", encoder):
        for arguments in (
            ("recall", "\udcff?", "--user", "u1"),
            ("feedback", "\udcff", "right"),
            ("memories", "--user", "\udcff"),
        ):
            run = tirtha_here(tmp_path / "home", *arguments)
            assert (run.returncode, run.stdout) == (1, "")
            assert "UTF-8" in run.stderr or "is no character" in run.stderr
            assert run.stderr.count("\n") == 1


def test_a_field_that_the_service_refuses_is_named_by_its_flag(tmp_path: Path, encoder: Encoder) -> None:
    with serving(tmp_path / "home", encoder):
        for arguments, words in (
            (("recall", "Why?", "--limit", "0"), "--limit Input should be greater than or equal to 1"),
            (("remember", "x", "--said-at", "yesterday"), "--said-at is no ISO 8601 time"),
            (("remember", "x", "--role", "robot"), "--role "),
            (("remember", " "), "TEXT must not be blank"),
            (("context", "Why?", "--budget", "0"), "--budget "),
        ):
            run = tirtha_here(tmp_path / "home", *arguments, "--user", "u1")
            assert (run.returncode, run.stdout) == (1, "")
            assert run.stderr.startswith(words)


def test_the_version_is_printed(tmp_path: Path) -> None:
    assert tirtha(tmp_path / "home", "--version").stdout == f"tirtha {__version__}\n"


@pytest.mark.slow
def test_an_address_that_another_program_answers_on_is_named(tmp_path: Path) -> None:
    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"hello")

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    (tmp_path / "home").mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), Other) as other:
        threading.Thread(target=other.serve_forever).start()
        (tmp_path / "home" / "server.url").write_text(f"http://127.0.0.1:{other.server_port}")
        run = tirtha(tmp_path / "home", "recall", "Why?", "--user", "u1")
        other.shutdown()
    assert run.returncode == 1
    assert "is another program there?" in run.stderr
    assert "Traceback" not in run.stderr


def test_reindex_rebuilds_and_finds_again(tmp_path: Path) -> None:
    home = tmp_path / "home"
    tirtha_here(home, "remember", "My cat is called Miso.", "--user", "u1")
    rebuilt = tirtha_here(home, "reindex")
    assert "Indexed 1 turns anew." in rebuilt.stdout
    assert "Miso" in tirtha_here(home, "context", "What is the cat called?", "--user", "u1").stdout


def test_a_package_that_shadows_ours_is_refused(tmp_path: Path) -> None:
    (tmp_path / "memory").mkdir()
    (tmp_path / "memory" / "__init__.py").write_text("")
    run = tirtha(tmp_path / "home", "doctor", PYTHONPATH=str(tmp_path))
    assert run.returncode != 0
    assert str(tmp_path / "memory") in run.stderr
    assert "Traceback" not in run.stderr
