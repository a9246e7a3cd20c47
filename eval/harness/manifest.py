"""The manifest of a run: everything that its figures depend on, so that somebody else can make them again.

Code (version, commit, whether it was changed, a hash of the packages), settings without secrets, models, prompts, prices, data
by hash, seeds, machine and library versions. A run may go on if config, data, models, settings and code are the same.
"""

import json
import platform
import subprocess
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

import cascade
import compaction
import language
import memory
import tirtha
from cascade.prompts import prompts_hash
from eval.harness.report import Json
from tirtha.settings import Settings

__all__ = ["Code", "config_hash", "find_code", "make_manifest", "sha256_of"]

_LIBRARIES = ("lancedb", "numpy", "openai", "scipy", "scikit-learn", "sentence-transformers", "tiktoken", "torch")
_OF_NO_ANSWER = {"home", "config", "host", "port", "log_level", "database_url", "record_to"}
_OF_FIGURES = {".py", ".xz", ".npz", ".json", ".md"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """Which code ran: commit (empty outside a checkout), whether files differed from it, hash of the engine's files."""

    version: str
    commit: str
    dirty: bool
    sha256: str

    @property
    def short(self) -> str:
        """Seven letters that name it in a folder's name."""
        return (self.commit or self.sha256)[:7]


@cache
def find_code() -> Code:
    """Return which code is running."""
    commit = _git("rev-parse", "HEAD")
    return Code(
        version=tirtha.__version__, commit=commit, dirty=bool(commit and _git("status", "--porcelain")), sha256=_engine_sha256()
    )  # fmt: skip


def make_manifest(
    *, name: str, config: Mapping[str, Json], data: Sequence[Path], settings: Settings, models: Mapping[str, Json]
) -> dict[str, Json]:
    """Return the manifest of a run of benchmark `name`. Raises OSError if a data file cannot be read."""
    code = find_code()
    hashes = {name: sha256_of(file) for name, file in _named(data).items()}
    shown = settings.model_dump(mode="json", exclude=_OF_NO_ANSWER)  # secrets are masked in it
    return {
        "benchmark": name,
        "config": config,
        "config_hash": config_hash(name, config, hashes, models, shown),
        "data_sha256": hashes,
        "code": {"version": code.version, "commit": code.commit, "dirty": code.dirty, "sha256": code.sha256},
        "models": models,
        "prompts_sha256": prompts_hash(),
        "settings": shown,
        "machine": {
            "python": platform.python_version(),
            "platform": platform.platform(terse=True),
            "cpus": psutil.cpu_count() or 0,
            "memory_mb": psutil.virtual_memory().total // 2**20,
        },
        "libraries": {name: _version(name) for name in _LIBRARIES},
    }


def _named(data: Sequence[Path]) -> dict[str, Path]:
    """Name files as shortly as distinguishes them: official files of several tasks are all called the same."""
    names = Counter(file.name for file in data)
    return {file.name if names[file.name] == 1 else file.absolute().as_posix(): file for file in data}


def config_hash(
    name: str,
    config: Mapping[str, Json],
    data: Mapping[str, str],
    models: Mapping[str, Json],
    settings: Mapping[str, Json],
) -> str:
    """Hash what must be the same for a run to go on: benchmark, config, data, models, settings and the engine's code."""
    whole = json.dumps([name, config, data, models, settings, _engine_sha256()], sort_keys=True)
    return sha256(whole.encode()).hexdigest()[:16]


def sha256_of(file: Path) -> str:
    """Hash a file's bytes. Raises OSError."""
    with file.open("rb") as opened:
        digest = sha256()
        while block := opened.read(2**20):
            digest.update(block)
    return digest.hexdigest()


@cache
def _engine_sha256() -> str:
    """Hash what the figures depend on: the packages' code, models and prompts."""
    folders = [Path(found) for package in (language, memory, compaction, cascade, tirtha) for found in package.__path__]
    folders.append(Path(__file__).parents[1])
    files = sorted(file for folder in folders for file in folder.rglob("*") if file.suffix in _OF_FIGURES)
    digest = sha256()
    for file in _not_cached(files):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _not_cached(files: Iterable[Path]) -> Iterable[Path]:
    return (file for file in files if "__pycache__" not in file.parts)


def _git(*words: str) -> str:
    """Ask git about the checkout that this file is in; "" where there is none."""
    command = ["git", "-C", str(Path(__file__).parent), *words]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return ""


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
