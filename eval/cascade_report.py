"""What follows from a run of the cascade over recordings: rates with Wilson intervals, costs, the curve, the paired ablation."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from statistics import mean

from cascade import dollars
from eval.report import Table
from eval.statistics import paired_difference, wilson

__all__ = ["CascadeResults", "Figures", "Served"]

FRONTIER = "solo frontier"


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What one policy served for one problem: where from, whether it is right on base and plus tests, and its cost."""

    policy: str
    rotation: int
    problem: str
    path: str
    verified: bool
    base: bool
    plus: bool
    cost_nanousd: int
    calls: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One policy's figures: of the first sample of each problem (`n`), and as means over all rotations of the samples."""

    policy: str
    n: int
    base: int
    plus: int
    base_interval: tuple[float, float]
    plus_interval: tuple[float, float]
    cheap_share: float
    escalated: float
    unverified: float
    cost_nanousd: float
    ratio: float
    mean_plus: float
    mean_ratio: float
    rotations: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CascadeResults:
    """A run: which recordings, which models at which prices, and everything that was served."""

    recordings: str
    cheap: str
    frontier: str
    prices: dict[str, str]
    ran_on: date
    samples: tuple[Served, ...]

    def figures(self) -> list[Figures]:
        """Give every policy's figures, in the order they ran."""
        dear = self._cost(FRONTIER, 0)
        policies = dict.fromkeys(one.policy for one in self.samples)
        return [self._figures(policy, dear) for policy in policies]

    def tables(self) -> Iterator[Table]:
        """Lay the figures out for people."""
        n = len(self._of(FRONTIER, 0))
        prices = "; ".join(f"{model}: {rates}" for model, rates in self.prices.items())
        table = Table(
            "policy", "plus", "95%", "base", "cheap", "escalated", "US$ a request", "cheaper", "plus, mean", "cheaper, mean",
            title=f"Recorded: {self.recordings}, n = {n}, {self.ran_on}",
            caption=f"{prices}. Means are over {self._rotations} rotations of the samples.",
        )  # fmt: skip
        for one in self.figures():
            low, high = one.plus_interval
            table.add_row(
                one.policy,
                f"{one.plus}/{one.n}",
                f"{low:.3f}-{high:.3f}",
                f"{one.base}/{one.n}",
                f"{one.cheap_share:.1%}",
                f"{one.escalated:.1%}",
                dollars(round(one.cost_nanousd)),
                f"{one.ratio:.2f}x",
                f"{one.mean_plus:.3f}",
                f"{one.mean_ratio:.2f}x",
            )
        yield table
        yield self._paired()

    def as_json(self) -> str:
        """Write the figures and every sample."""
        whole = asdict(self) | {"figures": [asdict(one) for one in self.figures()]}
        return json.dumps(whole, indent=1, default=str)

    def _paired(self) -> Table:
        """Compare with the frontier tier alone, problem by problem, over all rotations."""
        table = Table("policy", "plus, less that of solo frontier", "95% interval", title="Paired, all rotations")
        frontier = self._right(FRONTIER)
        for policy in dict.fromkeys(one.policy for one in self.samples):
            if policy != FRONTIER:
                found = paired_difference(self._right(policy), frontier)
                table.add_row(policy, f"{found.mean:+.3f}", f"{found.low:+.3f} to {found.high:+.3f}")
        return table

    @property
    def _rotations(self) -> int:
        return 1 + max(one.rotation for one in self.samples)

    def _of(self, policy: str, rotation: int) -> list[Served]:
        return [one for one in self.samples if one.policy == policy and one.rotation == rotation]

    def _cost(self, policy: str, rotation: int) -> float:
        return mean(one.cost_nanousd for one in self._of(policy, rotation))

    def _right(self, policy: str) -> list[float]:
        """Give each problem's share of right answers over the rotations."""
        served: dict[str, list[float]] = {}
        for one in self.samples:
            if one.policy == policy:
                served.setdefault(one.problem, []).append(float(one.plus))
        return [mean(of) for _, of in sorted(served.items())]

    def _figures(self, policy: str, dear: float) -> Figures:
        first = self._of(policy, 0)
        every = [self._of(policy, rotation) for rotation in range(self._rotations)]
        n, base, plus = len(first), sum(one.base for one in first), sum(one.plus for one in first)
        cost = self._cost(policy, 0)
        dear_mean = mean(self._cost(FRONTIER, rotation) for rotation in range(self._rotations))
        return Figures(
            policy=policy,
            n=n,
            base=base,
            plus=plus,
            base_interval=wilson(base, n),
            plus_interval=wilson(plus, n),
            cheap_share=_share(first, "local"),
            escalated=_share(first, "frontier"),
            unverified=mean(not one.verified for one in first),
            cost_nanousd=cost,
            ratio=dear / cost,
            mean_plus=mean(mean(one.plus for one in of) for of in every),
            mean_ratio=dear_mean / mean(self._cost(policy, rotation) for rotation in range(self._rotations)),
            rotations=self._rotations,
        )


def _share(served: Sequence[Served], path: str) -> float:
    return mean(one.path == path for one in served)
