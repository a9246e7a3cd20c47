"""Benchmarks.

The commands of `tirtha eval`. The entry point `tirtha.commands` joins `app` to the command line, which imports it only when
one of them is called.
"""

from eval.commands import benchmarks, fitting, official, runs  # noqa: F401 - each hangs its commands on the application
from eval.commands.application import app

__all__ = ["app"]
