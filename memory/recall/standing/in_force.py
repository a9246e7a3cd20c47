"""What a scope's user wants always: listed, and brought to a request that asks for work or advice.

Indexed turns have their instructions in SQL; those that wait for the index are read now, the newest of them. An instruction that is
switched off, or that a later one replaced, is not in force. Those in force come by how near they are to the request, the newest first
among equals. Their number is bounded, and so is the time that a request takes for them.
"""

import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from threading import Lock

import numpy as np

from language import Passage, split_passages
from language.instructions import subject_of
from memory.index.indexer import Recognise
from memory.index.scope_cache import CachedScope
from memory.model import Bounds, EncodedPassage, Evidence, Instruction, Recollection, ScopeId, TurnPk
from memory.recall.features import Found
from memory.recall.standing.succession import with_successors
from memory.recall.waiting import WaitingTurns
from memory.storage.store import TurnStore

__all__ = ["StandingInstructions"]

_GOES_ON = re.compile(r"(?<![.!?;:\u2026\u3002\uff01\uff1f])[ \t,;:]*[^\s.!?,;:\u3002\uff01\uff1f]")
_MOST_WAITING = 1_000  # turns, the newest
_KEPT_TURNS = 8_192  # of which it is kept where their instructions stand
_MOST_BROUGHT = 64  # instructions, so many as fit into a quarter of any usual budget
_WORDS_SHARE = 0.3  # of shared words, beside the cosine
_AS_NEAR = 50  # steps of nearness that are told apart: within one, the newest comes first


class StandingInstructions:
    """The instructions of scopes; used by any thread."""

    def __init__(self, *, store: TurnStore, waiting: WaitingTurns, recognise: Recognise) -> None:
        self._store = store
        self._waiting = waiting
        self._recognise = recognise
        self._keeping = Lock()
        self._told: OrderedDict[TurnPk, tuple[Passage, ...]] = OrderedDict()

    def of_scope(self, scope: ScopeId, waiting: Sequence[TurnPk], bounds: Bounds) -> list[Instruction]:
        """Return the instructions of `scope`, newest first, also those that are not in force; `waiting` are its waiting turns.

        What was said after the end of `bounds` does not exist. What is left out by name does: it may replace others.
        """
        found = {(one.turn.pk, one.start): one for one in self._store.instructions.of_scope(scope)}
        found |= {(one.turn.pk, one.start): one for one in self._of_waiting(scope, waiting)}
        said = [one for one in found.values() if bounds.until is None or one.turn.said_at <= bounds.until]
        said.sort(key=lambda one: (one.turn.said_at, one.turn.pk, -one.start), reverse=True)
        return with_successors(said)

    def beside(
        self, recalled: Recollection, found: Found, scope: ScopeId, passages: CachedScope, waiting: Sequence[TurnPk], bounds: Bounds
    ) -> Recollection:
        """Return what was recalled, with the instructions in force for a request that asks for work or advice, the nearest first."""
        if not found.question.wants_work:
            return recalled
        told = self.of_scope(scope, waiting, bounds)
        told = [one for one in told if one.in_force and bounds.hold(one.turn)]
        if not told:
            return recalled
        near = self._nearness(told, found, passages, set(waiting))
        order = sorted(range(len(told)), key=lambda place: (-round(near[place] * _AS_NEAR), place))[:_MOST_BROUGHT]
        standing = tuple(
            _evidence(told[place]) for place in order
        )
        return replace(recalled, standing=standing, nearness=tuple(near[place] for place in order))

    def _nearness(
        self, told: Sequence[Instruction], found: Found, passages: CachedScope, waiting: set[TurnPk]
    ) -> list[float]:
        """Return how near each instruction is to the request: the cosine with its passage, and the words that they share."""
        turns = {one.turn.pk: one.turn for one in told}
        held = passages.of_turns([pk for pk in turns if pk not in waiting])
        held += self._waiting.encode([turn for pk, turn in turns.items() if pk in waiting], found.question.terms)
        by_turn: dict[TurnPk, list[EncodedPassage]] = {}
        for one in held:
            by_turn.setdefault(one.turn_pk, []).append(one)
        asked = frozenset(found.question.terms)
        near: list[float] = []
        for one in told:
            around = [own for own in by_turn.get(one.turn.pk, ()) if own.passage.start <= one.start < own.passage.end]
            cosine = max((float(own.vector.astype(np.float32) @ found.vector) for own in around), default=0.0)
            subject = subject_of(one.quote)
            shared = len(asked & subject) / len(subject) if subject else 0.0
            near.append(cosine * found.familiarity + _WORDS_SHARE * shared)
        return near

    def _of_waiting(self, scope: ScopeId, waiting: Sequence[TurnPk]) -> list[Instruction]:
        newest = list(waiting)[-_MOST_WAITING:]
        unread = [pk for pk in newest if pk not in self._told]
        turns = self._store.turns(scope, unread)
        fresh = {pk: tuple(self._recognise(turn, split_passages(turn.text))) for pk, turn in turns.items()}
        with self._keeping:
            self._told |= fresh
            while len(self._told) > _KEPT_TURNS:
                self._told.popitem(last=False)
            telling = {pk: spans for pk in newest if (spans := self._told.get(pk) or fresh.get(pk))}
        turns |= self._store.turns(scope, [pk for pk in telling if pk not in turns])
        off = self._store.instructions.off(list(telling))
        return [
            Instruction(turn=turns[pk], start=span.start, end=span.end, off=pk in off)
            for pk, spans in telling.items()
            if pk in turns
            for span in spans
        ]


def _evidence(told: Instruction) -> Evidence:
    """Return an instruction as a passage that is no evidence; a clause of a longer sentence is a trimmed one."""
    return Evidence(
        turn=told.turn,
        passage=Passage(start=told.start, end=told.end),
        score=0.0,
        trimmed=bool(_GOES_ON.match(told.turn.text, told.end)),
    )
