"""The standing instructions of scopes, to list and to switch off. `Memory.instructions` is one.

As `memory.api` does, each method crosses to a thread once.
"""

import anyio
import anyio.to_thread

from memory.model import Bounds, Instruction, Scope
from memory.recall.standing.in_force import StandingInstructions
from memory.storage.store import TurnStore

__all__ = ["Instructions"]

_ALL = Bounds()


class Instructions:
    """What users want always. Every method raises StoreUnavailable."""

    def __init__(self, store: TurnStore, standing: StandingInstructions, threads: anyio.CapacityLimiter) -> None:
        self._store = store
        self._standing = standing
        self._threads = threads

    async def of_scope(self, scope: Scope) -> list[Instruction]:
        """Return the instructions of `scope`, newest first, also those that are off or replaced: some thousands at most."""
        return await anyio.to_thread.run_sync(self._of_scope, scope, limiter=self._threads)

    async def switch_off(self, scope: Scope, *, session_id: str, turn_id: str) -> tuple[int, int] | None:
        """Let no instruction of a turn be followed any more; the turn stays.

        Returns how many instructions it gives, and the scope's epoch, which rises unless they were off already; None if `scope`
        holds no such turn, or the turn gives none.
        """

        def switch() -> tuple[int, int] | None:
            known = self._store.scope(scope)
            given = [
                one for one in self._of_scope(scope) if (one.turn.session_id, one.turn.id) == (session_id, turn_id)
            ]
            if known is None or not given:
                return None
            return len(given), self._store.instructions.switch_off(known[0], given[0].turn.pk)

        return await anyio.to_thread.run_sync(switch, limiter=self._threads)

    def _of_scope(self, scope: Scope) -> list[Instruction]:
        survey = self._store.survey(scope)
        return self._standing.of_scope(survey.scope, survey.waiting, _ALL) if survey else []
