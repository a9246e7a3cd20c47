"""SWE-bench: gold patches stay out, patches are tried without touching the checkout, the official format, what is missing."""

import io
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from eval.patches import check_patch, extract_patch, named_files
from eval.runs import Options, run_benchmark
from eval.swe_bench import SweBench, read_instances
from eval.swe_harness import missing, run_harness
from tests.support.chat_server import Reply, chat_server, says
from tirtha.settings import Settings, TierSettings

QUIET = Console(file=io.StringIO())
PATCH = """diff --git a/src/half.py b/src/half.py
--- a/src/half.py
+++ b/src/half.py
@@ -1,2 +1,2 @@
 def half(x):
-    return x // 2
+    return x / 2
"""


def git(folder: Path, *words: str) -> str:
    command = ["git", "-C", str(folder), "-c", "user.name=t", "-c", "user.email=t@t", *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repos(tmp_path: Path) -> Path:
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
    row = {
        "instance_id": "owner__name-1", "repo": "owner/name", "base_commit": git(repos / "owner__name", "rev-parse", "HEAD"),
        "problem_statement": "half(3) in src/half.py gives 1.", "patch": "GOLD", "test_patch": "GOLD TEST", "FAIL_TO_PASS": "[]",
    }  # fmt: skip
    file = tmp_path / "instances.jsonl"
    file.write_text(json.dumps(row) + "\n")
    return file


def test_gold_patches_and_tests_are_dropped(instances: Path) -> None:
    [one] = read_instances(instances).values()
    assert set(one.__slots__) == {"id", "repo", "commit", "issue"}
    assert "GOLD" not in repr(one)
    instances.write_text("{}")
    with pytest.raises(ValueError, match="not in SWE-bench's format"):
        read_instances(instances)


@pytest.mark.parametrize(
    "reply",
    [
        PATCH,
        f"Here it is:\n```diff\n{PATCH}```\nDone.",
        f"```\n{PATCH.rstrip()}\n```",
        PATCH.partition("\n")[2].rstrip(),
    ],
)
def test_a_patch_is_found_however_it_is_wrapped(reply: str, repos: Path) -> None:
    patch = extract_patch(reply)
    assert patch.endswith("    return x / 2\n")
    assert check_patch(patch, checkout=repos / "owner__name", commit="HEAD").applies


@pytest.mark.parametrize(
    ("patch", "why"),
    [
        ("", "no unified diff"),
        ("no diff at all", "no unified diff"),
        (PATCH.replace("src/half.py", "../outside.py"), "leaves the repository"),
        (PATCH.replace("a/src/half.py", "/etc/passwd"), "leaves the repository"),
        (PATCH.replace("return x // 2", "return x * 2"), "does not apply"),
        (PATCH.replace("src/half.py", "src/none.py"), "none.py"),
    ],
)
def test_what_is_wrong_with_a_patch_is_said(repos: Path, patch: str, why: str) -> None:
    found = check_patch(patch, checkout=repos / "owner__name", commit="HEAD")
    assert not found.applies
    assert why in found.why


def test_the_checkout_stays_as_it_is_and_named_files_are_found(repos: Path) -> None:
    folder = repos / "owner__name"
    before = git(folder, "status", "--porcelain")
    assert check_patch(PATCH, checkout=folder, commit="HEAD").applies, "to the commit, not to what changed since"
    assert git(folder, "status", "--porcelain") == before
    assert named_files("see `half.py` and nothing.py", folder, "HEAD") == ["src/half.py"]


async def test_a_patch_that_does_not_apply_goes_up_a_tier(instances: Path, repos: Path, settings: Settings) -> None:
    def cheap(request: dict[str, Any]) -> Reply:
        return says(PATCH.replace("x // 2", "x * 2"))

    with chat_server() as local, chat_server() as frontier:
        local.script, frontier.script = cheap, lambda request: says(f"```diff\n{PATCH}```")
        own = settings.model_copy(
            update={
                name: TierSettings(url=server.url, model=name, input_usd_per_mtok=1, output_usd_per_mtok=1)
                for name, server in (("local", local), ("frontier", frontier))
            }
        )
        benchmark = SweBench(settings=own, file=instances, repos=repos)
        run = await run_benchmark(benchmark, settings=own, options=Options(), console=QUIET)
    prompt = local.requests[0]["messages"][-1]["content"]
    assert "def half(x):\n    return x // 2" in prompt, "the file that the issue names, as it was"
    assert "GOLD" not in prompt
    assert run.report.figures["by the frontier tier"] == {"count": 1, "n": 1}
    [file] = run.folder.glob("predictions_*.jsonl")
    assert json.loads(file.read_text()) == {
        "instance_id": "owner__name-1", "model_name_or_path": "tirtha (local then frontier)", "model_patch": PATCH,
    }  # fmt: skip


def test_what_the_harness_lacks_is_named(tmp_path: Path) -> None:
    lacking = missing(tmp_path / "no" / "python", folder=tmp_path)
    assert any("pip install swebench" in one for one in lacking)
    with pytest.raises(ValueError, match="cannot run here"):
        run_harness(tmp_path / "no" / "python", tmp_path / "p.jsonl", dataset="d", folder=tmp_path)
