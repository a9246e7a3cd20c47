"""A trial: does a program pass these tests? They live in two cells and see nothing of each other but plain values.

The tests call the program through us: arguments go over, results come back as plain values. So an object that claims to
equal everything, a look into the caller's frames, a printed verdict or an early exit gains nothing: expected values and the
verdict exist only where the program is not. (evalplus and human-eval run both in one process: human-eval pull request 67.)
"""

import ast
import asyncio
import builtins
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from cascade.sandbox.cells import Cell, CellDied, Level, Limits, open_cell

__all__ = ["Returned", "TrialOutcome", "call_each", "try_program"]

_CALLS = 100_000
_IN_FLIGHT = 32  # calls sent ahead of their replies


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialOutcome:
    """Whether the tests passed, and the first thing that was wrong."""

    passed: bool
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """What one call gave: its encoded value (`inside.plain`), or why there is none."""

    value: str | None
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicTests:
    """Python assertions over functions of a program, or a `check(candidate)`; `prompt` may define what they lean on."""

    text: str
    entry_point: str
    prompt: str = ""

    def names(self) -> list[str]:
        """List the functions that the program must supply: the entry point, and what else the tests name and do not define."""
        tree, given = ast.parse(self.text), _defined(ast.parse(self.prelude()))
        named = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
        named -= given | _defined(tree) | set(dir(builtins)) | {self.entry_point}
        return [self.entry_point, *sorted(named)]

    def prelude(self) -> str:
        """Return the imports and finished functions of the prompt, if it is Python, without its entry point."""
        try:
            tree = ast.parse(self.prompt)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return ""
        kept = [
            node for node in tree.body if isinstance(node, _GIVEN) and getattr(node, "name", "") != self.entry_point
        ]
        return ast.unparse(ast.Module(body=list(kept), type_ignores=[]))


_GIVEN = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef, ast.Assign)


async def try_program(level: Level, program: str, tests: PublicTests, limits: Limits) -> TrialOutcome:
    """Run tests against a program. Raises SandboxUnavailable; whatever the program does is an outcome, not an error."""
    try:
        names = tests.names()
    except (SyntaxError, ValueError, RecursionError, MemoryError) as fault:
        return TrialOutcome(passed=False, why=f"the tests are no Python: {fault}")
    try:
        async with open_cell(level, limits) as subject, open_cell(level, limits) as judge:
            await subject.say(do="load", code=program)
            loaded = await subject.hear()
            if "error" in loaded:
                return TrialOutcome(passed=False, why=f"the program does not load: {_text(loaded['error'])}")
            await judge.say(do="judge", prelude=tests.prelude(), tests=tests.text, names=names)
            return await _relay(judge, subject)
    except TimeoutError:
        return TrialOutcome(passed=False, why=f"no end after {limits.wall_s:g} s")
    except CellDied as fault:
        return TrialOutcome(passed=False, why=str(fault))


async def _relay(judge: Cell, subject: Cell) -> TrialOutcome:
    for _ in range(_CALLS):
        asked = await judge.hear()
        if "verdict" in asked:
            return TrialOutcome(passed=asked["verdict"] == "pass", why=_text(asked["why"]))
        await subject.say(do="call", name=asked["call"], given=asked["given"])
        await judge.say(**_only_reply(await subject.hear()))
    return TrialOutcome(passed=False, why=f"the tests call the program more than {_CALLS:,} times")


async def call_each(
    level: Level, program: str, entry_point: str, given: Sequence[str], limits: Limits
) -> list[Returned]:
    """Call a function with each of the encoded `(args, kwargs)`; a program that dies has no value from there on.

    `limits` are for all calls together, but for `reply_s`. Raises SandboxUnavailable.
    """
    returned: list[Returned] = []
    try:
        async with open_cell(level, limits) as cell:
            await cell.say(do="load", code=program)
            loaded = await cell.hear()
            broken = f"the program does not load: {_text(loaded['error'])}" if "error" in loaded else ""
            returned += [Returned(value=None, why=broken) for _ in given if broken]
            for start in range(len(returned), len(given), _IN_FLIGHT):
                window = given[start : start + _IN_FLIGHT]
                sending = asyncio.create_task(_send(cell, entry_point, window))
                try:
                    for _ in window:
                        async with asyncio.timeout(limits.reply_s):
                            returned.append(_returned(await cell.hear()))
                finally:
                    sending.cancel()
    except (CellDied, TimeoutError) as fault:
        why = str(fault) or f"no end after {limits.reply_s:g} s, or {limits.wall_s:g} s in all"
        returned += [Returned(value=None, why=why)] * (len(given) - len(returned))
    return returned


async def _send(cell: Cell, entry_point: str, given: Sequence[str]) -> None:
    with suppress(CellDied):  # who waits for the reply hears of it
        for one in given:
            await cell.say(do="call", name=entry_point, given=one)


def _returned(reply: dict[str, Any]) -> Returned:
    value = reply.get("value")
    return Returned(value=value) if isinstance(value, str) else Returned(value=None, why=_text(reply.get("error")))


def _only_reply(claimed: dict[str, Any]) -> dict[str, str]:
    """Keep what a reply may hold: a value with the arguments after the call, or an error."""
    if all(isinstance(claimed.get(name), str) for name in ("value", "after")):
        return {"value": claimed["value"], "after": claimed["after"]}
    return {"error": _text(claimed.get("error")), "kind": _text(claimed.get("kind"))}


def _text(claimed: Any) -> str:
    return str(claimed)[:500]


def _defined(tree: ast.Module) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name) | ast.ExceptHandler(name=str(name)):
                names.add(name)
            case ast.alias(name=name, asname=asname):
                names.add(asname or name.split(".")[0])
    return names
