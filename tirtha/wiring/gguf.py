"""From settings to a model that Tirtha serves itself from a GGUF file: whether that can be, and its server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from cascade.errors import Misconfigured, ModelNotServed
from cascade.model import WireProtocol
from cascade.tiers.gguf import GgufModel, GgufServer, gguf_server, installed_runtime, trained_window
from tirtha.settings import TierSettings

__all__ = ["check_gguf", "served_gguf"]

_AT_ONCE = 1  # calls that its server answers at a time; others wait for their turn


def check_gguf(name: str, file: Path, protocol: WireProtocol) -> str:
    """Return what would serve the file of the tier `name`. Raises Misconfigured if nothing can, or not in this protocol."""
    setting = f"TIRTHA_{name.upper()}_GGUF"
    if protocol != "chat":
        why = "must be chat, which is what the server of a GGUF file speaks"
        raise Misconfigured(setting=f"TIRTHA_{name.upper()}_PROTOCOL", why=why)
    runtime = installed_runtime()
    if runtime is None:
        raise Misconfigured(setting=setting, why="what serves it is not installed: pip install 'tirtha[gguf]'")
    try:
        trained_window(file.expanduser())
    except OSError as fault:
        why = f"{file} cannot be read ({fault.strerror}): name a GGUF file"
        raise Misconfigured(setting=setting, why=why) from fault
    except ValueError as fault:
        raise Misconfigured(setting=setting, why=f"{file} is no GGUF file: {fault}") from fault
    return runtime


@asynccontextmanager
async def served_gguf(
    name: str, model: str, configured: TierSettings
) -> AsyncIterator[tuple[GgufServer, TierSettings]]:
    """Serve the file of a tier under the name `model`; yields its server, and the tier's settings with what follows from it.

    Raises Misconfigured.
    """
    assert configured.gguf  # noqa: S101 - the caller has looked
    check_gguf(name, configured.gguf, configured.protocol)
    wanted = GgufModel(
        file=configured.gguf.expanduser().absolute(),
        name=model,
        context_tokens=configured.gguf_context_tokens,
        threads=configured.gguf_threads,
    )
    try:
        async with gguf_server(wanted) as server:
            own = {"window_tokens": server.context_tokens, "concurrency": min(configured.concurrency, _AT_ONCE)}
            yield server, configured.model_copy(update=own)
    except ModelNotServed as fault:
        raise Misconfigured(setting=f"TIRTHA_{name.upper()}_GGUF", why=str(fault)) from fault
