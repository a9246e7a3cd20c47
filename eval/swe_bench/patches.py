"""Patches that models write: found in a reply, checked for what they may touch, tried against a checkout that stays as it is."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from eval.errors import Unusable

__all__ = ["Checked", "check_patch", "extract_patches", "named_files", "read_file_at"]

_FENCED = re.compile(r"^([ \t]*)```(?:diff|patch)?[ \t]*\n(.*?)^\1```", re.DOTALL | re.MULTILINE)
_HUNK = re.compile(r"@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@")
_EXTENDED = re.compile(
    r"index [0-9a-f]+\.\.|(?:dis)?similarity index |(old|new|deleted file|new file) mode |(rename|copy) (?:from|to) "
)
_NAMED = re.compile(r"(?:---|\+\+\+) ([^\t]+)|(?:rename|copy) (?:from|to) (.+)")
_PATH = re.compile(r"[\w./-]+\.\w{1,5}\b")
_GIT_S = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """Whether a patch parses and applies (None: there was no checkout to try it on), and what is wrong with it."""

    parses: bool
    applies: bool | None
    why: str = ""


def extract_patches(reply: str) -> list[str]:
    """Find the unified diffs of a reply, fenced or bare: all of them as one patch first, then only the last of each file.

    A model may give one file's hunks in several fences, or a draft and then what it means: only a checkout can tell.
    """
    told = reply.replace("\r\n", "\n")
    fenced = [re.sub(rf"^{indent}", "", block, flags=re.MULTILINE) for indent, block in _FENCED.findall(told)]
    sections = list(dict.fromkeys(one for block in fenced for one in _sections(block))) or _sections(told)
    last_of_each = {section.partition("\n")[0]: section for section in sections}
    return list(dict.fromkeys(patch for patch in ("".join(sections), "".join(last_of_each.values())) if patch))


def check_patch(patch: str, *, checkout: Path | None, commit: str) -> Checked:
    """Check a patch: its form, that it stays inside the repository, and that it applies to `commit` of the checkout."""
    if not _sections(patch):
        return Checked(parses=False, applies=None, why="there is no unified diff in the reply")
    outside = sorted(
        path for path in _touched(patch) if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts
    )
    if outside:
        return Checked(parses=False, applies=None, why=f"it leaves the repository: {', '.join(outside)}")
    if checkout is None:
        return Checked(parses=True, applies=None)
    return _try_on(patch, checkout, commit)


def named_files(issue: str, checkout: Path, commit: str) -> list[str]:
    """List files of the commit that an issue names, whole or by their last parts, in naming order. Raises Unusable."""
    found = _git(checkout, "ls-tree", "-r", "--name-only", commit)
    if found.returncode:
        raise Unusable(f"{checkout} has no files at {commit}: {_said(found)}")
    listed = found.stdout.decode("utf-8", "replace").splitlines()
    named = dict.fromkeys(word.lstrip("./") for word in _PATH.findall(issue))
    return list(dict.fromkeys(file for word in named for file in listed if file == word or file.endswith(f"/{word}")))


def read_file_at(checkout: Path, commit: str, file: str) -> str | None:
    """Read a file as it was at the commit, line ends as they are; None if it is no text in UTF-8. Raises Unusable if absent."""
    found = _git(checkout, "show", f"{commit}:{file}")
    if found.returncode:
        raise Unusable(f"{file} is not in {checkout} at {commit}: {_said(found)}")
    try:
        return found.stdout.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _sections(text: str) -> list[str]:
    """Give the files' parts of the diffs in a text, each from its header on, without the prose around them.

    What changes nothing, neither by a hunk nor by a mode, a name or an empty file, is left out.
    """
    parts: list[list[tuple[str, str]]] = []
    for kind, line in _walk(text.split("\n")):
        if kind == "file":
            parts.append([])
        parts[-1].append((kind, line))
    changing = [
        part for part in parts if any(kind == "hunk" or (kind == "head" and _changes(line)) for kind, line in part)
    ]
    return ["".join(f"{line}\n" for _, line in part) for part in changing]


def _changes(head: str) -> bool:
    found = _EXTENDED.match(head)
    return bool(found and any(found.groups()))


def _walk(lines: list[str]) -> Iterator[tuple[str, str]]:
    """Give the lines of diffs, each with what it is: "file" (the first of a file's part), "head", "hunk" or "body".

    Hunks are walked by the counts in their headers: only those tell a blank last line of a hunk from one after it. More lines than
    a header counts are kept, so that git finds the fault instead of us hiding it.
    """
    old = new = 0
    at = ""  # what the line before was; "" outside of any diff
    known = False
    for place, line in enumerate(lines):
        if old > 0 or new > 0:
            old -= line[:1] in {"", " ", "-"}
            new -= line[:1] in {"", " ", "+"}
            yield "body", line
            continue
        names = line.startswith("--- ") and "".join(lines[place + 1 : place + 2]).startswith("+++ ")
        if line.startswith("diff --git ") or (names and at not in {"file", "head"}):
            at, known = "file", True
        elif at in {"file", "head"} and (names or line.startswith("+++ ") or _EXTENDED.match(line)):
            at = "head"
        elif known and (hunk := _HUNK.match(line)):
            old, new = (int(count or 1) for count in hunk.groups())
            at = "hunk"
        elif at in {"hunk", "body"} and line[:1] in {" ", "+", "-", "\\"}:
            at = "body"
        else:
            at = ""
            continue
        yield at, line


def _touched(patch: str) -> set[str]:
    """Give the paths that a patch's headers name."""
    found: set[str] = set()
    for kind, line in _walk(patch.split("\n")):
        if kind in {"file", "head"}:
            named = _NAMED.match(line)
            found |= (
                set(line.split()[2:])
                if line.startswith("diff --git ")
                else set(filter(None, named.groups() if named else ()))
            )
    return {re.sub(r"^[ab]/", "", path) for path in found} - {"/dev/null"}


def _try_on(patch: str, checkout: Path, commit: str) -> Checked:
    """Apply to an index of its own, so that neither the user's files nor the user's index are touched."""
    with tempfile.TemporaryDirectory(prefix="tirtha-patch-") as folder:
        index = Path(folder) / "index"
        for step in (("read-tree", commit), ("apply", "--cached", "--check", "-")):
            done = _git(checkout, *step, index=index, told=patch if step[0] == "apply" else None)
            if done.returncode:
                why = _said(done)
                return Checked(parses="corrupt patch" not in why, applies=False, why=why[:500])
    return Checked(parses=True, applies=True)


def _said(done: "subprocess.CompletedProcess[bytes]") -> str:
    return done.stderr.decode("utf-8", "replace").strip()


def _git(
    checkout: Path, *words: str, index: Path | None = None, told: str | None = None
) -> "subprocess.CompletedProcess[bytes]":
    git = shutil.which("git")
    if git is None:
        raise Unusable("git is not installed: patches cannot be tried on a checkout")
    command = [git, "-C", str(checkout), *words]
    env = {"PATH": str(Path(git).parent), "GIT_CONFIG_NOSYSTEM": "1", "HOME": str(checkout)}
    env |= {"GIT_INDEX_FILE": str(index)} if index else {}
    given = told.encode("utf-8", "replace") if told is not None else None
    try:
        return subprocess.run(command, env=env, input=given, capture_output=True, check=False, timeout=_GIT_S)  # noqa: S603
    except subprocess.TimeoutExpired as fault:
        raise Unusable(f"git {words[0]} took more than {_GIT_S} s in {checkout}") from fault
