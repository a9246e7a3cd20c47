"""`tirtha keys` and `--key`, as a user types them: on the data folder, through the server, and on an address that others reach."""

import json
import re
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from memory.encoding.encoder import Encoder
from tests.support.command import tirtha, tirtha_here
from tests.support.server import COMMAND, environment, running, serving
from tirtha.cli.app import app

KEY = re.compile(r"trt_[a-z0-9]{10}_[A-Za-z0-9_-]{43}\n")


def test_a_key_is_made_listed_and_revoked_in_the_data_folder(tmp_path: Path) -> None:
    home = tmp_path / "home"
    made = tirtha_here(
        home, "keys", "create", "phone\u202e", "--tenant", "acme", "--rights", "read, write", "--expires", "2099-12-31"
    )
    assert made.returncode == 0, made.stderr
    assert KEY.fullmatch(made.stdout), "the key alone"
    key_id = made.stdout.split("_")[1]
    assert f"Made the key {key_id} (phone\\u202e): read,write of the tenant acme." in made.stderr
    assert made.stdout.strip() not in made.stderr
    assert stat.S_IMODE((home / "pepper").stat().st_mode) == 0o600
    listed = tirtha_here(home, "keys", "list")
    assert f"valid        {key_id} (phone\\u202e): read,write of the tenant acme; made 20" in listed.stdout
    assert "expires 2100-01-01 00:00, last used never" in listed.stdout
    assert tirtha_here(home, "keys", "list", "--tenant", "blue").stdout == "There is no key of the tenant blue.\n"
    revoked = tirtha_here(home, "keys", "revoke", key_id)
    assert revoked.stdout.startswith(f"Revoked the key {key_id}")
    [listed] = json.loads(tirtha_here(home, "keys", "list", "--json").stdout)["keys"]
    assert (listed["id"], listed["state"]) == (key_id, "revoked")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("create", "x", "--rights", "read,rite"), "--rights holds 'rite', which is no right"),
        (("create", "x", "--user", "u1", "--rights", "admin"), "--user cannot be given with the right admin"),
        (("create", "x", "--user", "u1", "--trusted-proxy"), "--trusted-proxy cannot be given with a user"),
        (("create", "x", "--time-zone", "Bergen"), "--time-zone is no time zone such as Europe/Berlin"),
        (("create", " "), "NAME must not be blank"),
        (("revoke", "nothing"), "there is no key 'nothing'"),
    ],
    ids=["right", "bound administrator", "bound proxy", "zone", "name", "id"],
)
def test_what_cannot_be_is_one_line(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    run = CliRunner().invoke(app, ["keys", *arguments], env={"TIRTHA_HOME": str(tmp_path / "home"), "COLUMNS": "200"})
    assert (run.exit_code, run.stdout) == (1, "")
    assert run.stderr.startswith(words)
    assert run.stderr.count("\n") == 1


@pytest.mark.slow
def test_through_the_server_as_its_administrator_and_with_a_key(tmp_path: Path, encoder: Encoder) -> None:
    home = tmp_path / "home"
    with serving(home, encoder) as url:
        made = tirtha(home, "keys", "create", "first", "--user", "u1")
        assert KEY.fullmatch(made.stdout), made.stderr
        assert httpx.get(f"{url}/v1/users").status_code == 401, "at once, on loopback too"
        key, key_id = made.stdout.strip(), made.stdout.split("_")[1]
        done = tirtha_here(home, "remember", "My cat is called Miso.", "--user", "u1")
        assert done.returncode == 0, "who owns the data folder needs no key"
        asked = ("memories", "--user", "u1")
        for run in (tirtha_here(home, *asked, "--key", key), tirtha_here(home, *asked, TIRTHA_KEY=key)):
            assert "Miso" in run.stdout
        file = tmp_path / "key"
        file.write_text(made.stdout)
        assert "Miso" in tirtha_here(home, *asked, TIRTHA_KEY_FILE=str(file)).stdout
        other = tirtha_here(home, "memories", "--user", "u2", "--key", key)
        assert (other.returncode, other.stdout) == (1, "")
        assert "bound to one user" in other.stderr
        assert "the key does not have" in tirtha_here(home, "keys", "list", TIRTHA_KEY=key).stderr
        assert key_id in tirtha_here(home, "keys", "list").stdout
        assert tirtha_here(home, "keys", "revoke", key_id).returncode == 0
        refused = tirtha_here(home, *asked, "--key", key)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert "the API key is not valid: it was revoked" in refused.stderr
        assert "there is no such key" in tirtha_here(home, "stats", "--key", "trt_abcdefghij_" + "A" * 43).stderr
    assert not (home / "server.proof").exists()


@pytest.mark.long
def test_a_key_counts_without_a_server_too(tmp_path: Path) -> None:
    home = tmp_path / "home"
    reader = tirtha(home, "keys", "create", "reader", "--rights", "read").stdout.strip()
    refused = tirtha(home, "remember", "My cat is called Miso.", "--user", "u1", "--key", reader)
    assert refused.returncode == 1
    assert "needs the right 'write'" in refused.stderr
    assert "needs the right 'admin'" in tirtha(home, "keys", "create", "x", "--key", reader).stderr


@contextmanager
def listening_everywhere(home: Path) -> Iterator[str]:
    """A server on every address of this machine; gives the one that it prints."""
    process = subprocess.Popen(
        [COMMAND, "serve", "--host", "0.0.0.0", "--port", "0"],  # noqa: S104 - what is tested
        env=environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout
    try:
        line = process.stdout.readline()
        assert "listens on http://0.0.0.0:" in line, process.wait()
        yield line.split()[3]
    finally:
        process.terminate()
        process.wait(timeout=60)
        process.stdout.close()


@pytest.mark.slow
def test_another_address_is_listened_on_only_with_a_key(tmp_path: Path) -> None:
    home = tmp_path / "home"
    serve = ("serve", "--host", "0.0.0.0", "--port", "0")  # noqa: S104 - it must be refused
    refused = tirtha_here(home, *serve)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "refusing to listen on 0.0.0.0: no API key is made" in refused.stderr
    assert "tirtha keys create NAME" in refused.stderr
    assert not home.exists(), "nothing was made"
    key = tirtha_here(home, "keys", "create", "first").stdout.strip()
    with listening_everywhere(home) as url:
        address = url.replace("0.0.0.0", "127.0.0.1")  # noqa: S104
        assert httpx.get(f"{address}/v1/users").status_code == 401
        shown = {"authorization": f"Bearer {key}", "host": "memory.example"}
        answer = httpx.get(f"{address}/v1/users", headers=shown)
        assert answer.status_code == 200
        assert "server" not in answer.headers
        assert "first" in tirtha_here(home, "keys", "list").stdout, "as the administrator of this machine"
        revoked = tirtha_here(home, "keys", "revoke", key.split("_")[1])
        assert revoked.returncode == 0
        assert httpx.get(f"{address}/v1/users", headers=shown).status_code == 401
    with listening_everywhere(home) as url:
        address = url.replace("0.0.0.0", "127.0.0.1")  # noqa: S104
        assert httpx.get(f"{address}/v1/users").status_code == 401, "a revoked key still means that one is needed"


@pytest.mark.long
def test_a_lost_pepper_is_found_by_the_doctor(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert "none is made" in tirtha(home, "doctor").stdout
    tirtha(home, "keys", "create", "first")
    assert "every request needs one" in tirtha(home, "doctor").stdout
    (home / "pepper").unlink()
    assert "pepper_lost" in tirtha(home, "keys", "list").stdout
    doctor = tirtha(home, "doctor")
    assert doctor.returncode == 1
    assert "1 API keys were made with another pepper" in " ".join(doctor.stdout.split())


@pytest.mark.long
def test_a_server_that_was_killed_leaves_a_proof_that_opens_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running(home) as server:
        proof = (home / "server.proof").read_text()
        assert stat.S_IMODE((home / "server.proof").stat().st_mode) == 0o600
        assert httpx.post(f"{server.url}/v1/keys", json={"name": "first"}).status_code == 201
        server.kill()
    assert (home / "server.proof").read_text() == proof
    with running(home) as server:
        shown = {"authorization": f"Tirtha-Local {proof}"}
        assert httpx.get(f"{server.url}/v1/users", headers=shown).status_code == 401
        shown = {"authorization": f"Tirtha-Local {(home / 'server.proof').read_text()}"}
        assert httpx.get(f"{server.url}/v1/users", headers=shown).status_code == 200
