"""Fitting recall's weights on questions with labelled evidence, and judging them by conversations that they never saw.

What is fitted sees named features of candidates and how useful each candidate is; no text. Candidates and features are those of the
service, from the same functions. Each set of questions counts the same, whatever its size.
"""

import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eval.harness.answer_paths import remember_all
from eval.harness.conversations import Conversation, LabelledQuestion
from eval.training.conditional_logit import Choice, fit_weights
from language.words import content_terms
from memory.api import Memory, MemorySettings
from memory.encoding.encoder import Encoder
from memory.model import EncodedPassage, TurnPk
from memory.opening import open_memory
from memory.recall.features import Candidate, Features, Found
from memory.recall.neighbour_features import PARTS, with_neighbours
from memory.recall.ranking import described
from memory.recall.reranker import Reranked, Weights, reranked
from memory.storage.migrations import MIGRATIONS
from memory.storage.opening import open_database

__all__ = ["FOLDS", "Asked", "ask_conversations", "fit_reranker", "held_out"]

# More of any other feature never speaks against a passage, whatever the data seem to say: it keeps the weights sane elsewhere.
_EITHER_WAY = frozenset({"mentions", "question", "filler", "length"})
_OF_TURN = 0.1
FOLDS = 8
_NO_VECTOR = np.zeros(0, dtype=np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question of a set that was asked of a conversation, or of a part of it: the candidates that are judged, and features.

    Candidates have no vectors.
    """

    set: str
    conversation: str
    question: LabelledQuestion
    found: Found
    features: Features

    def usefulness(self) -> NDArray[np.float64]:
        """Return what each candidate is worth, 0 to 1: of an evidence turn, for the most part by what it holds of the answer.

        That is the share of the answer's words that the passage holds, of what the turn's best passage holds. A tenth goes to the
        turn, and its passages divide it: else fifty lines of a long turn weigh more than the one that answers. Where none of them
        holds a word of the answer, they divide all.
        """
        wanted = set(content_terms(self.question.answer))
        evidence = [candidate.turn.id in self.question.evidence for candidate in self.found.candidates]
        counts = [
            len(wanted & _terms_of(candidate)) if is_evidence else 0
            for candidate, is_evidence in zip(self.found.candidates, evidence, strict=True)
        ]
        most: dict[TurnPk, int] = {}
        for candidate, count in zip(self.found.candidates, counts, strict=True):
            most[candidate.turn.pk] = max(most.get(candidate.turn.pk, 0), count)
        passages = Counter(candidate.turn.pk for candidate in self.found.candidates)
        even = np.array([1 / passages[candidate.turn.pk] for candidate in self.found.candidates])
        shares = [
            count / most[candidate.turn.pk] if most[candidate.turn.pk] else share
            for candidate, count, share in zip(self.found.candidates, counts, even.tolist(), strict=True)
        ]
        useful: NDArray[np.float64] = np.array(evidence) * (_OF_TURN * even + (1 - _OF_TURN) * np.array(shares))
        return useful

    def withheld(self) -> "Asked | None":
        """Return the question as if its evidence had never been remembered; None if nothing else was found."""
        kept = [row for row, one in enumerate(self.found.candidates) if one.turn.id not in self.question.evidence]
        if not kept:
            return None
        found = replace(self.found, candidates=[self.found.candidates[row] for row in kept])
        features = with_neighbours(found, {name: values[kept] for name, values in self.features.items()})
        return replace(self, found=found, features=features)


async def ask_conversations(
    name: str, conversations: Sequence[Conversation], encoder: Encoder, advance: Callable[[], None] = lambda: None
) -> list[Asked]:
    """Remember each conversation of the set `name` in a scope of its own and gather the candidates of its questions."""
    asked: list[Asked] = []
    for conversation in conversations:
        with (
            tempfile.TemporaryDirectory(prefix="tirtha-fit-") as folder,
            open_database(Path(folder), None, migrations=[MIGRATIONS]) as database,
        ):
            async with open_memory(MemorySettings(), database, encoder=encoder) as memory:
                await remember_all(memory, conversation.requests())
                for question in conversation.questions:
                    asked += await _ask(memory, name, conversation, question)
                    advance()
    return asked


async def _ask(memory: Memory, name: str, conversation: Conversation, question: LabelledQuestion) -> list[Asked]:
    found = await memory.find(conversation.scope, question.question, conversation.asked_at)
    if not found.candidates:
        return []
    judged, features = described(found)
    light = [_without_vectors(candidate) for candidate in judged.candidates]
    return [
        Asked(
            set=name,
            conversation=conversation.part_of or conversation.id,
            question=question,
            found=replace(judged, candidates=light),
            features=features,
        )
    ]


def _terms_of(candidate: Candidate) -> set[str]:
    """Return the terms of a passage, dates resolved."""
    times = candidate.analysed.times
    return set(content_terms(" ".join([candidate.text, *(time.meaning for time in times)])))


def _without_vectors(candidate: Candidate) -> Candidate:
    encoded = candidate.encoded
    light = EncodedPassage(turn_pk=encoded.turn_pk, passage=encoded.passage, vector=_NO_VECTOR, turn_vector=_NO_VECTOR)
    return replace(candidate, encoded=light)


def fit_reranker(asked: Sequence[Asked], *, without: str | None = None) -> Weights:
    """Fit the weights on the answerable ones of these questions, without the features of a part."""
    answerable = [(one, one.usefulness()) for one in asked if one.question.answerable]
    learned = [(one, useful) for one, useful in answerable if useful.any()]
    sizes = Counter(one.set for one, _ in learned)
    choices = [Choice(features=one.features, useful=useful, weight=1 / sizes[one.set]) for one, useful in learned]
    names = ["fusion", *(name for part, names in PARTS.items() if part != without for name in names)]
    return fit_weights(choices, names, rising=frozenset(names) - _EITHER_WAY, base=names[0])


def held_out(
    asked: Sequence[Asked],
    *,
    fitted_on: Sequence[Asked],
    without: str | None = None,
    advance: Callable[[], None] = lambda: None,
) -> list[Reranked]:
    """Judge every question by weights fitted on other conversations of `fitted_on`: these fall into `FOLDS` parts at the most."""
    judged: dict[int, Reranked] = {}
    conversations = sorted({one.conversation for one in asked})
    folds = min(len(conversations), FOLDS)
    for fold in range(folds):
        here = set(conversations[fold::folds])
        weights = fit_reranker([one for one in fitted_on if one.conversation not in here], without=without)
        for number, one in enumerate(asked):
            if one.conversation in here:
                judged[number] = reranked(weights, one.features)
        advance()
    return [judged[number] for number in range(len(asked))]
