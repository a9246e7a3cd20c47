"""Replaying a decision: the same contexts, guards and policy over recorded calls, and what comes out differently.

Reads the ledger and the recordings; calls no model. What differs says what has changed since: settings, guards, prompts, code.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from time import perf_counter

from cascade import Brief, Decision, Ledger
from cascade.tiers.deployment import Breaker, Deployment
from cascade.tiers.model import ModelTier
from cascade.tiers.recording import DecisionChat, Recorded, Recordings, read_recordings
from memory.encoding.encoder import BUNDLED_MODEL, Encoder
from tirtha.caller import local_caller
from tirtha.errors import NotReplayable
from tirtha.settings import Settings, TierSettings
from tirtha.wiring.cascade import GuardEncoder, make_cascade
from tirtha.wiring.database import database_beside_a_server
from tirtha.wiring.tiers import Name, Tiers, model_name, model_tier

__all__ = ["Replayed", "replay_decision"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """A decision and what replaying it gave; `differs` names the fields that are not the same, times and ids left aside."""

    recorded: Decision
    again: Decision
    differs: tuple[str, ...]


@dataclass(slots=True)
class _RecordedContexts:
    """The contexts of a decision, in the order they were drawn up; after the last one nothing new comes."""

    briefs: Sequence[Brief]
    next: int = 0

    async def at(self, budget: int) -> Brief:  # noqa: ARG002 - the decision says what was drawn up
        """Return the next context."""
        brief = self.briefs[min(self.next, len(self.briefs) - 1)]
        self.next += 1
        return brief

    raw = at


class _Breaker(Breaker):
    """Open once the decision has no call left for its tier, as the real one must have been."""

    def __init__(self, chat: DecisionChat) -> None:
        super().__init__()
        self._chat = chat

    def opens_in_s(self) -> float:
        """Return the seconds until a call may pass."""
        return float(self._chat.exhausted)


async def replay_decision(settings: Settings, decision_id: str, recordings: Path) -> Replayed:
    """Replay a decision from memory on what was recorded in a folder (or file).

    Raises UnknownDecision, NotRecorded, Misconfigured, LedgerUnavailable, what `read_database` raises, and NotReplayable for a
    decision that drew up no context, or a file that holds no recordings.
    """
    with database_beside_a_server(settings) as database:
        decision = await Ledger(database).read(decision_id, tenant=local_caller().tenant)
    if decision.path == "cache" or not any(brief.budget for brief in decision.contexts):
        raise NotReplayable("only decisions that drew up a context can be replayed: neither cache hits nor code tasks")
    known = _recorded(recordings)
    encoder = await asyncio.to_thread(Encoder, settings.embedding_model or BUNDLED_MODEL)
    tiers = Tiers(
        local=_tier("local", settings.local, decision, known),
        frontier=_tier("frontier", settings.frontier, decision, known),
    )
    cascade = make_cascade(settings, tiers, GuardEncoder(encoder))
    contexts = _RecordedContexts(decision.contexts)
    ended = await cascade.answer(
        contexts, budget=decision.contexts[0].budget, started_s=perf_counter(), max_tier=decision.max_tier
    )
    return Replayed(recorded=decision, again=ended.decision, differs=tuple(_differing(decision, ended.decision)))


def _tier(name: Name, configured: TierSettings | None, decision: Decision, recordings: Recordings) -> ModelTier | None:
    if configured is None:
        return None
    chat = DecisionChat(decision.calls, recordings, tier=name, model=model_name(name, configured))
    return replace(
        model_tier(name, configured, [Deployment(chat, name="recordings", breaker=_Breaker(chat))]), sleep=_no_wait
    )


async def _no_wait(seconds: float) -> None:
    """What was waited for then need not be waited for again."""


def _differing(recorded: Decision, again: Decision) -> list[str]:
    one, other = recorded.timeless(), again.timeless()
    return [field.name for field in fields(Decision) if getattr(one, field.name) != getattr(other, field.name)]


def _recorded(folder: Path) -> Recordings:
    known: dict[tuple[str, int], Recorded] = {}
    for file in sorted(folder.glob("*.jsonl")) if folder.is_dir() else [folder]:
        try:
            known.update(read_recordings(file.read_text("utf-8").splitlines()))
        except ValueError as fault:
            reason = str(fault).partition("\n")[0]
            raise NotReplayable(f"{file} holds a line that is no recording ({reason}): remove it") from fault
    return known
