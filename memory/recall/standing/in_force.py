"""What a scope's user wants always: listed, and brought to a request that asks for work or advice.

Indexed turns have their instructions in SQL; those that wait for the index are read now, the newest of them. An instruction that
is switched off, or that a later one replaced, is not in force. Those in force come by how near they are to the request, the
newest first among equals. A request for work does not get what is over as evidence, either. A question for a fact gets none, but
for one that names such questions itself: "format dates as month, day and year when I ask about deadlines". All is bounded, and so
is the time that a request takes for it.
"""

import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from language import Passage, analyse, split_passages
from language.requests.instructions import condition_of
from language.words import content_terms
from memory.encoding.encoder import Encoder
from memory.index.indexer import Recognise
from memory.index.scope_cache import CachedScope
from memory.model import Bounds, EncodedPassage, Evidence, Instruction, Recollection, ScopeId, TurnPk
from memory.recall.features import Found
from memory.recall.standing.succession import with_successors
from memory.recall.waiting import WaitingTurns
from memory.storage.store import TurnStore

__all__ = ["StandingInstructions"]

_MOST_WAITING = 256  # turns, the newest
_KEPT = 8_192  # turns of which it is kept where instructions stand, and conditions of which the vector is
_MOST_COMPARED = 256  # instructions, the newest
_MOST_BROUGHT = 64  # so many as fit into a quarter of any usual budget
# Set with BEAM's requests in view (docs/models.md). As shares beside a cosine:
_WORDS_SHARE = 0.3  # the request's words that the passage holds
_LEAST_TERMS = 2  # of a condition that names a question,
_NAMES_IT = 0.55  # from here on, a condition names the question
_AS_NEAR = 50  # steps of nearness that are distinguished: within one, the newest comes first
_GOES_ON = re.compile(r"(?<![.!?;:\u2026\u3002\uff01\uff1f])[ \t,;:]*[^\s.!?,;:\u3002\uff01\uff1f]")

_Vector = NDArray[np.float32]


