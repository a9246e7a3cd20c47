"""Scoring programs on hidden inputs, leak-proof: a program gets arguments and gives plain values; what it should give stays here.

Expected values come from the canonical solution, run in a cell as well; a plus input whose right value is too large to come out of
it (one task of MBPP+ has five: up to 1.7 million tuples of 77 words) is left out and counted. They are compared as evalplus
compares them (Liu et al., NeurIPS 2023): equal, or for floats within the data set's tolerance; `find_zero` by whether it found
one. Types are exact, as plain values carry no behaviour of the program's.
"""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

from cascade.sandbox import Limits, Returned, Sandbox, call_each
from cascade.sandbox.inside.plain import NotPlain, decode, encode
from eval.code.data import Hidden
from eval.code.mbpp_rules import accepts, only_found, saying_found
from eval.errors import Unusable

__all__ = ["Scored", "Scorer"]

_CANONICAL = Limits(wall_s=120, reply_s=30, cpu_s=120, memory_bytes=4 * 2**30, reply_bytes=64 * 2**20)
# As evalplus has it: seconds for one input, or four times what the canonical solution took for all; a minute for everything.
_PROGRAM = replace(_CANONICAL, wall_s=61, cpu_s=61)
_LEAST_S, _TIMES_CANONICAL = 4.0, 4.0
_LEAST_BYTES = 2**20
_MOST_LEFT_OUT = 8
_FLOATS_ATOL = 1e-6  # evalplus gives floats this much where a problem names no tolerance
_RTOL = 1e-7


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """Whether a program is right on the base inputs, and on those and the plus inputs; and the first thing that was wrong.

    `left_out` of the plus inputs were not tried.
    """

    base: bool
    plus: bool
    why: str = ""
    left_out: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Expected:
    """What these inputs should give, encoded, within which tolerances, and how long the canonical solution took for all."""

    inputs: Sequence[tuple[Any, ...]]
    values: Sequence[str]
    tolerances: Sequence[float]
    took_s: float


class Scorer:
    """Scores programs; each distinct one is run once."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._expected: dict[str, asyncio.Task[_Expected]] = {}
        self._scores: dict[tuple[str, str], asyncio.Task[Scored]] = {}

    async def score(self, program: str, problem: Hidden) -> Scored:
        """Score a program. Raises SandboxUnavailable, and Unusable if the canonical solution fails."""
        key = (problem.id, program)
        if key not in self._scores:
            self._scores[key] = asyncio.create_task(self._score(program, problem))
        return await self._scores[key]

    async def _score(self, program: str, problem: Hidden) -> Scored:
        if problem.id not in self._expected:
            self._expected[problem.id] = asyncio.create_task(self._canonical(problem))
        expected = await self._expected[problem.id]
        limits = replace(
            _PROGRAM,
            reply_s=max(_LEAST_S, _TIMES_CANONICAL * expected.took_s),
            # What is so much longer than any right value is wrong, and not worth reading.
            reply_bytes=max(_LEAST_BYTES, 4 * max(map(len, expected.values))),
        )
        left_out = len(problem.base_inputs) + len(problem.plus_inputs) - len(expected.inputs)
        got, _ = await self._run(program, problem, expected.inputs, limits)
        rows = zip(expected.inputs, expected.values, expected.tolerances, got, strict=True)
        for place, row in enumerate(rows):
            if why := _fault(problem, *row):
                base = place >= len(problem.base_inputs)
                return Scored(base=base, plus=False, why=why, left_out=left_out)
        return Scored(base=True, plus=True, left_out=left_out)

    async def _canonical(self, problem: Hidden) -> "_Expected":
        inputs = [*problem.base_inputs, *problem.plus_inputs]
        for left_out in range(_MOST_LEFT_OUT + 1):
            returned, took_s = await self._run(problem.canonical_solution, problem, inputs, _CANONICAL)
            values = [one.value for one in returned if one.value is not None]
            failed = next((place for place, one in enumerate(returned) if one.value is None), None)
            if failed is None:
                break
            if failed < len(problem.base_inputs) or left_out == _MOST_LEFT_OUT:
                raise Unusable(f"the canonical solution of {problem.id} fails: {returned[failed].why}")
            del inputs[failed]
        if _only_found(problem):
            values = [encode(decode(value) is not None) for value in values]
        ends = len(problem.base_inputs)
        tolerances = [*_tolerances(problem, values[:ends]), *_tolerances(problem, values[ends:])]
        return _Expected(inputs=inputs, values=values, tolerances=tolerances, took_s=took_s)

    async def _run(
        self, program: str, problem: Hidden, inputs: Sequence[tuple[Any, ...]], limits: Limits
    ) -> tuple[list[Returned], float]:
        given = [encode((one, {})) for one in inputs]
        if _only_found(problem):
            program = saying_found(problem.entry_point, program)
        async with self._sandbox.turn() as level:
            began_s = perf_counter()
            returned = await call_each(level, program, problem.entry_point, given, limits)
            return returned, perf_counter() - began_s


def _only_found(problem: Hidden) -> bool:
    return problem.data_set == "mbpp" and only_found(problem.entry_point)


def _tolerances(problem: Hidden, values: Sequence[str]) -> list[float]:
    """Give each value's tolerance. As in evalplus, one float gives one to the rest of these inputs, if the problem names none."""
    atol = problem.atol
    found: list[float] = []
    for value in values:
        atol = atol or (_FLOATS_ATOL if _floats(decode(value)) else 0.0)
        found.append(atol)
    return found


def _fault(problem: Hidden, inputs: tuple[Any, ...], expected: str, atol: float, got: Returned) -> str:
    """Say what is wrong with a value, "" for nothing."""
    if got.value is None:
        return got.why or "no value"
    if got.value == expected:
        return ""
    try:
        value, wanted = decode(got.value), decode(expected)
    except NotPlain as fault:
        return str(fault)
    if problem.entry_point == "find_zero" and problem.data_set == "humaneval":
        return "" if _is_zero(inputs[0], value, atol) else "that is no zero"
    ruled = accepts(problem.entry_point, inputs, wanted, value) if problem.data_set == "mbpp" else None
    right = ruled if ruled is not None else _equal(wanted, value, atol)
    return "" if right else "another value is expected"


def _is_zero(coefficients: Sequence[float], value: Any, atol: float) -> bool:
    if not isinstance(value, int | float):
        return False
    try:
        return _at(coefficients, value) <= atol
    except OverflowError:
        return False


def _at(coefficients: Sequence[float], value: float) -> float:
    return abs(sum(c * math.pow(value, power) for power, c in enumerate(coefficients)))


def _equal(expected: Any, got: Any, atol: float) -> bool:
    if expected == got:
        return True
    return bool(atol) and type(expected) is type(got) and _close(expected, got, atol)


def _floats(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return bool(value) and all(isinstance(one, float) for one in value)
    return isinstance(value, float)


def _close(expected: Any, got: Any, atol: float) -> bool:
    if isinstance(expected, list | tuple) and isinstance(got, list | tuple):
        return len(expected) == len(got) and all(_close(*pair, atol) for pair in zip(expected, got, strict=True))
    if not isinstance(expected, int | float) or not isinstance(got, int | float):
        return bool(expected == got)
    try:
        if not math.isfinite(expected) or not math.isfinite(got):
            return expected == got
        return abs(expected - got) <= atol + _RTOL * abs(expected)
    except OverflowError:  # a whole number beyond any float
        return False
