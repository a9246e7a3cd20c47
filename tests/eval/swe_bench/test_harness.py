"""The official harness: gold patches first, and what is missing is named."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from eval.errors import Unusable
from eval.swe_bench.harness import missing, run_harness


@pytest.fixture
def able(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine as the harness wants it: its Docker answers, it is an x86-64, and its disk is large."""
    docker = tmp_path / "bin" / "docker"
    docker.parent.mkdir()
    docker.write_text("#!/bin/sh\n")
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", str(docker.parent), prepend=os.pathsep)
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=200 * 10**9))


@pytest.mark.usefixtures("able")
def test_gold_is_proved_anew_each_time(tmp_path: Path) -> None:
    harness = tmp_path / "python"
    harness.write_text(
        "#!/bin/sh\n[ $1 = -c ] && exit\nwhile [ $# -gt 0 ]; do [ $1 = --run_id ] && id=$2; shift; done\n"
        'echo "$id" >> ids; echo \'{"resolved_instances": 1}\' > "model.$id.json"\n'
    )
    harness.chmod(0o755)
    predictions = tmp_path / "p.jsonl"
    predictions.write_text('{"instance_id": "owner__name-1"}\n')
    for _ in range(2):
        assert run_harness(harness, predictions, dataset="d", folder=tmp_path).resolved == 1
    gold, ours, gold_again, ours_again = (tmp_path / "ids").read_text().split()
    assert gold != gold_again
    assert ours == ours_again


def test_what_the_harness_lacks_is_named(tmp_path: Path) -> None:
    lacking = missing(tmp_path / "no" / "python", folder=tmp_path)
    assert any("pip install swebench" in one for one in lacking)
    with pytest.raises(Unusable, match="cannot run here"):
        run_harness(tmp_path / "no" / "python", tmp_path / "p.jsonl", dataset="d", folder=tmp_path)
