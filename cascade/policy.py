"""The policy: in what order tiers and contexts are tried, and what is served when nothing passes. Its hash is in every decision."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import blake2b
from typing import Literal

__all__ = ["Policy", "hash_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What may be tried.

    `ladder`: budgets in tokens of the contexts wider than the first. `widen_before`, `widen_after`: how many of them the cheap
    tier tries before the frontier tier, and the frontier tier after its first answer, each only if a guard blames the context.
    `raw`: whether the frontier tier may at last have the raw history. `repair`: whether a rejected draft may be repaired once.
    `verify`: off, no guard is asked (for ablations). `unverified`: whether the best draft is served, marked so, when none passes.
    """

    ladder: tuple[int, ...] = (660, 2_640)
    widen_before: int = 1
    widen_after: int = 0
    raw: bool = False
    repair: bool = True
    verify: bool = True
    unverified: Literal["abstain", "serve"] = "abstain"

    @property
    def hash(self) -> str:
        """Return a short hash of all of it."""
        return hash_of(asdict(self))


def hash_of(fields: Mapping[str, object]) -> str:
    """Return a short hash of a policy's fields, in whatever order."""
    return blake2b(repr(sorted(fields.items())).encode(), digest_size=8).hexdigest()
