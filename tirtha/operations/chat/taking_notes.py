"""Taking notes: what memory holds on a conversation's last message, beside what the prompt holds itself."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from cascade import Brief
from compaction import Compacted
from memory import Scope
from memory.api import Memory
from tirtha.observation.observer import Observer
from tirtha.operations.ask import brief_of
from tirtha.operations.chat.asked import ChatAsked
from tirtha.operations.chat.following import Place
from tirtha.operations.context import distilled

__all__ = ["TakeNotes"]

_OF_QUESTION = 1_000  # characters of a long message's beginning and end that memory is asked about


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeNotes:
    """Recall on the last message of the user, and distil. Raises TooManyQuestions and StoreUnavailable."""

    memory: Memory
    observer: Observer

    async def __call__(
        self, scope: Scope, asked: ChatAsked, place: Place | None, fitted: Compacted, *, answerable_from: float
    ) -> Brief | None:
        """Return the notes; None if memory holds nothing on it, or not as likely as `answerable_from`.

        What the user wants always is noted in any case, if he asks for work.

        A result of a tool, which comes after the message it serves, is answered with the notes of that message.
        """
        question = _question(asked)
        if not question:
            return None
        now = datetime.now(asked.time_zone or UTC)
        with self.observer.stage("recall"):
            found = await self.memory.recall(scope, question, now, exclude=_shown(place, fitted.first))
        # In a chat every question is remembered, and nothing is as like a question as the same one asked before.
        evidence = tuple(one for one in found.evidence if not one.analysed.asks)
        if found.answerable < answerable_from:
            evidence = ()
        if not evidence and not found.standing:
            return None
        with self.observer.stage("distil"):
            context = distilled(replace(found, evidence=evidence), fitted.evidence_budget)
        return (
            brief_of(context, question=question, asked_at=now, answerable=found.answerable) if context.lines else None
        )


def _question(asked: ChatAsked) -> str:
    """Return the last message of the user that says something, without the middle of a long one."""
    text = next((turn.text for turn in reversed(asked.prompt.turns) if turn.role == "user" and turn.text), "")
    return text if len(text) <= 2 * _OF_QUESTION else f"{text[:_OF_QUESTION]}\n{text[-_OF_QUESTION:]}"


def _shown(place: Place | None, first: int) -> frozenset[tuple[str, str]]:
    """Return the turns that the prompt holds itself."""
    if place is None or place.session_id is None:
        return frozenset()
    return frozenset((place.session_id, turn_id) for turn_id in place.turn_ids[first:] if turn_id is not None)
