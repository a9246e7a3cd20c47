"""The re-ranker: from the features of candidates to how likely each is the evidence that the question asks for.

A weighted sum, so it extrapolates: where nothing else differs, a better match is never behind a worse one, in whatever language.
Its base is a fusion that stands alone, cosine + 0.7 BM25 (`features.LEXICAL_SHARE`), which the other weights correct. They are
fitted to rank the evidence of a question before its other candidates (conditional logit, McFadden 1974; as ListNet, Cao et al.,
ICML 2007) by `eval/training/reranker.py`, on data that may be used for it (docs/models.md).

Weights belong to the encoder whose vectors they were fitted with. Any other gets the plain fusion.
"""

import json
import logging
from collections.abc import Mapping, Set
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from memory.encoding.encoder import BUNDLED_MODEL
from memory.recall.features import Features, Scores
from memory.recall.neighbour_features import PARTS

__all__ = ["FIGURES", "MODELS", "RecallModels", "Reranked", "Weights", "reranked"]

log = logging.getLogger(__name__)

MODELS = Path(__file__).parent / "models"
FIGURES = frozenset(
    {"best", "three_ahead", "related_ahead", "turn_coverage_ahead", "asked_related", "asked_turn_coverage"}
)
_SPEAKER = frozenset(PARTS["speaker"])
_WEIGHED = frozenset({"fusion", *(name for names in PARTS.values() for name in names)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reranked:
    """Log-odds of being what is asked for, and of being about the topic, no matter who said it: `(n,)` each."""

    evidence: Scores
    topic: Scores

    @property
    def probability(self) -> Scores:
        """Predicted usefulness, 0 to 1, as `Evidence.score`."""
        probability: Scores = 1 / (1 + np.exp(-self.evidence))
        return probability


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """A weighted sum of figures, by name, and a constant: log-odds."""

    intercept: float
    weights: Mapping[str, float]

    def __call__(self, figures: Mapping[str, Scores]) -> Scores:
        """Return the log-odds, shaped as the figures are. Raises KeyError if one is missing."""
        odds: Scores = self.intercept + sum(
            (weight * figures[name] for name, weight in self.weights.items()), np.zeros(())
        )
        return odds

    def without(self, names: frozenset[str]) -> "Weights":
        """Return the same without these figures."""
        kept = {name: weight for name, weight in self.weights.items() if name not in names}
        return Weights(intercept=self.intercept, weights=kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallModels:
    """What recall has learned for the vectors of one encoder: how to rank, and whether the answer is there.

    `fitted` says that it was: with an encoder that the folder's weights were not fitted with, cosine + 0.7 BM25 ranks, and only
    words show whether the answer is there.
    """

    fitted: bool
    reranker: Weights
    answerability: Weights

    @classmethod
    def load(cls, encoder: str, folder: Path = MODELS) -> "RecallModels":
        """Load the weights for an encoder's vectors from `folder`: the plain fusion, which is said once, if there are none.

        Raises ValueError where a file does not hold weights.
        """
        return _load(encoder, folder)


def reranked(weights: Weights, features: Features) -> Reranked:
    """Score candidates, at least one, by their features. Raises KeyError if one is missing."""
    return Reranked(evidence=weights(features), topic=weights.without(_SPEAKER)(features))


@cache
def _load(encoder: str, folder: Path) -> RecallModels:
    fitted_with = _encoder_of(folder / "reranker.json")
    fitted = encoder == fitted_with
    if not fitted:
        log.warning(
            "recall's weights were fitted with %s: with %s evidence is ranked by cosine and BM25 alone (tirtha eval fit)",
            fitted_with,
            encoder,
        )
    return RecallModels(
        fitted=fitted,
        reranker=_read(folder / ("reranker.json" if fitted else "plain_reranker.json"), _WEIGHED),
        answerability=_read(folder / ("answerability.json" if fitted else "plain_answerability.json"), FIGURES),
    )


def _encoder_of(file: Path) -> str:
    """Return with which encoder's vectors weights were fitted, as their card says: without a card, the bundled one's."""
    card = _stored(file).get("card", {})
    return str(card.get("encoder", BUNDLED_MODEL)) if isinstance(card, dict) else BUNDLED_MODEL


def _stored(file: Path) -> dict[str, Any]:
    try:
        stored = json.loads(file.read_text("utf-8"))
    except ValueError as fault:
        raise ValueError(f"{file} does not hold weights: {fault!r}") from fault
    if not isinstance(stored, dict):
        raise ValueError(f"{file} does not hold weights: no JSON object")  # noqa: TRY004 - the file is at fault, not a caller
    return stored


def _read(file: Path, known: Set[str]) -> Weights:
    stored = _stored(file)
    try:
        weights = {str(name): float(weight) for name, weight in stored["weights"].items()}
        read = Weights(intercept=float(stored["intercept"]), weights=weights)
    except (KeyError, TypeError, AttributeError, ValueError) as fault:
        raise ValueError(f"{file} does not hold weights: {fault!r}") from fault
    unknown = sorted(read.weights.keys() - known)
    if unknown:
        raise ValueError(
            f"{file} weighs what recall does not compute, {', '.join(unknown)}: fit again (tirtha eval fit)"
        )
    return read
