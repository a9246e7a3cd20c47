"""Recall: from a question to ranked evidence of one scope.

Two searches propose candidates (dense and BM25), their neighbouring turns join, and so do the turns that the index does not
hold yet; `memory.signals` then scores them all. Texts come from SQL under the scope, so a turn that is gone, or another
tenant's, cannot be recalled whatever the index says.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import accumulate

from memory.answerability import answerable
from memory.encoder import Encoder
from memory.index import PassageIndex
from memory.indexing import prepare_rows
from memory.signals import Candidate, Question, Weights, read_question, score
from memory.store import TurnStore
from memory.turns import EncodedPassage, Recollection, Scope, ScopeId, Turn, TurnPk
from memory.words import content_terms

__all__ = ["Recall"]

_DENSE_LIMIT = 150
_LEXICAL_LIMIT = 100
_NEIGHBOURS_OF = 24
_TAIL_BY_WORDS = 64
_TAIL_NEWEST = 16
_TAIL_CHARS = 40_000  # about two seconds of encoding on two cores
_NOTHING = Recollection(evidence=(), answerable=0.0)


class Recall:
    """Ranked evidence over a store, its index and an encoder."""

    def __init__(
        self, *, store: TurnStore, index: PassageIndex, encoder: Encoder, weights: Weights | None = None
    ) -> None:
        self._store = store
        self._index = index
        self._encoder = encoder
        self._weights = weights or Weights()

    async def recall(self, scope: Scope, question: str, asked_at: datetime) -> Recollection:
        """Find what `scope` holds on `question`, best first; the question's times are read as of `asked_at`.

        Raises:
            StoreUnavailable: the database or the index cannot be read.
        """
        known = await self._store.scope(scope)
        if known is None:
            return _NOTHING
        scope_id, _ = known
        read = read_question(question, await self._encoder.encode_question(question), asked_at)
        candidates = await self._candidates(scope_id, read)
        evidence = tuple(score(candidates, read, self._weights))
        return Recollection(evidence=evidence, answerable=answerable(evidence))

    async def _candidates(self, scope: ScopeId, question: Question) -> list[Candidate]:
        # The tail is read first: a turn that is indexed meanwhile is then seen twice, and not missed.
        tail = await self._store.tail(scope)
        dense, lexical, waiting = await asyncio.gather(
            self._index.nearest(scope, question.vector, _DENSE_LIMIT),
            self._index.lexical(scope, question.terms, _LEXICAL_LIMIT),
            self._read_tail(scope, tail, question),
        )
        found = [*dense, *lexical]
        turns = await self._store.turns(scope, dict.fromkeys(hit.turn_pk for hit in found))
        turns |= {turn.pk: turn for turn in tail}
        leading = [*dense[:_NEIGHBOURS_OF], *lexical[:_NEIGHBOURS_OF]]
        beside = await self._beside(scope, _turns_of(leading, turns), turns)
        turns |= beside
        found += await self._index.passages(scope, list(beside))
        return _candidates([*found, *waiting], turns)

    async def _beside(self, scope: ScopeId, turns: Iterable[Turn], known: dict[TurnPk, Turn]) -> dict[TurnPk, Turn]:
        around = await self._store.around(scope, turns)
        return {pk: turn for pk, turn in around.items() if pk not in known}

    async def _read_tail(self, scope: ScopeId, tail: Sequence[Turn], question: Question) -> list[EncodedPassage]:
        """Encode those waiting turns that share words with the question, and the newest ones."""
        if not tail:
            return []
        chosen = _likely(tail, question.terms)
        return [row.encoded for row in await prepare_rows(self._index, self._encoder, scope, chosen, urgent=True)]


def _likely(tail: Sequence[Turn], terms: Sequence[str]) -> list[Turn]:
    """Choose what can be encoded while a question waits: the turns that share rare words with it, and the newest."""
    texts = [set(content_terms(turn.text)) for turn in tail]
    held = Counter(term for text in texts for term in terms if term in text)
    shared = [sum(1 / held[term] for term in terms if term in text) for text in texts]
    by_words = sorted(range(len(tail)), key=lambda i: (-shared[i], -i))[:_TAIL_BY_WORDS]
    newest = range(len(tail) - 1, max(len(tail) - 1 - _TAIL_NEWEST, -1), -1)
    chosen = list(dict.fromkeys([*by_words[:1], *newest[:1], *by_words, *newest]))
    ends = accumulate(len(tail[i].text) for i in chosen)
    affordable = [i for rank, (i, end) in enumerate(zip(chosen, ends, strict=True)) if rank < 2 or end <= _TAIL_CHARS]
    return [tail[i] for i in sorted(affordable)]


def _turns_of(hits: Iterable[EncodedPassage], turns: dict[TurnPk, Turn]) -> list[Turn]:
    pks = dict.fromkeys(hit.turn_pk for hit in hits)
    return [turns[pk] for pk in pks if pk in turns]


def _candidates(found: Iterable[EncodedPassage], turns: dict[TurnPk, Turn]) -> list[Candidate]:
    distinct = {(hit.turn_pk, hit.passage.start): hit for hit in found if hit.turn_pk in turns}
    return [
        Candidate(turn=turns[pk], encoded=hit) for (pk, _), hit in sorted(distinct.items(), key=lambda item: item[0])
    ]
