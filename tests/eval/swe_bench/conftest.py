"""A checkout that has changed since its commit, and an instance about it."""

import json
from pathlib import Path

import pytest

from tests.eval.swe_bench.repository import git


@pytest.fixture
def repos(tmp_path: Path) -> Path:
    """A folder of one checkout, whose file has changed since its commit."""
    folder = tmp_path / "repos" / "owner__name"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "half.py").write_text("def half(x):\n    return x // 2\n")
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    (folder / "src" / "half.py").write_text("changed since\n")
    return folder.parent


@pytest.fixture
def instances(tmp_path: Path, repos: Path) -> Path:
    """A file of one instance, with the gold patch that nobody may see."""
    row = {
        "instance_id": "owner__name-1", "repo": "owner/name", "base_commit": git(repos / "owner__name", "rev-parse", "HEAD"),
        "problem_statement": "half(3) in src/half.py gives 1.", "patch": "GOLD", "test_patch": "GOLD TEST", "FAIL_TO_PASS": "[]",
    }  # fmt: skip
    file = tmp_path / "instances.jsonl"
    file.write_text(json.dumps(row) + "\n")
    return file
