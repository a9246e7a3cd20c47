"""Environments of other projects: made on first use in a folder that git ignores, one each, since their pins contradict each other.

What cannot be installed on a machine is a reason to skip, and the reason says what went wrong.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

__all__ = ["CLIENTS", "Environment", "node_environment", "python_environment"]

CLIENTS = Path(__file__).with_name("clients")
_ROOT = Path(__file__).parents[2] / ".venv-integrations" / "clients"
_INSTALL_S = 900
_RUN_S = 300


@dataclass(frozen=True, slots=True)
class Environment:
    """Where scripts of a client run: the command in front of them, and the folder to run them in."""

    command: Sequence[str]
    folder: Path
    copied: bool = False  # Node finds packages beside a script only

    def run(self, script: str, *arguments: str) -> str:
        """Run a script of a client; returns what it printed last."""
        at = Path(shutil.copy(CLIENTS / script, self.folder)) if self.copied else CLIENTS / script
        command = [*self.command, str(at), *arguments]
        done = subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, encoding="utf-8", timeout=_RUN_S, check=False
        )
        assert done.returncode == 0, f"{script} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
        return done.stdout.strip().splitlines()[-1]


def python_environment(*packages: str) -> Environment:
    """Return a virtual environment with these packages."""
    folder = _ROOT / "-".join(package.partition("[")[0] for package in packages)
    python = folder / "bin" / "python"
    if _is_new(folder, packages):
        _install([sys.executable, "-m", "venv", "--clear", str(folder)], folder)
        _install([str(python), "-m", "pip", "install", "--quiet", *packages], folder)
        _note(folder, packages)
    return Environment([str(python)], folder)


def node_environment(*packages: str) -> Environment:
    """Return a folder with these packages of npm and a Node that they support.

    Node comes from npm, too, and npm itself is run by it: an older one would choose older packages, without a word.
    """
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not on this machine")
    folder = _ROOT / "node"
    node = folder / "node_modules" / "node" / "bin" / "node"
    if _is_new(folder, packages):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        folder.joinpath("package.json").write_text('{"private": true}')
        _install([npm, "install", "--no-audit", "--no-fund", "node@22"], folder)
        _install([str(node), str(Path(npm).resolve()), "install", "--no-audit", "--no-fund", *packages], folder)
        _note(folder, packages)
    return Environment([str(node)], folder, copied=True)


def _is_new(folder: Path, packages: Sequence[str]) -> bool:
    noted = folder / "installed.json"
    return not noted.exists() or json.loads(noted.read_text()) != list(packages)


def _note(folder: Path, packages: Sequence[str]) -> None:
    folder.joinpath("installed.json").write_text(json.dumps(list(packages)))


def _install(command: Sequence[str], folder: Path) -> None:
    """Run an installer; where it fails, the test is skipped."""
    at = folder if folder.is_dir() else None
    try:
        done = subprocess.run(command, cwd=at, capture_output=True, text=True, timeout=_INSTALL_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as fault:
        pytest.skip(f"cannot be installed here: {fault}")
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines()
        pytest.skip(f"cannot be installed here: {lines[-1] if lines else done.returncode}")
