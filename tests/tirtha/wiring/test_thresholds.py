"""Which models are held to the score over drafts: those of files by default, any by a setting."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from cascade.guards import CorrectnessGuard
from cascade.guards.correctness import correctness_score
from tirtha.settings import PolicySettings, Settings, TierSettings
from tirtha.wiring.cascade import make_cascade
from tirtha.wiring.tiers import Tiers

SMALL = TierSettings(gguf=Path("small.gguf"))
LARGE = TierSettings(url="http://127.0.0.1:9/v1", model="large", input_usd_per_mtok=1, output_usd_per_mtok=1)
FITTED = correctness_score().threshold


async def embed(texts: object) -> NDArray[np.float32]:
    raise AssertionError(texts)


@pytest.mark.parametrize(
    ("asked_for", "thresholds"),
    [
        (None, {"small.gguf": FITTED, "large": 0.0}),
        (0.8, {"small.gguf": 0.8, "large": 0.8}),
        (0.0, {"small.gguf": 0.0, "large": 0.0}),
    ],
)
def test_thresholds(asked_for: float | None, thresholds: dict[str, float]) -> None:
    settings = Settings(local=SMALL, frontier=LARGE, policy=PolicySettings(correct_from=asked_for))
    [guard] = [one for one in make_cascade(settings, Tiers(), embed).guards if isinstance(one, CorrectnessGuard)]
    assert guard.thresholds == thresholds
