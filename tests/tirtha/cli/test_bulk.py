"""`tirtha remember` of files and pipes: what is reported, with which status, and what a second try does."""

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from memory.encoding.encoder import Encoder
from tests.support.command import tirtha
from tests.support.server import COMMAND, environment, running, serving

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bulk") / "home"


@pytest.fixture(scope="module")
def server(home: Path, encoder: Encoder) -> Iterator[str]:
    """The address of a server on `home`."""
    with serving(home, encoder) as url:
        yield url


def line(text: str, **more: Any) -> str:
    return json.dumps({"role": "user", "text": text} | more) + "\n"


def held(server: str, user: str) -> int:
    """How many turns are remembered of a user."""
    sessions = httpx.get(f"{server}/v1/sessions", params={"user_id": user}).json()["sessions"]
    return sum(int(one["turns"]) for one in sessions)


def test_a_bad_line_near_the_end_is_reported_and_sent_again_when_corrected(
    server: str, home: Path, tmp_path: Path
) -> None:
    file = tmp_path / "turns.jsonl"
    good = [line(f"This is turn {number} of many.") for number in range(1, 1_301)]
    file.write_text("".join([*good[:1_150], '{"role": \n', *good[1_150:]]))
    first = tirtha(home, "remember", "--file", str(file), "--user", "late")
    assert first.returncode == 1
    assert first.stdout.startswith("1300 stored, 0 known already, 1 rejected\n  line 1151: line is no JSON")
    assert first.stderr == ""
    file.write_text("".join([*good[:1_150], line("corrected"), *good[1_150:]]))
    second = tirtha(home, "remember", "--file", str(file), "--user", "late", "--json")
    assert second.returncode == 0
    summary = json.loads(second.stdout)
    assert (summary["received"], summary["stored"], summary["duplicates"], summary["rejected"]) == (1_301, 1, 1_300, [])
    assert summary["complete"] is True
    assert held(server, "late") == 1_301


def test_nothing_good_is_no_success(server: str, home: Path, tmp_path: Path) -> None:
    file = tmp_path / "turns.jsonl"
    file.write_bytes(b'{"text": "caf\xe9"}\n[]\n{"role": "robot", "text": "x"}\n{"role": "user", "text": " "}\n')
    run = tirtha(home, "remember", "--file", str(file), "--user", "none")
    assert run.returncode == 1
    first, *lines, _ = run.stdout.splitlines()
    assert first == "0 stored, 0 known already, 4 rejected"
    assert [line[: len("  line 1: xxxx")] for line in lines if line.startswith("  line")] == [
        "  line 1: line",
        "  line 2: line",
        "  line 3: role",
        "  line 4: text",
    ]
    assert "is not UTF-8: its byte 14 is 0xe9" in run.stdout
    assert held(server, "none") == 0


def test_a_thousand_bad_lines_are_listed_and_all_are_counted(server: str, home: Path) -> None:
    run = tirtha(home, "remember", "--file", "-", "--user", "many", stdin=b"x\n" * 1_500)
    assert run.returncode == 1
    assert run.stdout.startswith("0 stored, 0 known already, 1500 rejected\n")
    assert run.stdout.count("\n  line ") == 1_000
    assert "\n  and 500 lines more\n" in run.stdout


def test_a_file_of_windows_is_read(server: str, home: Path, tmp_path: Path) -> None:
    file = tmp_path / "turns.jsonl"
    file.write_bytes(b"\xef\xbb\xbf" + (line("one") + "\n" + line("two")).replace("\n", "\r\n").encode())
    run = tirtha(home, "remember", "--file", str(file), "--user", "windows")
    assert (run.returncode, run.stdout.splitlines()[0]) == (0, "2 stored, 0 known already, 0 rejected")


