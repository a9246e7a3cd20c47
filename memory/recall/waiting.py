"""The turns that the index does not hold yet, as a question finds them: by words, and by age.

All of them are looked through for the question's words. Those that share the rarest ones, and the newest, are encoded: a bounded
number, so that a question waits no longer beside an import than it would with a few turns waiting; of a very long turn only the
passages that share its words, and not for the next question. What was read and encoded is kept for the next question: the words of
a turn as numbers, and the vectors. `forget_texts` drops it, as `language.forget_texts` does with texts; the code that forgets a
turn calls both.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from language import said_in, split_passages
from language.words import content_terms
from memory.encoding.encoder import Encoder
from memory.index.indexer import prepare_rows
from memory.index.lance import PassageIndex
from memory.model import EncodedPassage, ScopeId, Turn, TurnPk
from memory.storage.store import TurnStore

__all__ = ["WaitingTurns"]

_BY_WORDS = 64
_NEWEST = 16
_ENCODED_CHARS = 40_000  # about two seconds of encoding on two cores
_WHOLE_CHARS = 12_000  # of a turn longer than this only the likeliest passages are encoded
_PASSAGES_OF_LONG = 64
_READ_CHARS = 4_000_000  # of waiting turns that no question has read before: about a second
_READ_AT_ONCE = 256
_KEPT_WORDS = 8_000_000  # 64 MB
_KEPT_TURNS = 2_048  # of which the vectors are kept: about 10 MB


@dataclass(frozen=True, slots=True)
class _Read:
    """What is kept of a turn that was read: when it was said, and its words' numbers."""

    said_at: datetime
    words: NDArray[np.int64]


