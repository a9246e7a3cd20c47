"""The policies that are compared over recorded code tasks: which tiers there are, which tests gate, how the cheap tier tries.

What was recorded decides which of them can be asked: several drafts of one task, or reviews of the cheap model's own drafts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from cascade import CodeTask
from cascade.code_tasks import CodePolicy
from cascade.sandbox import Limits
from eval.code.data import Problem
from eval.code.recordings import RecordedCompletion

__all__ = ["GATE", "Arm", "Review", "arms_over", "task_of"]

GATE = Limits(wall_s=8, cpu_s=8)
Review = Literal["always", "on_failure", "never"]
_MOST_DRAFTS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """A policy under test: which tiers there are, which tests gate, and how the cheap tier tries."""

    name: str
    policy: CodePolicy
    cheap: bool = True
    frontier: bool = True
    gate: Literal["public", "base"] = "public"


def arms_over(rows: Sequence[RecordedCompletion]) -> list[Arm]:
    """List the policies that recordings can answer.

    They are each tier alone, the cascade under both gates with more and more drafts, and the ablation. Where reviews are recorded
    there is also the cascade whose cheap tier repairs a draft that failed, and the same without one of its parts.
    """
    samples = 1 + max(row.sample for row in rows)
    drafts = range(1, 1 + max(1, min(_MOST_DRAFTS, samples - 1)))
    alone = CodePolicy(review="never", verify="nothing", unverified="serve")
    return [
        Arm(name="solo cheap", policy=alone, frontier=False),
        Arm(name="solo frontier", policy=alone, cheap=False),
        *(_repairing() if any(row.purpose == "review" for row in rows) else ()),
        *(Arm(name=f"cascade, docstring gate, {n} cheap", policy=_gated(n)) for n in drafts),
        *(Arm(name=f"cascade, base-test gate, {n} cheap", policy=_gated(n), gate="base") for n in drafts),
        Arm(name="without verification (form only)", policy=replace(_gated(1), verify="form")),
        Arm(name="without guards (nothing)", policy=replace(_gated(1), verify="nothing")),
    ]


def _gated(n: int) -> CodePolicy:
    return CodePolicy(drafts=n, review="never", unverified="serve")


def _repairing() -> list[Arm]:
    """List the cascade with repair, what it is if it serves only what passes, and its cheap tier alone."""
    repairing = replace(_gated(1), review="on_failure")
    return [
        Arm(name="cascade, docstring gate, repair", policy=repairing),
        Arm(name="the same, serving only what passes", policy=replace(repairing, unverified="abstain")),
        Arm(name="the same, without the frontier tier", policy=repairing, frontier=False),
    ]


def task_of(problem: Problem, gate: Literal["public", "base"] = "public") -> CodeTask:
    """Return a problem as the task that a caller sets, with the tests of that gate."""
    tests = problem.public_tests if gate == "public" else problem.base_tests
    return CodeTask(question=problem.prompt, entry_point=problem.entry_point, tests=tests)
