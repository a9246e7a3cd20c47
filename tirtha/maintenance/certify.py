"""From labelled decisions to a certificate: which answers of the local tier a judge found right, and how they scored."""

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from cascade.certificate import Certificate, Labelled, certify
from cascade.decision import CHEAP_PATHS, Hashes

__all__ = ["certify_labels"]


_MARK = b"\xef\xbb\xbf"


async def certify_labels(
    labels: bytes, decision: Callable[[str], Awaitable[dict[str, Any]]], *, risk: float
) -> Certificate:
    """Certify from JSON lines of `decision_id` and `correct`; `decision` reads one as `GET /v1/decisions/{id}` gives it.

    Decisions that no guard passed, or that another tier made, are left out. Raises ValueError if the lines are not of this
    form, if the decisions were made with different prompts, guards or models, or if no threshold holds the risk.
    """
    items: list[Labelled] = []
    made_with: set[Hashes] = set()
    seen: set[str] = set()
    for number, line in enumerate(labels.removeprefix(_MARK).split(b"\n"), 1):
        if not line.strip():
            continue
        label = _label(line, number)
        if label["decision_id"] in seen:
            raise ValueError(f"line {number} labels decision {label['decision_id']} once more")
        seen.add(label["decision_id"])
        found = await decision(label["decision_id"])
        if found["path"] in CHEAP_PATHS and found["verified"]:
            scores = [verdict["score"] for verdict in found["verdicts"] if verdict["guard"] != "certificate"]
            items.append(Labelled(score=min(scores), correct=label["correct"]))
            made_with.add(Hashes(**(found["hashes"] | {"policy": ""})))
    if len(made_with) != 1:
        raise ValueError(
            f"the labelled answers of the local tier were made with {len(made_with)} sets of prompts, guards and models; "
            "a certificate is about one"
        )
    today = datetime.now(UTC).date()
    return certify(items, risk=risk, hashes=made_with.pop(), labels_sha256=sha256(labels).hexdigest(), made_on=today)


def _label(line: bytes, number: int) -> dict[str, Any]:
    try:
        label = json.loads(line.decode())
    except UnicodeDecodeError as fault:
        raise ValueError(f"line {number} is not UTF-8, from its byte {fault.start + 1} on") from None
    except (ValueError, RecursionError) as fault:
        raise ValueError(f"line {number} is no JSON ({fault})") from None
    known = label if isinstance(label, dict) else {}
    if not isinstance(known.get("decision_id"), str) or not isinstance(known.get("correct"), bool):
        raise ValueError(f"line {number} needs a decision_id and a correct that is true or false")  # noqa: TRY004 - of the file
    return known
