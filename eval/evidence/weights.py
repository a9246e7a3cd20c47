"""Which weights of recall a run judges: the files by hash, and the sets that they were fitted on, by their card.

Knows the cards (docs/models.md) and not what the weights say.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from eval.errors import Unusable
from eval.harness.manifest import sha256_of
from eval.training.sets import LICENCES
from memory.recall.reranker import RecallModels

__all__ = ["fitted_on", "set_apart", "weights_sha256"]

_SHIPPED = [name for name, licence in LICENCES.items() if not licence.endswith("not to be shipped")]


def fitted_on(encoder: str, folder: Path) -> tuple[str, ...]:
    """Return the sets that `folder`'s weights for an encoder learned from; none of the plain fusion, or without a card.

    Raises OSError where a file is missing, Unusable where it does not hold weights.
    """
    try:
        fitted = RecallModels.load(encoder, folder).fitted
    except ValueError as fault:
        raise Unusable(str(fault)) from fault
    if not fitted:
        return ()
    stored = json.loads((folder / "reranker.json").read_text("utf-8"))
    return tuple(stored.get("card", {}).get("data", ()))


def weights_sha256(folder: Path) -> dict[str, str]:
    """Hash the files of weights in `folder`, by name. Raises OSError."""
    return {file.name: sha256_of(file) for file in sorted(folder.glob("*.json"))}


def set_apart(fitted: Sequence[str]) -> str:
    """Return what sets weights apart from those that ship, for a title: "fitted without beam"; nothing if nothing does."""
    if not fitted:
        return "no card of a fit"
    changes = {
        "without": [name for name in _SHIPPED if name not in fitted],
        "with": [name for name in fitted if name not in _SHIPPED],
    }
    described = ", ".join(f"{how} {' and '.join(names)}" for how, names in changes.items() if names)
    return f"fitted {described}" if described else ""
