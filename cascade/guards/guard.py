"""What a guard is, and how guards are run: free ones first, expensive ones only for drafts that the others let through."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal, Protocol

from cascade.call_trace import Trace
from cascade.decision import Verdict
from cascade.errors import CascadeFault
from cascade.model import Brief, Draft

__all__ = ["Case", "Cost", "Guard", "guards_hash", "judge"]

log = logging.getLogger(__name__)

Cost = Literal["free", "cpu", "llm"]
_CHEAPEST_FIRST: tuple[Cost, ...] = ("free", "cpu", "llm")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A draft to judge: the brief it answers, the model that was asked for it, and the trace that a guard's own calls go to.

    `others` are earlier drafts of the same question, which were not accepted.
    """

    brief: Brief
    draft: Draft
    model: str
    trace: Trace
    others: tuple[Draft, ...] = ()


class Guard(Protocol):
    """A judgement over a draft, by one thing. A change of what it judges is a new `version`."""

    @property
    def name(self) -> str:
        """What its verdicts are called."""

    @property
    def version(self) -> str:
        """Which version of itself, thresholds included, it is."""

    @property
    def cost(self) -> Cost:
        """What a judgement takes."""

    async def check(self, case: Case) -> Verdict:
        """Judge the draft. May raise CascadeFault, which counts as `error`."""


async def judge(guards: Sequence[Guard], case: Case) -> tuple[Verdict, ...]:
    """Run the guards, cheapest first; those that cost more are spared once one of a cheaper kind has not passed the draft."""
    verdicts: list[Verdict] = []
    for cost in _CHEAPEST_FIRST:
        verdicts += [await _verdict(guard, case) for guard in guards if guard.cost == cost]
        if any(verdict.status != "pass" for verdict in verdicts):
            break
    return tuple(verdicts)


async def _verdict(guard: Guard, case: Case) -> Verdict:
    try:
        return await guard.check(case)
    except CascadeFault as fault:
        log.warning("guard %s could not judge: %s", guard.name, fault)
        return Verdict(guard=guard.name, status="error", score=0.0, reason=str(fault))
    except Exception as fault:
        log.exception("guard %s broke", guard.name)
        return Verdict(guard=guard.name, status="error", score=0.0, reason=f"the guard broke: {type(fault).__name__}")


def guards_hash(guards: Sequence[Guard]) -> str:
    """Return the hash of the guards' names and versions."""
    listed = "\n".join(f"{guard.name} {guard.version}" for guard in guards)
    return blake2b(listed.encode(), digest_size=8).hexdigest()