class WaitingTurns:
    """Finds what a question may need among the waiting turns; used by any thread."""

    def __init__(self, *, store: TurnStore, index: PassageIndex, encoder: Encoder) -> None:
        self._store = store
        self._index = index
        self._encoder = encoder
        self._keeping = Lock()
        self._read: OrderedDict[TurnPk, _Read] = OrderedDict()
        self._words = 0
        self._encoded: OrderedDict[TurnPk, list[EncodedPassage]] = OrderedDict()
        self._forgettings = 0

    def find(
        self, scope: ScopeId, waiting: Sequence[TurnPk], terms: Sequence[str], until: datetime | None
    ) -> tuple[list[Turn], list[EncodedPassage]]:
        """Choose among waiting turns, and encode what was chosen; passages that only echo what the scope holds are left out.

        Args:
            scope: the scope of the turns.
            waiting: the turns, the oldest first.
            terms: the question's.
            until: what was said after this moment does not exist.

        Returns:
            The turns that were chosen, and their passages.
        """
        if not waiting:
            return [], []
        forgettings = self._forgettings
        read = self._read_through(scope, waiting, forgettings)
        there = [pk for pk in waiting if pk in read and (until is None or read[pk].said_at <= until)]
        chosen = _likely(there, [read[pk].words for pk in there], terms)
        held = self._store.turns(scope, chosen)
        turns = _affordable([held[pk] for pk in chosen if pk in held])
        encoded = self._encode(turns, terms, forgettings)
        return turns, [row.encoded for row in prepare_rows(self._index, scope, turns, encoded)]

    def holding(self, scope: ScopeId, waiting: Sequence[TurnPk], terms: Sequence[str], limit: int) -> list[TurnPk]:
        """Return the newest `limit` of `waiting` (of one scope) that hold one of these terms."""
        wanted = _numbers(terms)
        read = self._read_through(scope, waiting, self._forgettings)
        found = [pk for pk in reversed(waiting) if pk in read and np.isin(wanted, read[pk].words).any()]
        return found[:limit]

    def encode(self, turns: Sequence[Turn], terms: Sequence[str]) -> list[EncodedPassage]:
        """Encode the passages of some of these waiting turns, the first ones first: as many as a question has the time for."""
        forgettings = self._forgettings
        chosen = _affordable(turns[:_BY_WORDS])
        return [passage for passages in self._encode(chosen, terms, forgettings) for passage in passages]

    def forget_texts(self) -> None:
        """Drop all that is kept, also what a question under way is about to keep."""
        with self._keeping:
            self._forgettings += 1
            self._read.clear()
            self._encoded.clear()
            self._words = 0

    def _read_through(self, scope: ScopeId, waiting: Sequence[TurnPk], forgettings: int) -> dict[TurnPk, _Read]:
        """Return what is known of the waiting turns; those that were not read before are read now, the newest first.

        A question reads a bounded number of characters; if there were ever more, the next question reads on.
        """
        known = {pk: one for pk in waiting if (one := self._read.get(pk)) is not None}
        unread = [pk for pk in reversed(waiting) if pk not in known]
        chars = 0
        for start in range(0, len(unread), _READ_AT_ONCE):
            turns = self._store.turns(scope, unread[start : start + _READ_AT_ONCE])
            fresh = {pk: _Read(turn.said_at, _numbers(turn.analysed.terms)) for pk, turn in turns.items()}
            self._keep_words(fresh, forgettings)
            known |= fresh
            chars += sum(len(turn.text) for turn in turns.values())
            if chars >= _READ_CHARS:
                break
        return known

    def _encode(self, turns: Sequence[Turn], terms: Sequence[str], forgettings: int) -> list[list[EncodedPassage]]:
        known = {turn.pk: one for turn in turns if (one := self._encoded.get(turn.pk)) is not None}
        known |= {
            turn.pk: self._encode_likely(turn, terms)
            for turn in turns
            if turn.pk not in known and len(turn.text) > _WHOLE_CHARS and len(turn.analysed.text) > _WHOLE_CHARS
        }
        new = [turn for turn in turns if turn.pk not in known]
        fresh = dict(zip([turn.pk for turn in new], self._encoder.encode_turns(new), strict=True))
        with self._keeping:
            if forgettings == self._forgettings:
                self._encoded |= fresh
                while len(self._encoded) > _KEPT_TURNS:
                    self._encoded.popitem(last=False)
        known |= fresh
        return [known[turn.pk] for turn in turns]

    def _encode_likely(self, turn: Turn, terms: Sequence[str]) -> list[EncodedPassage]:
        """Encode, each on its own, the passages of a very long turn that share most words with the question."""
        passages = split_passages(turn.text)
        wanted = set(terms)
        shared = [len(wanted.intersection(content_terms(said_in(turn.text, passage)))) for passage in passages]
        likely = sorted(range(len(passages)), key=lambda place: (-shared[place], place))[:_PASSAGES_OF_LONG]
        chosen = [passages[place] for place in sorted(likely)]
        vectors = self._encoder.encode_texts([turn.text[passage.start : passage.end] for passage in chosen])
        whole = vectors.mean(axis=0)
        return [
            EncodedPassage(turn_pk=turn.pk, passage=passage, vector=vector, turn_vector=whole / np.linalg.norm(whole))
            for passage, vector in zip(chosen, vectors, strict=True)
        ]

    def _keep_words(self, fresh: dict[TurnPk, _Read], forgettings: int) -> None:
        with self._keeping:
            if forgettings != self._forgettings:
                return
            for pk, one in fresh.items():
                if pk not in self._read:
                    self._read[pk] = one
                    self._words += len(one.words)
            while self._words > _KEPT_WORDS:
                self._words -= len(self._read.popitem(last=False)[1].words)


def _numbers(terms: Sequence[str]) -> NDArray[np.int64]:
    """Return a number for each different term; two terms may share one, and then a turn too many is looked at."""
    return np.array([hash(term) for term in set(terms)], dtype=np.int64)


def _likely(pks: Sequence[TurnPk], words: Sequence[NDArray[np.int64]], terms: Sequence[str]) -> list[TurnPk]:
    """Choose the turns that share rare words with a question, and the newest ones; the best and the newest come first."""
    shared = np.zeros(len(pks))
    holders = np.repeat(np.arange(len(pks)), [len(one) for one in words])
    numbers = np.concatenate([*words, _numbers(())])
    for number in _numbers(terms):
        having = holders[numbers == number]
        shared[having] += 1 / max(len(having), 1)
    places = np.arange(len(pks))
    by_words = np.lexsort((-places, -shared))[:_BY_WORDS].tolist()
    newest = places[::-1][:_NEWEST].tolist()
    return [pks[place] for place in dict.fromkeys([*by_words[:1], *newest[:1], *by_words, *newest])]


def _affordable(turns: Sequence[Turn]) -> list[Turn]:
    """Keep of these turns, the likeliest first, as many as can be encoded while a question waits, two in any case; oldest first."""
    ends = accumulate(len(turn.text) for turn in turns)
    kept = [turn for rank, (turn, end) in enumerate(zip(turns, ends, strict=True)) if rank < 2 or end <= _ENCODED_CHARS]
    return sorted(kept, key=lambda turn: turn.pk)
