"""The decision: the complete record of how one question was answered, enough to explain it and to run it again."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from cascade.model import Brief, Draft, Quote, Usage

__all__ = ["CHEAP_PATHS", "Attempt", "Call", "Decision", "Hashes", "MaxTier", "Path", "Status", "Verdict", "dollars"]

Path = Literal["cache", "local", "local_repaired", "widened", "frontier", "extractive", "abstain", "error"]
MaxTier = Literal["extractive", "local", "frontier"]
Status = Literal["pass", "fail", "unsure", "error"]
CHEAP_PATHS: frozenset[Path] = frozenset({"local", "local_repaired", "widened"})
_NANO = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of a model, failed ones too: for what, what it used, cost and took. `fault` is empty if it was answered."""

    tier: str
    model: str
    usage: Usage
    cost_nanousd: int
    latency_ms: int
    purpose: str = "draft"
    request: str = ""
    fault: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One guard's judgement; only `pass` lets a draft through. `score` is what was compared with the guard's threshold.

    `blames` says what would have to change for it to pass: another draft, or another context.
    """

    guard: str
    status: Status
    score: float
    reason: str
    blames: Literal["draft", "context"] = "draft"
    hard: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A draft and how it was judged; `context` is the place of its context among the decision's."""

    path: Path
    tier: str
    model: str
    context: int
    draft: Draft
    verdicts: tuple[Verdict, ...]

    @property
    def accepted(self) -> bool:
        """Whether every guard passed it, and there was at least one."""
        return bool(self.verdicts) and all(verdict.status == "pass" for verdict in self.verdicts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hashes:
    """What the decision was made with: policy, prompts, guards, and models with their prices."""

    policy: str = ""
    prompts: str = ""
    guards: str = ""
    models: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """How one question ended; `path` is where, `calls` add up to the cost, `citations` are quotes of the brief.

    `tier` and `model` gave the answer that is served. `reason` says in a word why it ended so. `contexts` are all that were drawn
    up; `brief` is the one that the answer is from.
    """

    id: str
    decided_at: datetime
    path: Path
    tier: str | None
    model: str | None
    answer: str
    citations: tuple[Quote, ...]
    brief: Brief
    verdicts: tuple[Verdict, ...]
    calls: tuple[Call, ...]
    latency_ms: int
    verified: bool = False
    reason: str = ""
    contexts: tuple[Brief, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    hashes: Hashes = Hashes()
    max_tier: MaxTier = "frontier"

    @property
    def abstained(self) -> bool:
        """Whether the answer is that the memory does not hold one."""
        return self.path == "abstain"

    @property
    def usage(self) -> Usage:
        """The tokens of all calls together; estimated if those of any call are."""
        return Usage(
            prompt_tokens=sum(call.usage.prompt_tokens for call in self.calls),
            completion_tokens=sum(call.usage.completion_tokens for call in self.calls),
            cached_tokens=sum(call.usage.cached_tokens for call in self.calls),
            reasoning_tokens=sum(call.usage.reasoning_tokens for call in self.calls),
            estimated=any(call.usage.estimated for call in self.calls),
        )

    @property
    def cost_nanousd(self) -> int:
        """The cost of all calls together, in billionths of a US dollar."""
        return sum(call.cost_nanousd for call in self.calls)

    def timeless(self) -> "Decision":
        """Return the decision without its id and times: what a replay must give again."""
        calls = tuple(replace(call, latency_ms=0) for call in self.calls)
        epoch_start = datetime.fromtimestamp(0, tz=self.decided_at.tzinfo)
        return replace(self, id="", decided_at=epoch_start, latency_ms=0, calls=calls)


def dollars(nanousd: int) -> str:
    """Write an amount of nano-dollars as US dollars, to the sixth place at least and never rounded."""
    whole, rest = divmod(nanousd, _NANO)
    digits = f"{rest:09d}"
    return f"{whole}.{digits[:6]}{digits[6:].rstrip('0')}"
