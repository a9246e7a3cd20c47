"""From labelled decisions to a certificate: which answers of the local tier a judge found right, and how they scored.

Labels come from a file, or from the feedback that callers gave.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from cascade.certificate import Certificate, Labelled, certify, score_of
from cascade.decision import CHEAP_PATHS, Hashes
from tirtha.errors import BadLabels

__all__ = ["certify_feedback", "certify_labels"]


_MARK = b"\xef\xbb\xbf"
Read = Callable[[str], Awaitable[dict[str, Any]]]


async def certify_labels(labels: bytes, decision: Read, *, risk: float) -> Certificate:
    """Certify from JSON lines of `decision_id` and `correct`; `decision` reads one as `GET /v1/decisions/{id}` gives it.

    Decisions that no guard passed, or that another tier made, are left out. Raises BadLabels if the lines are not of this
    form, or if the decisions were made with different prompts, guards or models; NoThreshold if none holds the risk.
    """
    labelled: dict[str, bool] = {}
    for number, line in enumerate(labels.removeprefix(_MARK).split(b"\n"), 1):
        if not line.strip():
            continue
        label = _label(line, number)
        if label["decision_id"] in labelled:
            raise BadLabels(f"line {number} labels decision {label['decision_id']} once more")
        labelled[label["decision_id"]] = label["correct"]
    sets = await _by_makers(labelled, decision)
    if len(sets) != 1:
        raise BadLabels(
            f"the labelled answers of the local tier were made with {len(sets)} sets of prompts, guards and models; "
            "a certificate is about one"
        )
    return _certified(sets[0], labels, risk)


async def certify_feedback(
    feedback: Sequence[dict[str, Any]], decision: Read, *, risk: float
) -> tuple[Certificate, int]:
    """Certify from what `GET /v1/feedback` lists: of the prompts, guards and models that the newest judged decision was made with.

    Returns the certificate and how many judged answers of the local tier were made with others, and left out. Raises BadLabels
    without any, and NoThreshold if none holds the risk.
    """
    labelled = {str(one["decision_id"]): bool(one["correct"]) for one in feedback}
    sets = await _by_makers(labelled, decision)
    if not sets:
        raise BadLabels(
            "nobody has judged an answer of the local tier that all guards passed: say `tirtha feedback` of some"
        )
    newest = max(sets, key=lambda one: one.last_at)
    lines = [json.dumps({"decision_id": id_, "correct": labelled[id_]}) + "\n" for id_ in sorted(newest.items)]
    left_out = sum(len(one.items) for one in sets if one is not newest)
    return _certified(newest, "".join(lines).encode(), risk), left_out


@dataclass(slots=True, kw_only=True)
class _Made:
    """Labelled answers, by their decisions' ids, that were made with the same prompts, guards and models."""

    hashes: Hashes
    items: dict[str, Labelled] = field(default_factory=dict)
    last_at: str = ""


async def _by_makers(labelled: Mapping[str, bool], decision: Read) -> list[_Made]:
    """Read the labelled decisions; those of the local tier that every guard passed, by what they were made with."""
    made: dict[Hashes, _Made] = {}
    for id_, correct in labelled.items():
        found = await decision(id_)
        if found["path"] not in CHEAP_PATHS or not found["verified"]:
            continue
        hashes = Hashes(**(found["hashes"] | {"policy": ""}))
        own = made.setdefault(hashes, _Made(hashes=hashes))
        scores = {one["guard"]: one["score"] for one in found["verdicts"] if one["guard"] != "certificate"}
        own.items[id_] = Labelled(score=score_of(scores), correct=correct)
        own.last_at = max(own.last_at, found["decided_at"])
    return list(made.values())


def _certified(made: _Made, labels: bytes, risk: float) -> Certificate:
    today = datetime.now(UTC).date()
    digest = sha256(labels).hexdigest()
    return certify(list(made.items.values()), risk=risk, hashes=made.hashes, labels_sha256=digest, made_on=today)


def _label(line: bytes, number: int) -> dict[str, Any]:
    try:
        label = json.loads(line.decode())
    except UnicodeDecodeError as fault:
        raise BadLabels(f"line {number} is not UTF-8, from its byte {fault.start + 1} on") from None
    except (ValueError, RecursionError) as fault:
        raise BadLabels(f"line {number} is no JSON ({fault})") from None
    known = label if isinstance(label, dict) else {}
    if not isinstance(known.get("decision_id"), str) or not isinstance(known.get("correct"), bool):
        raise BadLabels(f"line {number} needs a decision_id and a correct that is true or false")
    return known
