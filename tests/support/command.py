"""The command line as a user types it, on a data folder of its own: a process, or the same commands in this one.

A process imports for seconds, so a test that is about what a command does and says, and not about the process, runs it here.
"""

import subprocess
from pathlib import Path

from typer.testing import CliRunner

from tests.support.server import COMMAND, environment
from tirtha.cli.app import app

__all__ = ["tirtha", "tirtha_here"]

_WIDE = {"COLUMNS": "200", "TERM": "dumb"}


def tirtha(home: Path, *arguments: str, stdin: bytes = b"", **extra: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; `extra` are variables of its environment."""
    ended = subprocess.run(
        [COMMAND, *arguments],
        env=environment(home, **_WIDE | extra),
        input=stdin,
        capture_output=True,
        check=False,
        timeout=120,
    )
    return subprocess.CompletedProcess(ended.args, ended.returncode, ended.stdout.decode(), ended.stderr.decode())


def tirtha_here(home: Path, *arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end in this process; what it raises and does not tell, it raises here.

    There is nothing on its standard input, and tables have the width of this process's terminal.
    """
    variables = _WIDE | {"TIRTHA_HOME": str(home)} | extra
    ended = CliRunner().invoke(app, arguments, env=variables)
    if ended.exception is not None and not isinstance(ended.exception, SystemExit):
        raise ended.exception
    return subprocess.CompletedProcess(arguments, ended.exit_code, ended.stdout, ended.stderr)