def test_standard_input_is_read_for_a_text_and_for_lines(server: str, home: Path) -> None:
    text = tirtha(home, "remember", "-", "--user", "pipe", stdin=b"My cat is called Miso.\nShe is grey.\n")
    assert text.returncode == 0
    found = tirtha(home, "recall", "What is the cat called?", "--user", "pipe", "--json")
    assert json.loads(found.stdout)["evidence"][0]["text"] == "My cat is called Miso.\nShe is grey."
    lines = tirtha(home, "remember", "--file", "-", "--user", "pipe2", "--session", "s1", stdin=line("one").encode())
    assert (lines.returncode, lines.stdout) == (0, "1 stored, 0 known already, 0 rejected\n")
    sessions = httpx.get(f"{server}/v1/sessions", params={"user_id": "pipe2"}).json()["sessions"]
    assert [one["session_id"] for one in sessions] == ["s1"]
    bad = tirtha(home, "remember", "-", "--user", "pipe", stdin=b"one\ntwo \xff\n")
    assert (bad.returncode, bad.stderr) == (1, "line 2 of standard input is not UTF-8: its byte 5 is 0xff\n")


def test_two_pipes_of_one_name_are_two_files(server: str, home: Path, tmp_path: Path) -> None:
    for _ in range(2):
        shell = f"'{COMMAND}' remember --file <(printf '%s' '{line('Yes.').strip()}') --user fifo"
        run = subprocess.run(["bash", "-c", shell], env=environment(home), capture_output=True, text=True, check=False)
        assert (run.returncode, run.stdout.splitlines()[0]) == (0, "1 stored, 0 known already, 0 rejected")
    assert held(server, "fifo") == 2


@pytest.mark.parametrize("file", ["-", "turns.jsonl"])
def test_an_interrupted_file_is_reported_and_the_server_stores_no_more(
    server: str, home: Path, tmp_path: Path, file: str
) -> None:
    user = f"interrupted-{len(file)}"
    lines = [line(f"This is turn {number} of many.", id=str(number)) for number in range(3_000)]
    (tmp_path / file).write_text("".join(lines))
    command = [COMMAND, "remember", "--file", file, "--user", user, "--json"]
    with subprocess.Popen(
        command, env=environment(home), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=tmp_path
    ) as process:
        assert process.stdin
        assert process.stdout
        if file == "-":
            process.stdin.write("".join(lines[:1_024]))
            process.stdin.flush()  # and then nothing more comes
        while not held(server, user):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        summary = json.loads(process.stdout.read())
    assert process.returncode == 130
    assert summary["complete"] is False
    stored = held(server, user)
    in_doubt = summary["in_doubt"] or [1, 0]
    assert summary["stored"] <= stored <= summary["stored"] + in_doubt[1] - in_doubt[0] + 1
    assert 0 < stored < 3_000


def test_a_server_that_dies_leaves_a_report_and_a_second_try_doubles_nothing(tmp_path: Path, encoder: Encoder) -> None:
    home, file = tmp_path / "home", tmp_path / "turns.jsonl"
    file.write_text("".join(line(f"This is turn {number} of many.") for number in range(1_500)))
    command = [COMMAND, "remember", "--file", str(file), "--user", "u1"]
    with (
        running(home) as server,
        subprocess.Popen(
            command, env=environment(home), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process,
    ):
        while not held(server.url, "u1"):
            assert process.poll() is None
        server.kill()
        summary, fault = process.communicate()
    assert process.returncode == 1
    assert f"the server at {server.url} stopped answering" in fault
    assert "Traceback" not in fault
    assert "Send it again: what is stored already is not stored twice." in summary
    with serving(home, encoder) as url:
        again = tirtha(home, "remember", "--file", str(file), "--user", "u1", "--json")
        counts = json.loads(again.stdout)
        assert (again.returncode, counts["stored"] + counts["duplicates"]) == (0, 1_500)
        assert counts["duplicates"] >= int(summary.split(" ", 1)[0])
        assert held(url, "u1") == 1_500
