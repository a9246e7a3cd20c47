"""A sandbox: the strongest confinement that works here, found once, in which a few programs run at a time."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cascade.sandbox.cells import Level, Limits, find_level
from cascade.sandbox.trial import PublicTests, TrialOutcome, try_program

__all__ = ["Sandbox"]


class Sandbox:
    """Finds the confinement when it is first needed, and gives turns: `at_once`, by default one for two processors.

    `limits` are those of a trial.
    """

    def __init__(self, *, limits: Limits | None = None, at_once: int | None = None) -> None:
        self._limits = limits or Limits()
        self._turns = asyncio.Semaphore(at_once or max(1, (os.cpu_count() or 2) // 2))
        self._level: Level | None = None

    @classmethod
    async def found(cls, *, limits: Limits | None = None, at_once: int | None = None) -> "Sandbox":
        """Return a sandbox that has found its confinement already. Raises SandboxUnavailable."""
        sandbox = cls(limits=limits, at_once=at_once)
        async with sandbox.turn():
            return sandbox

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Level]:
        """Wait for a turn, and yield the confinement to run a program in. Raises SandboxUnavailable."""
        async with self._turns:
            self._level = self._level or await find_level()
            yield self._level

    async def try_program(self, program: str, tests: PublicTests) -> TrialOutcome:
        """Run tests against a program, when it is its turn. Raises SandboxUnavailable."""
        async with self.turn() as level:
            return await try_program(level, program, tests, self._limits)
