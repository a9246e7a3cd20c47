"""What reads memories at the moment, so that forgetting reaches copies that are only being made.

A question that was asked before the forgetting may end after it, with a decision that quotes what is gone, and with texts in
the caches of `language` and `compaction`. Each such operation says that it reads; forgetting leaves a note with it; the note
decides how the decision is recorded, and has the caches emptied once more at the end. One process owns a data folder, so notes
in memory do.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from cascade import Decision
from cascade.storage.ledger import Owner
from compaction import forget_rows
from language import forget_texts

__all__ = ["Reading", "UnderWay"]


class Reading:
    """One operation that reads the memory of `owner`, with what was forgotten of it meanwhile: (session or all, turn or all)."""

    def __init__(self, owner: Owner) -> None:
        self.owner = owner
        self.forgotten: list[tuple[str | None, str | None]] = []

    def outlived(self, decision: Decision, session_id: str | None) -> bool:
        """Return whether a decision, asked in this session, rests on what was forgotten."""
        used = {(quote.session_id, quote.turn_id) for brief in decision.contexts for quote in brief.quotes}
        sessions = {session_id} | {session for session, _ in used}
        return any(
            session is None or (session in sessions if turn is None else (session, turn) in used)
            for session, turn in self.forgotten
        )


class UnderWay:
    """The operations under way. Decisions are recorded and forgotten under `recording`, so that one sees what the other did."""

    def __init__(self) -> None:
        self.recording = asyncio.Lock()
        self._readings: set[Reading] = set()
        self._forgettings: Counter[Owner | str] = Counter()

    def forgettings(self, owner: Owner) -> int:
        """Return how often something of `owner`, or of all its tenant, was forgotten: whether it was since is seen by comparing."""
        return self._forgettings[owner] + self._forgettings[owner.tenant]

    @contextmanager
    def reading(self, owner: Owner) -> Iterator[Reading]:
        """Note that the memory of `owner` is read; at the end nothing that was forgotten meanwhile is kept for the next time."""
        reading = Reading(owner)
        self._readings.add(reading)
        try:
            yield reading
        finally:
            self._readings.discard(reading)
            if reading.forgotten:
                forget_texts()
                forget_rows()

    def note_tenant(self, tenant: str) -> None:
        """Notify every reading of a tenant that everything of it is forgotten."""
        self._forgettings[tenant] += 1
        for reading in self._readings:
            if reading.owner.tenant == tenant:
                reading.forgotten.append((None, None))

    def note(self, owner: Owner, *, session_id: str | None, turn_id: str | None) -> None:
        """Notify every reading of `owner` of what is forgotten: a turn of a session, a session, or everything."""
        self._forgettings[owner] += 1
        for reading in self._readings:
            if reading.owner == owner:
                reading.forgotten.append((session_id, turn_id))
