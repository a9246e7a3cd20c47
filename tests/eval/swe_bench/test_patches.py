"""Patches: found however a model wraps them, and tried without touching the checkout."""

from pathlib import Path

import pytest

from eval.swe_bench.patches import check_patch, extract_patches, named_files
from tests.eval.swe_bench.repository import PATCH, commit, git

EMPTY = "diff --git a/pkg/__init__.py b/pkg/__init__.py\nnew file mode 100644\nindex 0000000..e69de29\n"

RENAME = (
    "diff --git a/src/half.py b/src/halve.py\nsimilarity index 100%\nrename from src/half.py\nrename to src/halve.py\n"
)


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
    assert drafted == [draft + PATCH + other, PATCH + other], "which one is meant, a checkout shows"


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
