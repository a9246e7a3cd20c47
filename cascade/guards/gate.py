"""The gate: combines verdicts, and never lets a replacement in that does worse than what it replaces on any hard guard.

Monotonic on its own guards, and on nothing else: what passes may still be wrong, and how often is for calibration to say.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from cascade.decision import Attempt, Status, Verdict

__all__ = ["better", "blames", "does_worse"]

_WORTH = {"pass": 2, "unsure": 1, "fail": 0, "error": 0}


def better(incumbent: Attempt | None, replacement: Attempt) -> Attempt:
    """Return the replacement if it does at least as well on every hard guard, and else the incumbent.

    A guard that was spared because a cheaper one had not passed the draft counts as a failure.
    """
    if incumbent is None:
        return replacement
    return incumbent if does_worse(_hard(replacement.verdicts), _hard(incumbent.verdicts)) else replacement


def does_worse(replacement: Mapping[str, Status], incumbent: Mapping[str, Status]) -> bool:
    """Return whether a draft does worse than another with any of the other's guards; one that it lacks counts as a failure."""
    return any(_WORTH[replacement.get(guard, "fail")] < _WORTH[status] for guard, status in incumbent.items())


def blames(verdicts: Sequence[Verdict]) -> Literal["draft", "context", "nothing"]:
    """Return what kept a draft from passing: the context if any guard blames it, since no new draft can add evidence."""
    failed = [verdict for verdict in verdicts if verdict.status != "pass"]
    if not failed:
        return "nothing"
    return "context" if any(verdict.blames == "context" for verdict in failed) else "draft"


def _hard(verdicts: Sequence[Verdict]) -> dict[str, Status]:
    return {verdict.guard: verdict.status for verdict in verdicts if verdict.hard}
