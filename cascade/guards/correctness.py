"""The guard over correctness: how likely is a draft to be right? One calibrated score of what no hard guard can decide.

A logistic regression over `draft_features`, standardised, fitted by `eval/training/correctness.py` on labelled drafts of small
models. Its card (`correctness.json`) says on which, and how it did on conversations that it was not fitted on. A feature that is
not at hand, such as token probabilities that no server reports, weighs nothing. Source of the method: Platt, "Probabilistic
Outputs for Support Vector Machines", 1999; of answering by such a score: Kamath et al., ACL 2020.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from importlib.resources import files
from typing import ClassVar

from cascade.decision import Verdict
from cascade.guards.draft_features import draft_features
from cascade.guards.guard import Case, Cost

__all__ = ["CorrectnessGuard", "Score", "correctness_score"]

_SAID = 2  # things that speak against a draft
_IN_WORDS: Mapping[str, str] = {
    "first": "other lines match the question better",
    "asked_in_line": "the cited line does not speak of what is asked",
    "cited_lines": "it rests on too many lines",
    "echo": "it repeats the question",
    "other_person": "the cited line is of another person",
    "kind_differs": "it is not the kind of answer that is asked for",
    "least_certainty": "the model was not sure of it",
    "certainty": "the model was not sure of it",
    "agrees": "another draft says something else",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """The fitted score: of each feature its weight, its mean and its deviation; `threshold` is the one that ships."""

    intercept: float
    weights: Mapping[str, float]
    means: Mapping[str, float]
    deviations: Mapping[str, float]
    threshold: float
    hash: str = ""

    def contributions(self, features: Mapping[str, float]) -> dict[str, float]:
        """Return what each feature adds to the log-odds. One that is missing counts as the mean one, and adds nothing."""
        return {
            name: weight * (features[name] - self.means[name]) / self.deviations[name]
            for name, weight in self.weights.items()
            if name in features
        }

    def probability(self, features: Mapping[str, float]) -> float:
        """Return how likely a draft of these features is right, 0 to 1."""
        log_odds = self.intercept + sum(self.contributions(features).values())
        return 1 / (1 + math.exp(-log_odds))


@cache
def correctness_score() -> Score:
    """Read the score that ships."""
    text = files("cascade.guards").joinpath("correctness.json").read_text("utf-8")
    stored = json.loads(text)
    return Score(
        intercept=stored["intercept"],
        weights=stored["weights"],
        means=stored["means"],
        deviations=stored["deviations"],
        threshold=stored["threshold"],
        hash=blake2b(text.encode(), digest_size=4).hexdigest(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectnessGuard:
    """Passes if the draft is right with a probability of at least its model's threshold; an abstention claims nothing, and passes.

    `thresholds` are by the model's name. Of a model without one the probability is only noted: a larger model is right more often
    than the small ones that the score was fitted on, and how much more is not known.
    """

    name: ClassVar[str] = "correctness"
    cost: ClassVar[Cost] = "cpu"
    thresholds: Mapping[str, float]

    @property
    def version(self) -> str:
        """Return the version, the weights and the threshold."""
        score = correctness_score()
        asked_for = sorted(self.thresholds.items())
        return f"1 weights={score.hash} thresholds={asked_for}"

    async def check(self, case: Case) -> Verdict:
        """Judge the draft as a whole."""
        if case.draft.abstains:
            return Verdict(guard=self.name, status="pass", score=1.0, reason="nothing is claimed")
        features = draft_features(case.brief, case.draft, case.others)
        likely = correctness_score().probability(features)
        threshold = self.thresholds.get(case.model, 0.0)
        passes = likely >= threshold
        reason = f"the answer is right with probability {likely:.2f}; {threshold:.2f} is asked for"
        reason += "" if passes else _against(correctness_score().contributions(features))
        return Verdict(guard=self.name, status="pass" if passes else "fail", score=likely, reason=reason)


def _against(contributions: Mapping[str, float]) -> str:
    """Say what speaks most against a draft, in words that its model may act on."""
    worst = sorted((added, name) for name, added in contributions.items() if added < 0 and name in _IN_WORDS)
    said = list(dict.fromkeys(_IN_WORDS[name] for _, name in worst))[:_SAID]
    return "".join(f"; {one}" for one in said)
