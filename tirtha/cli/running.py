"""Running a command's work: settings from the environment, and every fault that a user can fix printed as one line."""

import asyncio
from collections.abc import Coroutine
from typing import Any, NoReturn, TypeVar

import typer
from pydantic import ValidationError
from rich.console import Console

from tirtha.errors import FaceFault
from tirtha.settings import Settings

__all__ = ["CommandFailed", "err", "give_up", "given", "out", "read_settings", "run", "run_here"]

T = TypeVar("T")
out = Console()
err = Console(stderr=True)


class CommandFailed(Exception):
    """A command cannot go on; its message says why."""


def given(**fields: Any) -> dict[str, Any]:
    """Leave out what was not given."""
    return {name: value for name, value in fields.items() if value is not None}


def read_settings(**overrides: Any) -> Settings:
    """Read the settings; what is wrong with them ends the command."""
    try:
        return Settings(**given(**overrides))
    except ValidationError as fault:
        errors = [f"TIRTHA_{'_'.join(map(str, one['loc'])).upper()}: {one['msg']}" for one in fault.errors()]
        err.print("The settings are not valid. " + "; ".join(errors), markup=False)
        raise typer.Exit(2) from None
    except (FileNotFoundError, ValueError) as fault:
        err.print(str(fault), markup=False)
        raise typer.Exit(2) from None


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's work; print user-fixable errors as one line on stderr and exit 1."""
    try:
        return asyncio.run(work)
    except (CommandFailed, FaceFault, OSError, ValueError) as fault:
        give_up(fault)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def run_here(work: Coroutine[Any, Any, T]) -> T:
    """Run work that opens the engine in this process."""
    from cascade.errors import CascadeFault  # noqa: PLC0415 - the engine is slow to import
    from memory.errors import MemoryFault  # noqa: PLC0415

    try:
        return run(work)
    except (MemoryFault, CascadeFault) as fault:
        give_up(fault)


def give_up(fault: Exception) -> NoReturn:
    """End the command with what went wrong."""
    err.print(str(fault), markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(1) from None
