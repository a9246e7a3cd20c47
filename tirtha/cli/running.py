"""Running a command's work: settings from flags, environment and file, and every fault that a user can fix printed as one line.

Whatever a command prints goes through `out` and `err`, which write nothing that steers a terminal, and `print_lines`, which keeps a
long line from looking like several.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, NoReturn, TypeVar

import typer
from rich.console import Console
from rich.text import Text

from tirtha.errors import FaceFault, SettingsInvalid
from tirtha.setting_sources import SettingSources
from tirtha.settings import Settings
from tirtha.terminal import FURTHER_LINE, one_entry, printable

__all__ = [
    "CommandFailed",
    "err",
    "file_fault",
    "give_up",
    "given",
    "out",
    "print_lines",
    "read_settings",
    "run",
    "run_here",
]

T = TypeVar("T")
_NARROWEST = 20
INVALID, INTERRUPTED = 2, 130


class _PrintableConsole(Console):
    """A console that prints every text as it is, spelling out what would steer the terminal.

    Rich itself drops five controls (bell, backspace, vertical tab, form feed, carriage return) and lets escape sequences pass.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **options)

    def render_str(self, text: str, **options: Any) -> Text:
        """Return the text to print, of a line, a table's cell or a title."""
        return super().render_str(printable(text), **options)


out: Console = _PrintableConsole()
err: Console = _PrintableConsole(stderr=True)


class CommandFailed(Exception):
    """A command cannot go on; its message says why."""


def given(**fields: Any) -> dict[str, Any]:
    """Leave out what was not given."""
    return {name: value for name, value in fields.items() if value is not None}


def read_settings(**flags: Any) -> Settings:
    """Read the settings; `flags` are those that the command line may give. What is wrong with them ends the command."""
    try:
        return SettingSources(**flags).read()
    except SettingsInvalid as fault:
        give_up(fault, status=INVALID)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's work; print user-fixable errors as one line on stderr and exit 1. Another ends with its traceback."""
    try:
        return asyncio.run(work)
    except (CommandFailed, FaceFault, OSError) as fault:
        give_up(fault)
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None


def run_here(work: Coroutine[Any, Any, T], **flags: Any) -> T:
    """Run work that opens the engine in this process; `flags` are those of `read_settings`."""
    from cascade.errors import CascadeFault, Misconfigured  # noqa: PLC0415 - the engine is slow to import
    from compaction.errors import CompactionFault  # noqa: PLC0415
    from memory.errors import MemoryFault  # noqa: PLC0415

    try:
        return run(work)
    except Misconfigured as fault:
        name = SettingSources(**flags).named_variable(fault.setting)
        give_up(CommandFailed(f"{name}: {fault.why}"))
    except (MemoryFault, CascadeFault, CompactionFault) as fault:
        give_up(fault)


def give_up(fault: Exception, *, status: int = 1) -> NoReturn:
    """End the command with what went wrong."""
    print_lines(err, one_entry(file_fault(fault) if isinstance(fault, OSError) else str(fault)))
    raise typer.Exit(status) from None


def print_lines(console: Console, text: str) -> None:
    """Print lines. On a terminal a line that is too long goes on marked, so that its end cannot look like a line of its own."""
    for line in printable(text).split("\n"):
        whole = not console.is_terminal or len(line) * 2 <= console.width  # no character is wider than two cells
        rows = [line] if whole else _rows(line, console)
        console.print(f"\n{FURTHER_LINE}".join(rows), soft_wrap=True)


def _rows(line: str, console: Console) -> list[str]:
    if Text(line).cell_len <= console.width and "\t" not in line:
        return [line]
    width = max(console.width - len(FURTHER_LINE), _NARROWEST)
    return [row.plain for row in Text(line, overflow="fold").wrap(console, width)]


def file_fault(fault: OSError) -> str:
    """Return what is wrong with a file, where, and what to do."""
    if fault.filename is None:
        return fault.strerror or str(fault)
    match fault:
        case FileNotFoundError():
            return f"there is no {fault.filename}: correct the path"
        case IsADirectoryError():
            return f"{fault.filename} is a folder: name a file"
        case NotADirectoryError():
            return f"a part of the path {fault.filename} is a file, not a folder: correct the path"
        case PermissionError():
            return f"{fault.filename} may not be read or written by you: change its permissions, or name another file"
        case _:
            return f"{fault.filename}: {fault.strerror}"
