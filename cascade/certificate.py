"""Threshold certificates: how often an accepted answer of the cheap tier is wrong, bounded from labelled decisions.

The bound is Clopper and Pearson's (Biometrika, 1934), one-sided at 95%, over the accepted items; thresholds are tried from the
strictest down and the first that does not hold ends the search (a fixed-sequence test), so that no correction for trying several is
needed. A certificate names what it was measured with, and covers nothing else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b
from pathlib import Path

from pydantic import TypeAdapter, ValidationError
from scipy.special import betaincinv

from cascade.decision import Hashes, Verdict
from cascade.errors import Misconfigured, NoThreshold

__all__ = ["Certificate", "Labelled", "certify", "read_certificate", "risk_bound", "score_of"]

_LEVEL = 0.95
_CALIBRATED = "correctness"  # the guard whose score is a probability of being right


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """An answer that the guards passed: its score, and whether a judge found it right."""

    score: float
    correct: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """At `threshold`, `wrong` of `accepted` were wrong: at most `bound` are, with 95% confidence; `risk` is what was asked for."""

    threshold: float
    risk: float
    bound: float
    accepted: int
    wrong: int
    labelled: int
    hashes: Hashes
    labels_sha256: str
    made_on: date

    @property
    def hash(self) -> str:
        """Return a short hash of all of it."""
        return blake2b(self.as_json(), digest_size=8).hexdigest()

    def as_json(self) -> bytes:
        """Write it as the file that `read_certificate` reads."""
        return TypeAdapter(Certificate).dump_json(self, indent=1)

    def verdict(self, live: Hashes, verdicts: Sequence[Verdict]) -> Verdict:
        """Judge a draft of the cheap tier that the guards judged so: is it one of those that the certificate speaks of?"""
        score = score_of({one.guard: one.score for one in verdicts if one.guard != "certificate"})
        if (live.prompts, live.guards, live.models) != (self.hashes.prompts, self.hashes.guards, self.hashes.models):
            reason = "the certificate was made with other prompts, guards or models"
            return Verdict(guard="certificate", status="error", score=score, reason=reason)
        passes = score >= self.threshold
        reason = f"score {score:.2f}; {self.threshold:.2f} is certified for a risk of {self.risk:.1%}"
        return Verdict(guard="certificate", status="pass" if passes else "fail", score=score, reason=reason)


def score_of(scores: Mapping[str, float]) -> float:
    """Return what a certificate sets a threshold on, of the scores by guard: how likely the draft is right, as the calibrated score
    has it; without that the lowest of them."""
    return scores.get(_CALIBRATED, min(scores.values(), default=0.0))


def risk_bound(wrong: int, accepted: int) -> float:
    """Return the upper 95% bound on the share of wrong answers, 1 for no answers."""
    return 1.0 if wrong >= accepted else float(betaincinv(wrong + 1, accepted - wrong, _LEVEL))


def certify(
    items: Sequence[Labelled], *, risk: float, hashes: Hashes, labels_sha256: str, made_on: date
) -> Certificate:
    """Find the lowest threshold whose accepted items are wrong with at most `risk`. Raises NoThreshold if none is."""
    found: Certificate | None = None
    for threshold in sorted({item.score for item in items}, reverse=True):
        accepted = [item for item in items if item.score >= threshold]
        wrong = sum(not item.correct for item in accepted)
        bound = risk_bound(wrong, len(accepted))
        if bound <= risk:
            found = Certificate(
                threshold=threshold,
                risk=risk,
                bound=bound,
                accepted=len(accepted),
                wrong=wrong,
                labelled=len(items),
                hashes=hashes,
                labels_sha256=labels_sha256,
                made_on=made_on,
            )
        elif found or wrong:
            break  # few items bound nothing, so the search goes on until there are enough, or the first mistake
    if found is None:
        needed = next(n for n in range(1, 100_000) if risk_bound(0, n) <= risk)
        raise NoThreshold(risk=risk, labelled=len(items), needed=needed)
    return found


def read_certificate(file: Path) -> Certificate:
    """Read a certificate that `tirtha certify` wrote. Raises Misconfigured."""
    try:
        return TypeAdapter(Certificate).validate_json(file.read_bytes())
    except OSError as fault:
        raise Misconfigured(setting="certificate", why=f"cannot be read: {fault}") from fault
    except ValidationError as fault:
        raise Misconfigured(setting="certificate", why=f"{file} is no certificate: {fault}") from fault
