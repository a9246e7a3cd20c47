"""The decision: the complete record of how one question was answered, enough to explain it and to run it again."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from cascade.ports import Brief, Quote, Usage, Verdict

__all__ = ["Call", "Decision", "Path", "dollars"]

Path = Literal["cache", "local", "local_repaired", "widened", "frontier", "extractive", "abstain", "error"]
_NANO = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of a tier: what it used, cost and took."""

    tier: str
    model: str
    usage: Usage
    cost_nanousd: int
    latency_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """How one question ended; `path` is where, `calls` add up to the cost, `citations` are quotes of the brief."""

    id: str
    decided_at: datetime
    path: Path
    tier: str | None
    answer: str
    citations: tuple[Quote, ...]
    brief: Brief
    verdicts: tuple[Verdict, ...]
    calls: tuple[Call, ...]
    latency_ms: int

    @property
    def abstained(self) -> bool:
        """Whether the answer is that the memory does not hold one."""
        return self.path == "abstain"

    @property
    def usage(self) -> Usage:
        """The tokens of all calls together."""
        return Usage(
            prompt_tokens=sum(call.usage.prompt_tokens for call in self.calls),
            completion_tokens=sum(call.usage.completion_tokens for call in self.calls),
        )

    @property
    def cost_nanousd(self) -> int:
        """The cost of all calls together, in billionths of a US dollar."""
        return sum(call.cost_nanousd for call in self.calls)


def dollars(nanousd: int) -> str:
    """Write an amount of nano-dollars as US dollars, to the sixth place at least and never rounded."""
    whole, rest = divmod(nanousd, _NANO)
    digits = f"{rest:09d}"
    return f"{whole}.{digits[:6]}{digits[6:].rstrip('0')}"
