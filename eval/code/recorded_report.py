"""What follows from a run of the cascade over recordings: rates with Wilson intervals, costs, the curve, the paired ablation.

What a request costs is said twice: by tokens at the prices given, and by the seconds that its calls took when they were recorded.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from statistics import mean

from cascade import dollars
from eval.harness.intervals import bounds, paired_difference, wilson
from eval.harness.report import Chart, Report, Series, Table

__all__ = ["CascadeResults", "Figures", "Served"]

FRONTIER = "solo frontier"


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What one policy served for one problem: where from, at what cost; once scored, whether it is right on base and plus tests.

    `program` is "" where nothing was served. `seconds` are those of the recorded calls.
    """

    policy: str
    rotation: int
    problem: str
    path: str
    verified: bool
    program: str
    cost_nanousd: int
    calls: int
    seconds: float = 0.0
    base: bool = False
    plus: bool = False


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
    ratio: float | None
    mean_plus: float
    mean_ratio: float | None
    rotations: int
    served: int
    seconds: float
    seconds_ratio: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CascadeResults:
    """A run: which recordings, and everything that was served and scored."""

    recordings: str
    samples: tuple[Served, ...]

    def figures(self) -> list[Figures]:
        """Compute every policy's figures, in the order they ran."""
        if not self.samples:
            return []
        frontier, slow = self._cost(FRONTIER, 0), self._seconds(FRONTIER)
        policies = dict.fromkeys(one.policy for one in self.samples)
        return [self._figures(policy, frontier, slow) for policy in policies]

    def tables(self) -> Iterator[Table]:
        """Lay the figures out for people."""
        n = len(self._of(FRONTIER, 0))
        table = Table(
            "policy", "plus", "95%", "base", "served", "cheap", "escalated", "US$ a request", "cheaper", "s a request", "faster",
            "plus, mean", "cheaper, mean",
            title=f"Recorded: {self.recordings}, n = {n}",
            caption=f"Means are over {self._rotations} rotations of the samples." if self._rotations > 1 else "",
        )  # fmt: skip
        for one in self.figures():
            table.add_row(
                one.policy,
                f"{one.plus}/{one.n}",
                bounds(*one.plus_interval),
                f"{one.base}/{one.n}",
                f"{one.served}/{one.n}",
                f"{one.cheap_share:.1%}",
                f"{one.escalated:.1%}",
                dollars(round(one.cost_nanousd)),
                _times(one.ratio),
                f"{one.seconds:.1f}",
                _times(one.seconds_ratio),
                f"{one.mean_plus:.3f}",
                _times(one.mean_ratio),
            )
        yield table
        yield self._paired()

    def right(self) -> dict[str, float]:
        """Return each policy's share of right answers over its problems and rotations."""
        return {policy: mean(self._right(policy)) for policy in dict.fromkeys(one.policy for one in self.samples)}

    def report(self, errors: int) -> Report:
        """Lay everything out, with the curve of cost and quality."""
        figures = self.figures()
        lines = [Series(name=one.policy, points=[(one.cost_nanousd / 1e9, one.plus / one.n)]) for one in figures]
        return Report(
            title=f"The cascade over {self.recordings}",
            figures={"policies": {one.policy: asdict(one) for one in figures}, "errors": errors},
            tables=list(self.tables()) if figures else [],
            charts=[Chart(title="Cost and quality", x="US$ a request", y="right on plus", lines=lines, dots=True)],
        )

    def _paired(self) -> Table:
        """Compare with the frontier tier alone, problem by problem, over all rotations."""
        table = Table("policy", "plus, less that of solo frontier", "95% interval", title="Paired, all rotations")
        frontier = self._right(FRONTIER)
        for policy in dict.fromkeys(one.policy for one in self.samples):
            if policy != FRONTIER:
                found = paired_difference(self._right(policy), frontier)
                table.add_row(policy, f"{found.mean:+.3f}", found.bounds)
        return table

    @property
    def _rotations(self) -> int:
        return 1 + max(one.rotation for one in self.samples)

    def _of(self, policy: str, rotation: int) -> list[Served]:
        return [one for one in self.samples if one.policy == policy and one.rotation == rotation]

    def _cost(self, policy: str, rotation: int) -> float:
        return mean(one.cost_nanousd for one in self._of(policy, rotation))

    def _seconds(self, policy: str) -> float:
        return mean(one.seconds for one in self._of(policy, 0))

    def _right(self, policy: str) -> list[float]:
        """Return each problem's share of right answers over the rotations."""
        served: dict[str, list[float]] = {}
        for one in self.samples:
            if one.policy == policy:
                served.setdefault(one.problem, []).append(float(one.plus))
        return [mean(of) for _, of in sorted(served.items())]

    def _figures(self, policy: str, frontier: float, slow: float) -> Figures:
        first = self._of(policy, 0)
        every = [self._of(policy, rotation) for rotation in range(self._rotations)]
        n, base, plus = len(first), sum(one.base for one in first), sum(one.plus for one in first)
        cost = self._cost(policy, 0)
        cost_mean = mean(self._cost(policy, rotation) for rotation in range(self._rotations))
        frontier_mean = mean(self._cost(FRONTIER, rotation) for rotation in range(self._rotations))
        return Figures(
            policy=policy,
            n=n,
            base=base,
            plus=plus,
            base_interval=wilson(base, n),
            plus_interval=wilson(plus, n),
            cheap_share=_share(first, "local", "local_repaired"),
            escalated=_share(first, "frontier"),
            unverified=mean(not one.verified for one in first),
            cost_nanousd=cost,
            ratio=frontier / cost if cost else None,
            mean_plus=mean(mean(one.plus for one in of) for of in every),
            mean_ratio=frontier_mean / cost_mean if cost_mean else None,
            rotations=self._rotations,
            served=sum(bool(one.program) for one in first),
            seconds=self._seconds(policy),
            seconds_ratio=slow / self._seconds(policy) if self._seconds(policy) else None,
        )


def _times(ratio: float | None) -> str:
    return "free" if ratio is None else f"{ratio:.2f}x"


def _share(served: Sequence[Served], *paths: str) -> float:
    return mean(one.path in paths for one in served)
