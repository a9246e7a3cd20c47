"""The command line as a user types it: a real process, on a data folder of its own."""

import subprocess
from pathlib import Path

from tests.support.server import COMMAND, environment

__all__ = ["tirtha"]


def tirtha(home: Path, *arguments: str, stdin: bytes = b"", **extra: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; `extra` are variables of its environment."""
    wide = {"COLUMNS": "200", "TERM": "dumb"} | extra
    ended = subprocess.run(
        [COMMAND, *arguments],
        env=environment(home, **wide),
        input=stdin,
        capture_output=True,
        check=False,
        timeout=120,
    )
    return subprocess.CompletedProcess(ended.args, ended.returncode, ended.stdout.decode(), ended.stderr.decode())
