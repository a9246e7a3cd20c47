"""Whether what a user says is a standing instruction or preference, by a logistic model over the cues of its clauses.

Only what users say themselves: no other role's words, no quotations, no pasted texts (`language.requests.instructions`). The model
needs no vectors, so it is the same for every encoder. It is fitted by `eval/training/standing/fitting.py`; its threshold is set for
precision, because a false instruction is in the way of every request.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import exp
from pathlib import Path

from language import Passage
from language.requests.instructions import clauses_with_cues
from memory.model import Turn
from memory.recall.reranker import MODELS

__all__ = ["Recogniser", "probability"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recogniser:
    """Recognises instructions: clauses of which the model says more than `threshold`."""

    intercept: float
    weights: Mapping[str, float]
    threshold: float

    @classmethod
    def load(cls, folder: Path = MODELS) -> "Recogniser":
        """Load the model that is in `folder`. Raises ValueError where its file does not hold one."""
        return _load(folder / "instructions.json")

    def __call__(self, turn: Turn, passages: Sequence[Passage]) -> list[Passage]:
        """Return where in these passages of a turn an instruction stands: spans of its text, in order."""
        if turn.role != "user" or turn.flag is not None:
            return []
        clauses = clauses_with_cues(turn.text, passages)
        return [
            Passage(start=one.start, end=one.end) for one in clauses if probability(self, one.cues) > self.threshold
        ]


def probability(model: Recogniser, cues: Mapping[str, float]) -> float:
    """Return how likely a clause with these cues is an instruction, 0 to 1. Raises KeyError if one is missing."""
    odds = model.intercept + sum(weight * cues[name] for name, weight in model.weights.items())
    return 1 / (1 + exp(-odds))


@cache
def _load(file: Path) -> Recogniser:
    try:
        stored = json.loads(file.read_text("utf-8"))
        return Recogniser(
            intercept=float(stored["intercept"]),
            weights={str(name): float(weight) for name, weight in stored["weights"].items()},
            threshold=float(stored["threshold"]),
        )
    except (KeyError, TypeError, AttributeError, ValueError) as fault:
        raise ValueError(f"{file} does not hold a model of instructions: {fault!r}") from fault
