"""SWE-bench: gold patches stay out, patches are tried without touching the checkout, the official format, what is missing."""

import io
import json
import subprocess
from pathlib import Path

import pytest
from rich.console import Console

from eval.patches import check_patch, extract_patches, named_files
from eval.runs import Options, Run, read_rows, run_benchmark
from eval.swe_bench import SweBench, read_instances
from eval.swe_harness import missing, run_harness
from tests.support.chat_server import ChatServer, chat_server, says, status
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


def commit(folder: Path, name: str, content: bytes) -> str:
    """Commit one file, and give the commit."""
    (folder / name).write_bytes(content)
    git(folder, "add", name)
    git(folder, "commit", "-qm", name)
    return git(folder, "rev-parse", "HEAD")


def asking(instances: Path, **changes: str) -> Path:
    """Change the one instance of the file."""
    row = json.loads(instances.read_text()) | changes
    instances.write_text(json.dumps(row, ensure_ascii=False) + "\n")
    return instances


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
    [patch] = extract_patches(reply)
    assert patch.endswith("    return x / 2\n")
    assert check_patch(patch, checkout=repos / "owner__name", commit="HEAD").applies


def test_a_blank_last_line_of_context_is_kept(repos: Path) -> None:
    folder = repos / "owner__name"
    commit(folder, "notes.md", b"```\none\n```\n\ntwo\n")
    diff = "--- a/notes.md\n+++ b/notes.md\n@@ -1,4 +1,4 @@\n ```\n-one\n+1\n ```\n"
    for reply in (f"```diff\n{diff} \n```\nDone.", f"{diff} \n\nDone.", f"{diff}\n\n- Done: this is no line of it"):
        [patch] = extract_patches(reply)
        assert check_patch(patch, checkout=folder, commit="HEAD").applies, reply


EMPTY = "diff --git a/pkg/__init__.py b/pkg/__init__.py\nnew file mode 100644\nindex 0000000..e69de29\n"
RENAME = (
    "diff --git a/src/half.py b/src/halve.py\nsimilarity index 100%\nrename from src/half.py\nrename to src/halve.py\n"
)


@pytest.mark.parametrize(
    ("reply", "patch"),
    [
        (f"index is off by one in half().\n\n{PATCH}\n\nindex it.", PATCH),
        (f"+++ b/x is the file.\n{PATCH}", PATCH),
        (
            f"1. Do this:\n   ```diff\n{''.join(f'   {line}' for line in PATCH.splitlines(keepends=True))}   ```\n",
            PATCH,
        ),
        (PATCH.replace("\n", "\r\n"), PATCH),
        (f"```diff\n{PATCH}```\nOnce more:\n```diff\n{PATCH}```", PATCH),
        (EMPTY, EMPTY),
        (f"```diff\n{RENAME}```", RENAME),
        (f"```diff\n{EMPTY}```\nand\n```diff\n{PATCH}```", EMPTY + PATCH),
        ("```python\nprint(1)\n```\nindex 0 is fine", None),
    ],
)
def test_replies_as_models_write_them(reply: str, patch: str | None, repos: Path) -> None:
    found = extract_patches(reply)
    assert found == ([] if patch is None else [patch])
    if patch is not None:
        assert check_patch(patch, checkout=repos / "owner__name", commit="HEAD").applies


def test_removed_lines_are_no_headers_and_every_name_in_a_header_counts(repos: Path) -> None:
    folder = repos / "owner__name"
    commit(folder, "a.sql", b"-- /etc/passwd is read\nSELECT 1;\n")
    comment = "--- a/a.sql\n+++ b/a.sql\n@@ -1,2 +1 @@\n--- /etc/passwd is read\n SELECT 1;\n"
    assert check_patch(comment, checkout=folder, commit="HEAD").applies
    for outside in (RENAME.replace("to src/", "to ../../"), EMPTY.replace("b/pkg", "b/../pkg")):
        assert "leaves the repository" in check_patch(outside, checkout=None, commit="HEAD").why


def test_every_file_of_a_reply_is_in_the_patch(repos: Path) -> None:
    other = "--- /dev/null\n+++ b/src/new.py\n@@ -0,0 +1 @@\n+NEW = 1\n"
    [both] = extract_patches(f"First:\n```diff\n{PATCH}```\nThen:\n```diff\n{other}```\n")
    assert both == PATCH + other
    assert check_patch(both, checkout=repos / "owner__name", commit="HEAD").applies
    draft = PATCH.replace("x / 2", "x / 2.0")
    drafted = extract_patches(f"```diff\n{draft}```\nNo:\n```diff\n{PATCH}```\n```diff\n{other}```")
    assert drafted == [draft + PATCH + other, PATCH + other], "which one is meant, a checkout tells"


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


def two_tiers(settings: Settings, local: ChatServer, frontier: ChatServer, *, window_tokens: int = 131_072) -> Settings:
    """The settings, with these two servers as tiers."""
    tiers = {
        name: TierSettings(
            url=server.url, model=model, input_usd_per_mtok=1, output_usd_per_mtok=1, max_tokens=1_024, window_tokens=window
        )
        for name, server, model, window in (
            ("local", local, "openai/gpt (small)", window_tokens), ("frontier", frontier, "frontier", 131_072),
        )
    }  # fmt: skip
    return settings.model_copy(update=tiers)


async def run_on(instances: Path, repos: Path, settings: Settings) -> Run:
    benchmark = SweBench(settings=settings, file=instances, repos=repos)
    return await run_benchmark(benchmark, settings=settings, options=Options(), console=QUIET)


