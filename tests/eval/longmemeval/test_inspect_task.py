"""LongMemEval as a task of inspect-ai."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.integration
def test_inspect_runs_the_task(file: Path, server: str, tmp_path: Path) -> None:
    task = f"{Path(__file__).parents[3] / 'eval' / 'longmemeval' / 'inspect_task.py'}@longmemeval"
    command = [
        str(Path(sys.executable).with_name("inspect")), "eval", task, "--model", "none", "--display", "plain",
        "--log-format", "json", "--log-dir", str(tmp_path), "-T", f"file={file}", "-T", f"base_url={server}",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    log = json.loads(next(tmp_path.glob("*longmemeval*.json")).read_text())
    figures = {score["name"]: score["metrics"]["mean"]["value"] for score in log["results"]["scores"]}
    assert figures["sessions_named"] == 1.0
    assert 0 < figures["answer_f1"] <= 1
