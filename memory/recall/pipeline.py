"""Recall: from a question to ranked evidence of one scope.

Two searches propose candidates (dense and BM25), their neighbouring turns join, and so do the turns that the index does not
hold yet; `memory.recall.ranking` then judges them all. Texts come from SQL under the scope, so a turn that is gone, or another
tenant's, cannot be recalled whatever the index says. A question is the work of one thread from beginning to end: handing it from
thread to thread, and two of them taking turns on Python's lock, cost a fifth of its time.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from language.words import content_terms
from memory.encoding.encoder import Encoder
from memory.errors import IndexDamaged
from memory.index.indexer import Recognise
from memory.index.lance import PassageIndex
from memory.index.scope_cache import CachedScope
from memory.model import Bounds, EncodedPassage, Evidence, Recollection, Scope, ScopeId, Survey, Turn, TurnPk
from memory.recall.features import Candidate, Found
from memory.recall.multihop import HOPS, Lead, add_trail, leads_of, steps_of, trailheads
from memory.recall.naming import addressed, meant_by_spelling, unknown_names
from memory.recall.question import Question, read_question
from memory.recall.ranking import rank
from memory.recall.reranker import RecallModels
from memory.recall.standing.in_force import StandingInstructions
from memory.recall.waiting import WaitingTurns
from memory.storage.store import TurnStore

__all__ = ["Loaded", "Recall", "ScopeOnDisk"]

T = TypeVar("T")

_DENSE_LIMIT = 100
_LEXICAL_LIMIT = 80
_NEIGHBOURS_OF = 16
_HOLDERS = 24
_WIDER = 4  # what a search gives, where some of it is left out afterwards
_SESSION_TURNS = 20_000
_NAMES = 3  # of a question's, that are looked for
_CALLS = 40
_TRIES = 2
_ALL = Bounds()

Loaded = tuple[Survey, CachedScope]


class ScopeOnDisk(Exception):
    """A question's scope is not in memory. Ask again with it and this survey: a turn that waited then may be in both."""

    def __init__(self, survey: Survey) -> None:
        super().__init__(f"scope {survey.scope} is not in memory")
        self.survey = survey


