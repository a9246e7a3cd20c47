"""Patches that models write: found in a reply, checked for what they may touch, tried against a checkout that stays as it is."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

__all__ = ["Checked", "check_patch", "extract_patches", "named_files", "read_file_at"]

_FENCED = re.compile(r"^```(?:diff|patch)?[ \t]*\n(.*?)^```", re.DOTALL | re.MULTILINE)
_TOUCHED = re.compile(r"^(?:---|\+\+\+) (?:[ab]/)?([^\t\n]+)", re.MULTILINE)
_HUNK = re.compile(r"^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@", re.MULTILINE)
_FILE_HEADER = re.compile(
    r"diff --git |index |(?:old|new|deleted file|new file) mode |(?:dis)?similarity index |(?:rename|copy) (?:from|to) "
)
_PATH = re.compile(r"[\w./-]+\.\w{1,5}\b")
_GIT_S = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """Whether a patch parses and applies (None: there was no checkout to try it on), and what is wrong with it."""

    parses: bool
    applies: bool | None
    why: str = ""


def extract_patches(reply: str) -> list[str]:
    """Find the unified diffs of a reply, fenced or bare: all of them as one patch first, then the last alone.

    A model may give each file its own fence, or a draft and then what it means: which of the two, only a checkout can tell.
    """
    fenced = [patch for block in _FENCED.findall(reply) if (patch := _diff_of(block))]
    if not fenced:
        return [patch] if (patch := _diff_of(reply)) else []
    return list(dict.fromkeys(["".join(fenced), fenced[-1]]))


def check_patch(patch: str, *, checkout: Path | None, commit: str) -> Checked:
    """Check a patch: its form, that it stays inside the repository, and that it applies to `commit` of the checkout."""
    if not patch or not _HUNK.search(patch):
        return Checked(parses=False, applies=None, why="there is no unified diff in the reply")
    touched = {path for path in _TOUCHED.findall(patch) if path != "/dev/null"}
    outside = sorted(path for path in touched if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts)
    if outside or not touched:
        return Checked(parses=False, applies=None, why=f"it leaves the repository: {', '.join(outside) or 'no path'}")
    if checkout is None:
        return Checked(parses=True, applies=None)
    return _try_on(patch, checkout, commit)


def named_files(issue: str, checkout: Path, commit: str) -> list[str]:
    """List files of the commit that an issue names, whole or by their last parts, in naming order. Raises ValueError."""
    found = _git(checkout, "ls-tree", "-r", "--name-only", commit)
    if found.returncode:
        raise ValueError(f"{checkout} has no files at {commit}: {found.stderr.strip()}")
    listed = found.stdout.splitlines()
    named = dict.fromkeys(word.lstrip("./") for word in _PATH.findall(issue))
    return list(dict.fromkeys(file for word in named for file in listed if file == word or file.endswith(f"/{word}")))


def read_file_at(checkout: Path, commit: str, file: str) -> str:
    """Read a file as it was at the commit. Raises ValueError if it is not there."""
    found = _git(checkout, "show", f"{commit}:{file}")
    if found.returncode:
        raise ValueError(f"{file} is not in {checkout} at {commit}: {found.stderr.strip()}")
    return found.stdout


def _diff_of(text: str) -> str:
    """Give the headers and hunks in a text, without the prose around them; "" without a hunk or a file's header."""
    kept = list(_diff_lines(text.split("\n")))
    return "\n".join([*kept, ""]) if any(map(_HUNK.match, kept)) and kept[0].startswith(("diff --git ", "--- ")) else ""


def _diff_lines(lines: list[str]) -> Iterator[str]:
    """Walk a diff by the counts in its hunks' headers: only they tell a blank last line of a hunk from one after it."""
    old = new = 0
    inside = False
    for place, line in enumerate(lines):
        begins = line.startswith("--- ") and lines[place + 1 : place + 2] and lines[place + 1].startswith("+++ ")
        if old > 0 or new > 0:
            old -= line[:1] in {"", " ", "-"}
            new -= line[:1] in {"", " ", "+"}
            yield line
        elif hunk := _HUNK.match(line):
            old, new = (int(count or 1) for count in hunk.groups())
            inside = True
            yield line
        elif begins or _FILE_HEADER.match(line):
            inside = False
            yield line
        elif (line.startswith("+++ ") and not inside) or (inside and line[:1] in {" ", "+", "-", "\\"}):
            # More lines than a hunk's header counts are kept, so that git finds the fault instead of us hiding it.
            yield line
        else:
            inside = False


def _try_on(patch: str, checkout: Path, commit: str) -> Checked:
    """Apply to an index of its own, so that neither the user's files nor the user's index are touched."""
    with tempfile.TemporaryDirectory(prefix="tirtha-patch-") as folder:
        index = Path(folder) / "index"
        for step in (("read-tree", commit), ("apply", "--cached", "--check", "-")):
            done = _git(checkout, *step, index=index, told=patch if step[0] == "apply" else None)
            if done.returncode:
                return Checked(parses="corrupt patch" not in done.stderr, applies=False, why=done.stderr.strip()[:500])
    return Checked(parses=True, applies=True)


def _git(
    checkout: Path, *words: str, index: Path | None = None, told: str | None = None
) -> "subprocess.CompletedProcess[str]":
    git = shutil.which("git")
    if git is None:
        raise ValueError("git is not installed: patches cannot be tried on a checkout")
    command = [git, "-C", str(checkout), *words]
    env = {"PATH": str(Path(git).parent), "GIT_CONFIG_NOSYSTEM": "1", "HOME": str(checkout)}
    env |= {"GIT_INDEX_FILE": str(index)} if index else {}
    return subprocess.run(command, env=env, input=told, capture_output=True, text=True, check=False, timeout=_GIT_S)  # noqa: S603
