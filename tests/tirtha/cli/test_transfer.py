"""`tirtha export` and `tirtha import`: files, pipes, statuses, with a server and without."""

import json
import os
import pty
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from memory.encoding.encoder import Encoder
from tests.support.command import tirtha
from tests.support.exports import body_of, export_of, turn_line
from tests.support.server import COMMAND, environment, serving

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("transfer") / "home"


@pytest.fixture(scope="module")
def server(home: Path, encoder: Encoder) -> Iterator[str]:
    """The address of a server on `home`."""
    with serving(home, encoder) as url:
        yield url


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "backup.jsonl"
    made.write_bytes(export_of(turn_line(number, text=f"Turn {number} of ä \u202e\x9b31m.") for number in range(1_000)))
    return made


def exported(home: Path, *arguments: str) -> bytes:
    command = [COMMAND, "export", *arguments]
    run = subprocess.run(command, env=environment(home), capture_output=True, check=False, timeout=120)
    assert run.returncode == 0, run.stderr
    assert run.stderr == b""
    return run.stdout


def test_a_backup_goes_in_and_comes_out(server: str, home: Path, file: Path) -> None:
    rehearsed = tirtha(home, "import", str(file), "--user", "in-out", "--dry-run")
    assert rehearsed.returncode == 0
    assert rehearsed.stdout.startswith("1000 would be stored, 0 known already, 0 rejected, 0 skipped\n")
    assert tirtha(home, "import", str(file), "--user", "in-out").stdout.startswith("1000 stored, 0 known already")
    again = tirtha(home, "import", "-", "--user", "in-out", "--json", stdin=file.read_bytes())
    assert json.loads(again.stdout)["duplicates"] == 1_000
    whole = exported(home, "--user", "in-out")
    assert body_of(whole).replace(b"in-out", b"u1") != b""
    assert json.loads(whole.split(b"\n")[0])["user_id"] == "in-out"
    assert len(whole.split(b"\n")) == 1_003
    assert exported(home).count(b"in-out") >= 1_000


def test_what_is_rejected_is_reported_with_status_1(server: str, home: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.jsonl"
    broken.write_bytes(export_of([turn_line(0), turn_line(0, text="another"), b"{}"]))
    run = tirtha(home, "import", str(broken), "--user", "conflict")
    assert run.returncode == 1
    assert "1 stored, 0 known already, 2 rejected" in run.stdout
    assert "  line 3 rejected: id is the id of another turn" in run.stdout


def test_a_file_that_is_not_whole_or_no_export_is_refused(server: str, home: Path, file: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.jsonl"
    cut.write_bytes(file.read_bytes()[:-30])
    run = tirtha(home, "import", str(cut), "--user", "cut")
    assert (run.returncode, run.stdout) == (1, "")
    assert "so it is cut off" in run.stderr
    assert "1,000 turns" in run.stderr
    held = httpx.get(f"{server}/v1/sessions", params={"user_id": "cut"}).json()["sessions"]
    assert [one["turns"] for one in held] == [1_000]
    large = tmp_path / "large.bin"
    large.write_bytes(b"no export\n" * 3_000_000)  # more than sockets hold: the refusal comes before its end
    run = tirtha(home, "import", str(large))
    assert run.returncode == 1
    assert "is no JSON" in run.stderr
    run = tirtha(home, "import", str(tmp_path / "nowhere"))
    assert run.returncode == 2


def test_an_export_is_not_written_to_a_terminal(server: str, home: Path) -> None:
    terminal, inside = pty.openpty()
    run = subprocess.run(
        [COMMAND, "export"], env=environment(home), stdout=inside, stderr=subprocess.PIPE, check=False, timeout=60
    )
    os.close(inside)
    os.close(terminal)
    assert run.returncode == 2
    assert b"> FILE" in run.stderr


def test_the_progress_is_shown_on_a_terminal_only(server: str, home: Path, file: Path) -> None:
    terminal, inside = pty.openpty()
    run = subprocess.run(
        [COMMAND, "import", str(file), "--user", "shown"],
        env=environment(home, TERM="xterm"),
        stdout=subprocess.PIPE,
        stderr=inside,
        check=True,
        timeout=60,
    )
    os.close(inside)
    shown = os.read(terminal, 65_536)
    os.close(terminal)
    assert b"Importing" in shown
    assert run.stdout.startswith(b"1000 stored")


@pytest.mark.long
def test_without_a_server_it_is_the_same(tmp_path: Path) -> None:
    home, file, cut = tmp_path / "home", tmp_path / "small.jsonl", tmp_path / "cut.jsonl"
    file.write_bytes(export_of(turn_line(number) for number in range(20)))
    run = tirtha(home, "import", str(file))
    assert (run.returncode, run.stdout.split("\n")[0]) == (0, "20 stored, 0 known already, 0 rejected, 0 skipped")
    assert len(exported(home, "--user", "u1").split(b"\n")) == 23
    cut.write_bytes(file.read_bytes()[:-30])
    assert "so it is cut off" in tirtha(home, "import", str(cut)).stderr