class Recall:
    """Ranked evidence over a store, its index and an encoder; a question blocks the thread that asks it."""

    def __init__(
        self, *, store: TurnStore, index: PassageIndex, encoder: Encoder, models: RecallModels, recognise: Recognise
    ) -> None:
        self._store = store
        self._index = index
        self._encoder = encoder
        self._models = models
        self._waiting = WaitingTurns(store=store, index=index, encoder=encoder)
        self.standing = StandingInstructions(store=store, waiting=self._waiting, encoder=encoder, recognise=recognise)

    def forget_texts(self) -> None:
        """Drop what is kept of turns for the next question; called when a turn is forgotten."""
        self._waiting.forget_texts()
        self.standing.forget_texts()

    def recall(
        self,
        scope: Scope,
        question: str,
        asked_at: datetime,
        bounds: Bounds = _ALL,
        loaded: Loaded | None = None,
    ) -> Recollection:
        """Find what `scope` holds on `question`, best first.

        Without a readable index the turns themselves are searched, as those are that wait for it.

        Args:
            scope: whose memory is searched.
            question: what is asked.
            asked_at: when it is asked, which the question's times are resolved by.
            bounds: what exists for this question; no other turn is a candidate.
            loaded: the scope, where it was read for this question.

        Raises:
            ScopeOnDisk: the scope is not in memory.
            StoreUnavailable: the database or the index cannot be read.
        """
        ready = [loaded] if loaded else []

        def ask() -> Recollection:
            survey, passages = ready.pop() if ready else self._in_memory(scope)
            if survey is None:
                return rank(self._nothing(question, asked_at), self._models)
            whole, waiting = passages, survey.waiting
            survey, passages = self._within(bounds, survey, passages)
            found = self._gather(survey, passages, question, asked_at, bounds)
            ranked = rank(found, self._models)
            followed = self._follow(survey, passages, found.question, ranked, bounds)
            return self.standing.beside(followed, found, survey.scope, whole, waiting, bounds)

        return self._despite_damage(ask)

    def recall_session(
        self, scope: Scope, session_id: str, question: str, asked_at: datetime, until: datetime | None = None
    ) -> Recollection:
        """Find what one session of `scope` holds on `question`, best first. Raises as `recall` does.

        A search of the whole scope would find little of a session that says less than others do. So all its passages are compared.

        Args:
            scope: whose memory it is.
            session_id: the session.
            question: what is asked.
            asked_at: when it is asked.
            until: what was said after this moment does not exist.
        """

        def ask() -> Recollection:
            survey = self._survey(scope)
            if survey is None:
                return rank(self._nothing(question, asked_at), self._models)
            read = read_question(question, speakers=survey.speakers, asked_at=asked_at)
            own = self._store.page(survey.scope, session_id=session_id, after=None, limit=_SESSION_TURNS)
            turns = {turn.pk: turn for turn in _bounded(own, Bounds(until=until)) if turn.flag is None}
            in_session = [pk for pk in survey.waiting if pk in turns]
            _, waiting = self._waiting.find(survey.scope, in_session, read.terms, None)
            passages = self._index.scope(survey.scope)
            vector = self._encoder.encode_question(read.topic)
            held = passages.of_turns(list(turns))
            if len(held) > _DENSE_LIMIT + _LEXICAL_LIMIT:
                nearest = np.argsort([-float(one.vector.astype(np.float32) @ vector) for one in held], kind="stable")
                held = [held[row] for row in nearest[:_DENSE_LIMIT]]
                held += passages.lexical(read.terms, _LEXICAL_LIMIT * _WIDER)
            return rank(
                self._proposed(read, vector, passages, _candidates(held, turns), _candidates(waiting, turns)),
                self._models,
            )

        return self._despite_damage(ask)

    def find(self, scope: Scope, question: str, asked_at: datetime) -> Found:
        """Read the question and gather its candidates, unscored. Raises as `recall` does."""

        def look() -> Found:
            survey = self._survey(scope)
            if survey is None:
                return self._nothing(question, asked_at)
            return self._gather(survey, self._index.scope(survey.scope), question, asked_at, _ALL)

        return self._despite_damage(look)

    def _in_memory(self, scope: Scope) -> Loaded | tuple[None, CachedScope]:
        """Look at a scope; no survey, and nothing to search, of one that is unknown."""
        survey = self._survey(scope)
        if survey is None:
            return None, CachedScope.empty(self._encoder.dimension)
        passages = self._index.scope_in_memory(survey.scope)
        if passages is None:
            raise ScopeOnDisk(survey)
        return survey, passages

    def _survey(self, scope: Scope) -> Survey | None:
        return self._store.survey(scope, unindexed=self._index.damage is not None)

    def _within(self, bounds: Bounds, survey: Survey, passages: CachedScope) -> Loaded:
        """Take out of what is searched the turns that are left out: they take no places, and no term is more frequent for them."""
        if not bounds.leave_out:
            return survey, passages
        hidden = self._store.left_out(survey.scope, bounds)
        waiting = [pk for pk in survey.waiting if pk not in hidden]
        return replace(survey, waiting=waiting), passages.without(sorted(hidden))

    def _despite_damage(self, ask: Callable[[], T]) -> T:
        """Ask once more if the index turned out damaged meanwhile, or was begun anew: what it held was looked for in vain."""
        for _ in range(_TRIES):
            generation = self._index.generation
            try:
                answer = ask()
            except IndexDamaged:
                continue  # the index calls itself damaged now, and the next try does without it
            if generation == self._index.generation:
                return answer
        return ask()

    def _nothing(self, question: str, asked_at: datetime) -> Found:
        """Return the question without candidates, of a scope of which nothing was ever remembered."""
        read = read_question(question, speakers=(), asked_at=asked_at)
        nothing = CachedScope.empty(self._encoder.dimension)
        return self._proposed(read, np.zeros(self._encoder.dimension, np.float32), nothing, (), ())

    def _gather(self, survey: Survey, passages: CachedScope, asked: str, asked_at: datetime, bounds: Bounds) -> Found:
        """Read a question and collect its candidates, unscored.

        1. Names that no speaker has are resolved first, because the question is read with them.
        2. Waiting turns: the newest, and those that share its words, are encoded now. They are in no search yet.
        3. Two searches of the scope: by meaning (100 passages) and by words (80). With `until` they return four times as many,
           because later turns take places before they are left out.
        4. Neighbours: the turns before and after the best 16 of each search join, since an answer often names nothing that was
           asked. Their texts and those of the hits come from SQL in one statement, under the scope. So a turn that was forgotten
           after the index was read is not there any more.
        5. What is out of `bounds` leaves; every passage of the neighbours joins with its vectors from the index.
        6. `_proposed` removes duplicates: a turn that was indexed meanwhile is both found and waiting.
        """
        scope = survey.scope
        called = self._called(asked, survey, passages, bounds)
        question = read_question(asked, speakers=survey.speakers, asked_at=asked_at, called=called)
        tail, waiting = self._waiting.find(scope, survey.waiting, question.terms, bounds.until)
        vector = self._encoder.encode_question(question.topic)
        wider = (
            1 if bounds.until is None else _WIDER
        )  # later turns take places in the searches before they are left out
        dense = passages.nearest(vector, _DENSE_LIMIT * wider)
        lexical = passages.lexical(question.terms, _LEXICAL_LIMIT * wider)
        leading = [*dense[:_NEIGHBOURS_OF], *lexical[:_NEIGHBOURS_OF]]
        found = _turns_of([*dense, *lexical])
        around = self._store.turns_around(scope, found, _turns_of(leading))
        turns = {turn.pk: turn for turn in _bounded(around.values(), bounds)}
        beside = passages.of_turns(list(turns.keys() - found))
        turns |= {turn.pk: turn for turn in tail}
        indexed = _candidates([*dense, *lexical, *beside], turns)
        return self._proposed(question, vector, passages, indexed, _candidates(waiting, turns))

    def _called(self, asked: str, survey: Survey, passages: CachedScope, bounds: Bounds) -> dict[str, str]:
        """Return whom the question means by names that are no speaker's."""
        if not survey.speakers:
            return {}
        called: dict[str, str | None] = {}
        for name in unknown_names(asked, survey.speakers)[:_NAMES]:
            terms = content_terms(name)
            holding = _turns_of(passages.lexical(terms, _CALLS))
            holding += self._waiting.holding(survey.scope, survey.waiting, terms, _CALLS)
            turns = _bounded(self._store.turns_around(survey.scope, holding, holding).values(), bounds)
            if turns:
                called[name] = addressed(name, {(turn.session_pk, turn.position): turn for turn in turns})
            else:
                called[name] = meant_by_spelling(name, survey.speakers)
        return {name: speaker for name, speaker in called.items() if speaker}

    def _proposed(
        self,
        question: Question,
        vector: NDArray[np.float32],
        passages: CachedScope,
        indexed: Sequence[Candidate],
        waiting: Sequence[Candidate],
    ) -> Found:
        """Return candidates with what weighs their words: a term is as rare as it is in the index and what waits for it."""
        distinct = {(one.turn.pk, one.encoded.passage.start): one for one in (*indexed, *waiting)}
        return Found(
            question=question,
            vector=vector,
            candidates=[distinct[key] for key in sorted(distinct)],
            statistics=passages.statistics(question.terms, [one.analysed.terms for one in waiting]),
            familiarity=self._encoder.familiarity(question.topic) if self._models.fitted else 1.0,
        )

    def _follow(
        self,
        survey: Survey,
        passages: CachedScope,
        question: Question,
        ranked: Recollection,
        bounds: Bounds,
    ) -> Recollection:
        """Follow what the best evidence names, from turn to turn."""
        trail: list[tuple[Evidence, Evidence]] = []
        heads, looked_for = trailheads(ranked, question, survey.speakers), set(question.terms)
        for _ in range(HOPS):
            leads = [lead for lead in leads_of(heads, question, survey.speakers) if lead.term not in looked_for]
            if not leads:
                break
            looked_for |= {lead.term for lead in leads}
            steps = self._holders(survey.scope, passages, leads, bounds)
            trail += steps
            heads = [piece for _, piece in steps]
        return add_trail(ranked, trail) if trail else ranked

    def _holders(
        self, scope: ScopeId, passages: CachedScope, leads: Sequence[Lead], bounds: Bounds
    ) -> list[tuple[Evidence, Evidence]]:
        """Find the passages that hold names which few turns hold, each with the evidence that led to it."""
        hits = passages.lexical([lead.term for lead in leads], _HOLDERS)
        turns = {turn.pk: turn for turn in _bounded(self._store.turns(scope, _turns_of(hits)).values(), bounds)}
        pieces = [
            Evidence(turn=turns[hit.turn_pk], passage=hit.passage, score=0.0) for hit in hits if hit.turn_pk in turns
        ]
        return [step for lead in leads for step in steps_of(lead, pieces)]


def _bounded(turns: Iterable[Turn], bounds: Bounds) -> list[Turn]:
    """Return the turns that exist for a question."""
    return [turn for turn in turns if bounds.hold(turn)]


def _turns_of(hits: Iterable[EncodedPassage]) -> list[TurnPk]:
    return list(dict.fromkeys(hit.turn_pk for hit in hits))


def _candidates(found: Iterable[EncodedPassage], turns: dict[TurnPk, Turn]) -> list[Candidate]:
    return [Candidate(turn=turns[hit.turn_pk], encoded=hit) for hit in found if hit.turn_pk in turns]
