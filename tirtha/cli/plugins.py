"""Commands that packages above this one bring along, by the entry-point group `tirtha.commands`: `tirtha eval`.

They are imported when they are called, not before: a benchmark takes seconds to import, and no arrow of the house points up.
"""

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.exceptions import TyperException

from tirtha.terminal import printable

__all__ = ["WithPlugins"]

_GROUP = "tirtha.commands"


class WithPlugins(TyperGroup):
    """A group with the installed packages' commands beside its own; what it says of bad arguments is printable."""

    def make_context(self, *args: Any, **options: Any) -> Any:
        """Read the arguments before the command."""
        with _printable_faults():
            return super().make_context(*args, **options)

    def invoke(self, ctx: Any) -> Any:
        """Read the command's arguments, and run it."""
        with _printable_faults():
            return super().invoke(ctx)

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        """List our own commands and the plugins'."""
        return [*super().list_commands(ctx), *sorted(entry_points(group=_GROUP).names)]

    def get_command(self, ctx: typer.Context, cmd_name: str) -> TyperCommand | TyperGroup | None:  # type: ignore[override]
        """Return a command by name; a plugin's is not imported yet."""
        found: TyperCommand | TyperGroup | None = super().get_command(ctx, cmd_name)  # type: ignore[assignment]
        plugins = () if found else entry_points(group=_GROUP, name=cmd_name)
        return next(map(_LazyGroup, plugins), found)


@contextmanager
def _printable_faults() -> Iterator[None]:
    """Spell out what would steer the terminal: Typer prints the arguments that it refuses as they are."""
    try:
        yield
    except TyperException as fault:
        fault.message = printable(fault.message)
        raise


class _LazyGroup(TyperGroup):
    """The commands of one plugin, a Typer application that is imported when one of them is needed."""

    def __init__(self, plugin: EntryPoint) -> None:
        super().__init__(name=plugin.name, help=_summary(plugin.module), no_args_is_help=True)
        self._plugin = plugin

    @cached_property
    def _loaded(self) -> TyperGroup:
        loaded = typer.main.get_command(self._plugin.load())
        assert isinstance(loaded, TyperGroup)  # noqa: S101 - an entry point of this group names an application with commands
        return loaded

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        """List the plugin's commands."""
        return self._loaded.list_commands(ctx)

    def get_command(self, ctx: typer.Context, cmd_name: str) -> TyperCommand | TyperGroup | None:  # type: ignore[override]
        """Return one of the plugin's commands."""
        found: TyperCommand | TyperGroup | None = self._loaded.get_command(ctx, cmd_name)  # type: ignore[assignment]
        return found


def _summary(module: str) -> str:
    """Return the first line of a module's docstring, without importing the module; "" if there is none to be found."""
    try:
        spec = find_spec(module)
        source = Path(spec.origin).read_text("utf-8") if spec and spec.origin else ""
    except (ImportError, OSError):  # the entry point of a package that is gone
        return ""
    return (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]