async def test_a_patch_that_does_not_apply_goes_up_a_tier(instances: Path, repos: Path, settings: Settings) -> None:
    with chat_server() as local, chat_server() as frontier:
        local.script = lambda request: says(PATCH.replace("x // 2", "x * 2"))
        frontier.script = lambda request: says(f"```diff\n{PATCH}```")
        run = await run_on(instances, repos, two_tiers(settings, local, frontier))
    prompt = local.requests[0]["messages"][-1]["content"]
    assert "def half(x):\n    return x // 2" in prompt, "the file that the issue names, as it was"
    assert "GOLD" not in prompt
    assert run.report.figures["by the frontier tier"] == {"count": 1, "n": 1}
    [file] = run.folder.glob("predictions_*.jsonl")
    assert json.loads(file.read_text()) == {
        "instance_id": "owner__name-1", "model_name_or_path": "tirtha-openai-gpt-small-frontier", "model_patch": PATCH,
    }  # fmt: skip


async def test_what_a_reply_means_last_stands_where_all_of_it_does_not_apply(
    instances: Path, repos: Path, settings: Settings
) -> None:
    draft = PATCH.replace("x / 2", "x / 2.0")
    with chat_server() as local, chat_server() as frontier:
        local.script = lambda request: says(f"```diff\n{draft}```\nNo, simpler:\n```diff\n{PATCH}```")
        run = await run_on(instances, repos, two_tiers(settings, local, frontier))
    assert not frontier.requests
    assert read_rows(run.folder / "samples.jsonl")[0].value["patch"] == PATCH


@pytest.mark.parametrize(("window", "calls"), [(131_072, 1), (1_100, 0)])
async def test_a_tier_that_is_down_or_too_small_leaves_the_issue_to_the_next(
    instances: Path, repos: Path, settings: Settings, window: int, calls: int
) -> None:
    with chat_server() as local, chat_server() as frontier:
        local.script, frontier.script = lambda request: status(400), lambda request: says(PATCH)
        run = await run_on(instances, repos, two_tiers(settings, local, frontier, window_tokens=window))
    assert len(local.requests) == calls
    [row] = read_rows(run.folder / "samples.jsonl")
    assert row.value["by"] == "frontier"
    assert str(row.value["passed_over"]).startswith("local: ")


async def test_a_bad_patch_stands_where_the_other_tier_is_only_too_small(
    instances: Path, repos: Path, settings: Settings
) -> None:
    with chat_server() as local, chat_server() as frontier:
        frontier.script = lambda request: says(PATCH.replace("x // 2", "x * 2"))
        run = await run_on(instances, repos, two_tiers(settings, local, frontier, window_tokens=1_100))
    [row] = read_rows(run.folder / "samples.jsonl")
    assert not row.fault, "it will be too long the next time as well"
    assert row.value["applies"] is False


@pytest.fixture
def named_logo(instances: Path, repos: Path) -> Path:
    """An issue that names a file that is no text, and has a line break of Unicode's."""
    made = commit(repos / "owner__name", "logo.png", b"\x89PNG\xff\x00")
    return asking(instances, base_commit=made, problem_statement="logo.png and half.py \u2028 differ.")


async def test_files_that_are_no_text_are_not_shown(named_logo: Path, repos: Path, settings: Settings) -> None:
    with chat_server() as local, chat_server() as frontier:
        local.script = lambda request: says(PATCH)
        run = await run_on(named_logo, repos, two_tiers(settings, local, frontier))
    assert read_rows(run.folder / "samples.jsonl")[0].value["applies"] is True
    assert "def half(x):" in local.requests[0]["messages"][-1]["content"]


async def test_without_a_good_patch_a_tier_that_is_down_makes_an_error(
    instances: Path, repos: Path, settings: Settings
) -> None:
    with chat_server() as local, chat_server() as frontier:
        local.script, frontier.script = lambda request: says("no patch"), lambda request: status(400)
        run = await run_on(instances, repos, two_tiers(settings, local, frontier))
    [row] = read_rows(run.folder / "samples.jsonl")
    assert row.fault.startswith("frontier: ")
    assert row.cost_nanousd > 0, "the local tier was paid"
    assert run.report.figures["errors"] == 1


@pytest.fixture
def two_files(instances: Path, repos: Path) -> Path:
    """An issue that names a file too big to show before one that fits."""
    made = commit(repos / "owner__name", "src/big.py", b"BIG = 1\n" * 4_000)
    return asking(instances, base_commit=made, problem_statement="src/big.py and src/half.py differ.")


async def test_a_file_that_does_not_fit_does_not_hide_the_next(
    two_files: Path, repos: Path, settings: Settings
) -> None:
    with chat_server() as local, chat_server() as frontier:
        local.script = lambda request: says(PATCH)
        await run_on(two_files, repos, two_tiers(settings, local, frontier, window_tokens=4_000))
    prompt = local.requests[0]["messages"][-1]["content"]
    assert "BIG = 1" not in prompt
    assert "def half(x):" in prompt


def test_gold_is_proved_anew_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    harness = tmp_path / "python"
    harness.write_text(
        "#!/bin/sh\nwhile [ $# -gt 0 ]; do [ $1 = --run_id ] && id=$2; shift; done\n"
        'echo "$id" >> ids; echo \'{"resolved_instances": 1}\' > "model.$id.json"\n'
    )
    harness.chmod(0o755)
    monkeypatch.setattr("eval.swe_harness.missing", lambda python, folder: [])
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
    with pytest.raises(ValueError, match="cannot run here"):
        run_harness(tmp_path / "no" / "python", tmp_path / "p.jsonl", dataset="d", folder=tmp_path)
