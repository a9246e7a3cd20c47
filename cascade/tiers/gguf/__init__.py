"""A model from a GGUF file, on this machine: its server in a process of its own, which Tirtha starts, watches and stops."""

from cascade.tiers.gguf.chat import GgufChat
from cascade.tiers.gguf.header import trained_window
from cascade.tiers.gguf.server import GgufModel, GgufServer, gguf_server, installed_runtime

__all__ = ["GgufChat", "GgufModel", "GgufServer", "gguf_server", "installed_runtime", "trained_window"]
