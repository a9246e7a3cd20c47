"""The benchmarks' commands: `tirtha eval ...`. Only they may see the benchmarks, and only when they are called."""

from tirtha.eval_commands import answers, code, recall, runs  # noqa: F401 - each hangs its commands on the application
from tirtha.eval_commands.options import eval_app

__all__ = ["eval_app"]
