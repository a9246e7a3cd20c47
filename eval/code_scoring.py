"""Scoring programs on hidden inputs, leak-proof: a program gets arguments and gives plain values; what it should give stays here.

Expected values come from the canonical solution, run in a cell as well. They are compared as evalplus compares them (Liu et al.,
NeurIPS 2023): equal, or for floats within the data set's tolerance; `find_zero` by whether it found one. Types are exact, as plain
values carry no behaviour of the program's.
"""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

from cascade.sandbox import Level, Limits, Returned, call_each
from cascade.sandbox.inside.plain import NotPlain, decode, encode
from eval.code_data import Hidden
from eval.mbpp_rules import accepts

__all__ = ["Scored", "Scorer"]

_CANONICAL = Limits(wall_s=120, reply_s=30, cpu_s=120, memory_bytes=4 * 2**30, reply_bytes=64 * 2**20)
# As evalplus has it: seconds for one input, or four times what the canonical solution took for all; a minute for everything.
_PROGRAM = replace(_CANONICAL, wall_s=61, cpu_s=61)
_LEAST_S, _TIMES_CANONICAL = 4.0, 4.0
_LEAST_BYTES = 2**20
_FLOATS_ATOL = 1e-6  # evalplus gives floats this much where a problem names no tolerance
_RTOL = 1e-7


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """Whether a program is right on the base inputs, and on those and the plus inputs; and the first thing that was wrong."""

    base: bool
    plus: bool
    why: str = ""


class Scorer:
    """Scores programs; each distinct one is run once."""

    def __init__(self, level: Level, *, at_once: int = 2) -> None:
        self._level = level
        self._expected: dict[str, asyncio.Task[tuple[list[Returned], float]]] = {}
        self._scores: dict[tuple[str, str], asyncio.Task[Scored]] = {}
        self._turns = asyncio.Semaphore(at_once)

    async def score(self, program: str, problem: Hidden) -> Scored:
        """Score a program. Raises SandboxUnavailable, and ValueError if the canonical solution fails."""
        key = (problem.id, program)
        if key not in self._scores:
            self._scores[key] = asyncio.create_task(self._score(program, problem))
        return await self._scores[key]

    async def _score(self, program: str, problem: Hidden) -> Scored:
        if problem.id not in self._expected:
            canonical = self._run(problem.canonical_solution, problem, _CANONICAL)
            self._expected[problem.id] = asyncio.create_task(canonical)
        expected, took_s = await self._expected[problem.id]
        longest = max(len(one.value or "") for one in expected)
        limits = replace(
            _PROGRAM,
            reply_s=max(_LEAST_S, _TIMES_CANONICAL * took_s),
            reply_bytes=max(_LEAST_BYTES, 4 * longest),  # what is so much longer is wrong, and not worth reading
        )
        got, _ = await self._run(program, problem, limits)
        rows = list(zip(_inputs(problem), expected, got, strict=True))
        ends = len(problem.base_inputs)
        faults = [*_faults(problem, rows[:ends]), *_faults(problem, rows[ends:])]
        return Scored(base=not any(faults[:ends]), plus=not any(faults), why=next(filter(None, faults), ""))

    async def _run(self, program: str, problem: Hidden, limits: Limits) -> tuple[list[Returned], float]:
        given = [encode((inputs, {})) for inputs in _inputs(problem)]
        async with self._turns:
            began_s = perf_counter()
            returned = await call_each(self._level, program, problem.entry_point, given, limits)
            return returned, perf_counter() - began_s


def _inputs(problem: Hidden) -> Sequence[tuple[Any, ...]]:
    return (*problem.base_inputs, *problem.plus_inputs)


def _faults(problem: Hidden, rows: Sequence[tuple[tuple[Any, ...], Returned, Returned]]) -> list[str]:
    """Say of each value what is wrong with it, "" for nothing.

    As in evalplus, once a float was expected where the problem names no tolerance, the rest of these inputs is given one.
    """
    atol = problem.atol
    faults: list[str] = []
    for inputs, expected, got in rows:
        if expected.value is None:
            raise ValueError(f"the canonical solution of {problem.id} fails: {expected.why}")
        wanted = decode(expected.value)
        atol = atol or (_FLOATS_ATOL if _floats(wanted) else 0.0)
        faults.append(_fault(problem, inputs, wanted, got, atol))
    return faults


def _fault(problem: Hidden, inputs: tuple[Any, ...], wanted: Any, got: Returned, atol: float) -> str:
    if got.value is None:
        return got.why or "no value"
    try:
        value = decode(got.value)
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
