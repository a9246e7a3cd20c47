"""No peeking: while answers are being made, the files that hold the hidden tests cannot be opened by this process.

Held by an audit hook (PEP 578), which sees every open, link, copy and child process that Python starts. An attempt fails at once,
and the run with it even if the attempt's error was swallowed. What native code does behind Python's back it cannot see; programs
under test have a sandbox of their own.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

__all__ = ["Peeked", "closed"]

_WATCHED = frozenset(
    {"open", "os.link", "os.symlink", "os.rename", "shutil.copyfile", "subprocess.Popen", "os.exec", "os.posix_spawn"}
)


class Peeked(Exception):
    """Hidden tests were reached for before the answers were settled."""

    def __init__(self, file: str) -> None:
        self.file = file
        super().__init__(
            f"{file} holds hidden tests, and was reached for before the answers were sealed: the run does not count"
        )


class _Watch:
    """The files that are closed now, by device and inode, and who reached for one."""

    def __init__(self) -> None:
        self.barred: dict[tuple[int, int], str] = {}
        self.peeks: list[str] = []
        self.hooked = False

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.barred and event in _WATCHED:
            for path in _paths(arguments):
                if (file := self.barred.get(_identity(path) or (0, 0))) is not None:
                    self.peeks.append(file)
                    raise Peeked(file)


_watch = _Watch()


@contextmanager
def closed(files: Sequence[Path]) -> Iterator[None]:
    """Keep `files` closed. Raises Peeked, at the attempt and again at the end; OSError for a file that is not there."""
    if not _watch.hooked:
        sys.addaudithook(_watch)  # a hook stays for good; with nothing barred it does nothing
        _watch.hooked = True
    barred = {(found.st_dev, found.st_ino): str(file) for file in files for found in [file.stat()]}
    _watch.barred |= barred
    try:
        yield
    finally:
        for key in barred:
            _watch.barred.pop(key, None)
    mine = [file for file in _watch.peeks if file in barred.values()]
    _watch.peeks = [file for file in _watch.peeks if file not in mine]
    if mine:
        raise Peeked(mine[0])


def _paths(arguments: Sequence[object]) -> Iterator[str | bytes]:
    """Find what may be a path among an event's arguments: alone, or in the argument list of a child process."""
    for argument in arguments:
        if isinstance(argument, str | bytes):
            yield argument
        elif isinstance(argument, os.PathLike):
            yield os.fspath(argument)
        elif isinstance(argument, list | tuple):
            yield from _paths(argument)


def _identity(path: str | bytes) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except (OSError, ValueError):  # no such file: the program that opens it will see that
        return None
    return found.st_dev, found.st_ino