class StandingInstructions:
    """The instructions of scopes; used by any thread."""

    def __init__(self, *, store: TurnStore, waiting: WaitingTurns, encoder: Encoder, recognise: Recognise) -> None:
        self._store = store
        self._waiting = waiting
        self._encoder = encoder
        self._recognise = recognise
        self._keeping = Lock()
        self._spans: OrderedDict[TurnPk, tuple[Passage, ...]] = OrderedDict()
        self._conditions: OrderedDict[str, _Vector] = OrderedDict()

    def forget_texts(self) -> None:
        """Drop what is kept of instructions for the next request."""
        with self._keeping:
            self._spans.clear()
            self._conditions.clear()

    def of_scope(self, scope: ScopeId, waiting: Sequence[TurnPk], bounds: Bounds) -> list[Instruction]:
        """Return the instructions of `scope`, newest first, also those that are not in force; `waiting` are its waiting turns.

        What was said after the end of `bounds` does not exist. What is left out by name does: it may replace others.
        """
        return with_successors(self._said(scope, waiting, bounds))

    def beside(
        self,
        recalled: Recollection,
        found: Found,
        scope: ScopeId,
        passages: CachedScope,
        waiting: Sequence[TurnPk],
        bounds: Bounds,
    ) -> Recollection:
        """Return what was recalled, with the instructions in force for the request, the nearest first.

        Args:
            recalled: what recall found, which the instructions are added to.
            found: the request, with its vector.
            scope: the scope that is asked.
            passages: the scope in memory, with nothing left out: vectors of instructions come from it.
            waiting: the scope's turns that the index does not hold yet.
            bounds: instructions of other turns are not brought, though one that was left out by name may replace others.
        """
        question = found.question
        if question.of_what_was_said and not question.wants_work:
            return recalled
        said = self._said(scope, waiting, bounds)[:_MOST_COMPARED]
        wanted = {_key(one) for one in (said if question.wants_work else self._naming(said, found))}
        if not wanted:
            return recalled
        every = with_successors(said)
        held = [one for one in every if one.in_force and bounds.hold(one.turn) and _key(one) in wanted]
        near = self._nearness(held, found, passages, set(waiting))
        order = sorted(range(len(held)), key=lambda place: (-round(near[place] * _AS_NEAR), place))
        order = order[: _MOST_BROUGHT if question.wants_work else 1]
        standing = tuple(_evidence(held[place]) for place in order)
        evidence = recalled.evidence
        if question.wants_work:
            evidence = _without(evidence, [one for one in every if not one.in_force])
        return replace(recalled, evidence=evidence, standing=standing, nearness=tuple(near[place] for place in order))

    def _said(self, scope: ScopeId, waiting: Sequence[TurnPk], bounds: Bounds) -> list[Instruction]:
        found = {_key(one): one for one in self._store.instructions.of_scope(scope)}
        found |= {_key(one): one for one in self._of_waiting(scope, waiting)}
        said = [one for one in found.values() if bounds.until is None or one.turn.said_at <= bounds.until]
        return sorted(said, key=lambda one: (one.turn.said_at, one.turn.pk, -one.start), reverse=True)

    def _naming(self, said: Sequence[Instruction], found: Found) -> list[Instruction]:
        """Return those that say themselves that they are for such a question: in several words, since one is near to too much."""
        conditions = [(one, condition_of(one.quote)) for one in said]
        named = [
            (one, condition)
            for one, condition in conditions
            if condition and len(content_terms(condition)) >= _LEAST_TERMS
        ]
        near = self._of_conditions([condition for _, condition in named], found)
        return [one for (one, _), value in zip(named, near, strict=True) if value > _NAMES_IT]

    def _nearness(
        self, instructions: Sequence[Instruction], found: Found, passages: CachedScope, waiting: set[TurnPk]
    ) -> list[float]:
        """Return how near each instruction is to the request.

        That is the cosine with its passage, with its condition where it has one, or their mean, and the request's words that the
        passage holds.
        """
        turns = {one.turn.pk: one.turn for one in instructions}
        held = passages.of_turns([pk for pk in turns if pk not in waiting])
        held += self._waiting.encode([turn for pk, turn in turns.items() if pk in waiting], found.question.terms)
        by_turn: dict[TurnPk, list[EncodedPassage]] = {}
        for encoded in held:
            by_turn.setdefault(encoded.turn_pk, []).append(encoded)
        conditions = [condition_of(one.quote) for one in instructions]
        of_conditions = iter(self._of_conditions([one for one in conditions if one], found))
        asked = frozenset(found.question.terms)
        near: list[float] = []
        for one, condition in zip(instructions, conditions, strict=True):
            around = [own for own in by_turn.get(one.turn.pk, ()) if own.passage.start <= one.start < own.passage.end]
            cosine = max((float(own.vector.astype(np.float32) @ found.vector) for own in around), default=0.0)
            cosine *= found.familiarity
            if condition:
                cosine = (cosine + next(of_conditions)) / 2
            spans = [own.passage for own in around] or [Passage(start=one.start, end=one.end)]
            said = frozenset(term for span in spans for term in analyse(one.turn.text[span.start : span.end]).terms)
            near.append(cosine + _WORDS_SHARE * len(asked & said) / max(len(asked), 1))
        return near

    def _of_conditions(self, conditions: Sequence[str], found: Found) -> list[float]:
        """Return the cosine of the request with each condition, as far as the encoder reads its language."""
        with self._keeping:
            known = {one: self._conditions[one] for one in conditions if one in self._conditions}
        unknown = [one for one in dict.fromkeys(conditions) if one not in known]
        if unknown:
            known |= zip(unknown, self._encoder.encode_texts(unknown), strict=True)
            with self._keeping:
                self._conditions |= known
                _bound(self._conditions)
        return [float(known[one] @ found.vector) * found.familiarity for one in conditions]

    def _of_waiting(self, scope: ScopeId, waiting: Sequence[TurnPk]) -> list[Instruction]:
        newest = list(waiting)[-_MOST_WAITING:]
        with self._keeping:
            known = {pk: self._spans[pk] for pk in newest if pk in self._spans}
        turns = self._store.turns(scope, [pk for pk in newest if pk not in known])
        known |= {pk: tuple(self._recognise(turn, split_passages(turn.text))) for pk, turn in turns.items()}
        with self._keeping:
            self._spans |= known
            _bound(self._spans)
        holding = [pk for pk, spans in known.items() if spans]
        turns |= self._store.turns(scope, [pk for pk in holding if pk not in turns])
        off = self._store.instructions.off(holding)
        return [
            Instruction(turn=turns[pk], start=span.start, end=span.end, off=pk in off)
            for pk in holding
            if pk in turns
            for span in known[pk]
        ]


def _without(evidence: Sequence[Evidence], over: Sequence[Instruction]) -> tuple[Evidence, ...]:
    """Leave out the passages that are nothing but an instruction that is not in force: a request for work would follow them."""
    spans: dict[TurnPk, list[Instruction]] = {}
    for one in over:
        spans.setdefault(one.turn.pk, []).append(one)
    return tuple(
        one
        for one in evidence
        if not any(
            span.start <= one.passage.start and one.passage.end <= span.end for span in spans.get(one.turn.pk, ())
        )
    )


def _key(one: Instruction) -> tuple[TurnPk, int]:
    return one.turn.pk, one.start


def _bound(kept: OrderedDict[TurnPk, tuple[Passage, ...]] | OrderedDict[str, _Vector]) -> None:
    while len(kept) > _KEPT:
        kept.popitem(last=False)


def _evidence(instruction: Instruction) -> Evidence:
    """Return an instruction as a passage that is no evidence; a clause of a longer sentence is a trimmed one."""
    return Evidence(
        turn=instruction.turn,
        passage=Passage(start=instruction.start, end=instruction.end),
        score=0.0,
        trimmed=bool(_GOES_ON.match(instruction.turn.text, instruction.end)),
    )
