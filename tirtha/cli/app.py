"""The application that every command hangs on: our own, and those that packages above bring along."""

from pathlib import Path
from typing import Annotated

import typer

from tirtha import __version__
from tirtha.cli.commands import agents, decisions, keys, memories, tenants, transfer, upkeep
from tirtha.cli.plugins import WithPlugins
from tirtha.cli.running import give_up, out, read_settings, run_here
from tirtha.errors import Shadowed
from tirtha.import_check import refuse_shadows

__all__ = ["app"]

app = typer.Typer(
    cls=WithPlugins,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Long-context memory.",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        out.print(f"tirtha {__version__}")
        raise typer.Exit


@app.callback()
def before_any_command(
    version: Annotated[  # noqa: ARG001 - its callback acts on it
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="print the version")
    ] = False,
) -> None:
    """Long-context memory: remember every turn, answer from a few cited lines."""
    try:
        refuse_shadows()
    except Shadowed as fault:
        give_up(fault)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="address to listen on")] = None,
    port: Annotated[int | None, typer.Option(help="port; 0 picks a free one and prints it")] = None,
    home: Annotated[Path | None, typer.Option(help="the data folder")] = None,
    local_url: Annotated[str | None, typer.Option(help="the local tier's OpenAI-compatible base URL")] = None,
    local_model: Annotated[str | None, typer.Option(help="its model")] = None,
    local_gguf: Annotated[Path | None, typer.Option(help="or a GGUF file that Tirtha serves for it")] = None,
    frontier_url: Annotated[str | None, typer.Option(help="the frontier tier's base URL")] = None,
    frontier_model: Annotated[str | None, typer.Option(help="its model")] = None,
    frontier_gguf: Annotated[Path | None, typer.Option(help="or a GGUF file that Tirtha serves for it")] = None,
) -> None:
    """Serve the HTTP API."""
    from tirtha.http.server import serve as run_server  # noqa: PLC0415 - the engine is slow to import

    flags = {
        "host": host,
        "port": port,
        "home": home,
        "local": {"url": local_url, "model": local_model, "gguf": local_gguf},
        "frontier": {"url": frontier_url, "model": frontier_model, "gguf": frontier_gguf},
    }
    run_here(run_server(read_settings(**flags)), **flags)


@app.command()
def demo() -> None:
    """Remember a sample history and answer questions over it."""
    from tirtha.cli.commands.demo import run_demo  # noqa: PLC0415 - the engine is slow to import

    run_here(run_demo(read_settings(), out))


for _group in (memories.app, transfer.app, agents.app, decisions.app, upkeep.app):
    app.add_typer(_group)
app.add_typer(tenants.app, name="tenants")
app.add_typer(keys.app, name="keys")
