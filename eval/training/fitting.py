"""Fitting recall's learned parts on LoCoMo, and judging them by conversations that they never saw.

The ensembles see named features of candidates and how useful each candidate is; no text. Used by the training script
(`eval/training/rescorer.py`) and by `tirtha eval recall-ablation`.
"""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import lightgbm
import numpy as np
import psutil
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold

from eval.harness.answer_paths import remember_all
from eval.harness.conversations import Conversation, LabelledQuestion
from language.words import content_terms
from memory.api import Memory, MemorySettings
from memory.encoding.encoder import Encoder
from memory.model import EncodedPassage, TurnPk
from memory.opening import open_memory
from memory.recall.features import Candidate, Features, Scores, passage_features
from memory.recall.neighbour_features import PARTS, with_neighbours, with_odds
from memory.recall.ranking import Found
from memory.recall.rescorer import Rescored, Rescorer, log_odds, prior
from memory.storage.migrations import MIGRATIONS
from memory.storage.opening import open_database

__all__ = ["SHIPPED_SEED", "Asked", "ask_conversations", "fit_rescorer", "held_out"]

SHIPPED_SEED = 1
_ROUNDS = 200
_FOLDS = 5
_PARAMETERS = {
    "objective": "cross_entropy",
    "learning_rate": 0.06,
    "num_leaves": 15,
    "min_data_in_leaf": 60,
    "lambda_l2": 10,
    "feature_fraction": 0.4,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "max_bin": 127,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": psutil.cpu_count() or 1,  # told, because a thread that has encoded a question is left with one
    "verbose": -1,
}
# More of these never speaks against a passage, whatever the development data seem to say: it keeps the ensembles sane elsewhere.
_RISING = frozenset(
    "dense turn_dense words turn_words coverage related related_best related_two turn_related time"
    " strength turn_strength odds".split()
)
_NO_VECTOR = np.zeros(0, dtype=np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question that was asked of a conversation, its candidates (without their vectors) and their own features."""

    conversation: str
    question: LabelledQuestion
    found: Found
    own: Features

    def usefulness(self) -> NDArray[np.float64]:
        """Give what each candidate is worth, 0 to 1: half for being of an evidence turn, half for holding the answer.

        The second half is the share of the answer's words that the passage tells, of what the turn's best passage tells.
        """
        wanted = set(content_terms(self.question.answer))
        evidence = [candidate.turn.id in self.question.evidence for candidate in self.found.candidates]
        told = [
            len(wanted & _told(candidate)) if is_evidence else 0
            for candidate, is_evidence in zip(self.found.candidates, evidence, strict=True)
        ]
        most: dict[TurnPk, int] = {}
        for candidate, count in zip(self.found.candidates, told, strict=True):
            most[candidate.turn.pk] = max(most.get(candidate.turn.pk, 0), count)
        shares = [
            count / most[candidate.turn.pk] if most[candidate.turn.pk] else 1.0
            for candidate, count in zip(self.found.candidates, told, strict=True)
        ]
        useful: NDArray[np.float64] = np.array(evidence) * (1 + np.array(shares)) / 2
        return useful

    def withheld(self) -> "Asked | None":
        """Give the question as if its evidence had never been remembered; None if nothing else was found."""
        kept = [row for row, one in enumerate(self.found.candidates) if one.turn.id not in self.question.evidence]
        if not kept:
            return None
        found = replace(self.found, candidates=[self.found.candidates[row] for row in kept])
        return replace(self, found=found, own={name: values[kept] for name, values in self.own.items()})

    def features(self, *, without: str | None = None) -> Features:
        """Return all features, without those of a part."""
        return with_neighbours(self.found.candidates, self.own, without=without)


async def ask_conversations(
    conversations: Sequence[Conversation], encoder: Encoder, advance: Callable[[], None] = lambda: None
) -> list[Asked]:
    """Remember each conversation in a scope of its own and gather the candidates of its questions."""
    asked: list[Asked] = []
    with (
        tempfile.TemporaryDirectory(prefix="tirtha-locomo-") as folder,
        open_database(Path(folder), None, migrations=[MIGRATIONS]) as database,
    ):
        async with open_memory(MemorySettings(), database, encoder=encoder) as memory:
            for conversation in conversations:
                await remember_all(memory, conversation.requests())
                for question in conversation.questions:
                    asked.append(await _ask(memory, conversation, question))
                    advance()
    return [one for one in asked if one.found.candidates]


async def _ask(memory: Memory, conversation: Conversation, question: LabelledQuestion) -> Asked:
    found = await memory.find(conversation.scope, question.question, conversation.asked_at)
    own = passage_features(found.candidates, found.question, found.vector) if found.candidates else {}
    light = [_without_vectors(candidate) for candidate in found.candidates]
    return Asked(conversation=conversation.id, question=question, found=replace(found, candidates=light), own=own)


def _told(candidate: Candidate) -> set[str]:
    """Give the terms that a passage tells, dates resolved."""
    times = candidate.analysed.times
    return set(content_terms(" ".join([candidate.text, *(time.meaning for time in times)])))


def _without_vectors(candidate: Candidate) -> Candidate:
    encoded = candidate.encoded
    light = EncodedPassage(turn_pk=encoded.turn_pk, passage=encoded.passage, vector=_NO_VECTOR, turn_vector=_NO_VECTOR)
    return replace(candidate, encoded=light)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lesson:
    """What an ensemble is taught of one question's candidates: their features, how useful each is, the log-odds to correct."""

    features: Features
    useful: Scores
    start: Scores


def fit_rescorer(asked: Sequence[Asked], *, without: str | None = None, seed: int = SHIPPED_SEED) -> Rescorer:
    """Fit the ensembles on the answerable ones of these questions.

    The second look is taught on what first looks say of conversations that they did not see, as it will be used.
    """
    answerable = [one for one in asked if one.question.answerable]
    first = [_lesson(one, without) for one in answerable]
    second = [
        replace(lesson, start=odds, features=with_odds(one.found.candidates, lesson.features, odds, without=without))
        for one, lesson, odds in zip(answerable, first, _unseen_odds(answerable, first, seed), strict=True)
    ]
    return Rescorer(
        first=_fit(first, seed), second=_fit(second, seed), topic=_fit(first, seed, unseen=PARTS["speaker"])
    )


def _lesson(one: Asked, without: str | None) -> _Lesson:
    features = one.features(without=without)
    return _Lesson(features=features, useful=one.usefulness(), start=prior(features))


def _unseen_odds(asked: Sequence[Asked], lessons: Sequence[_Lesson], seed: int) -> list[Scores]:
    """Give what the first look says of each question, taught on others: of other conversations where there are any."""
    several = len({one.conversation for one in asked}) > 1
    groups = [one.conversation if several else one.question.id for one in asked]
    odds = [lesson.start for lesson in lessons]
    folds = min(len(set(groups)), _FOLDS)
    for seen, unseen in GroupKFold(folds).split(groups, groups=groups) if folds > 1 else ():
        first = _fit([lessons[number] for number in seen], seed)
        for number in unseen:
            odds[number] = lessons[number].start + log_odds(first, lessons[number].features)
    return odds


def _fit(lessons: Sequence[_Lesson], seed: int, *, unseen: Sequence[str] = ()) -> lightgbm.Booster:
    names = [name for name in lessons[0].features if name not in unseen]
    rows = np.concatenate([np.column_stack([one.features[name] for name in names]) for one in lessons])
    useful = np.concatenate([one.useful for one in lessons])
    start = np.concatenate([one.start for one in lessons])
    data = lightgbm.Dataset(rows.astype(np.float32), useful, feature_name=names, init_score=start)
    parameters = _PARAMETERS | {"seed": seed, "monotone_constraints": [int(name in _RISING) for name in names]}
    return lightgbm.train(parameters, data, _ROUNDS)


def held_out(
    asked: Sequence[Asked],
    *,
    fitted_on: Sequence[Asked],
    without: str | None = None,
    seed: int = SHIPPED_SEED,
    advance: Callable[[], None] = lambda: None,
) -> list[Rescored]:
    """Judge every question by ensembles fitted on the other conversations of `fitted_on`."""
    judged: dict[int, Rescored] = {}
    for conversation in dict.fromkeys(one.conversation for one in asked):
        others = [one for one in fitted_on if one.conversation != conversation]
        rescorer = fit_rescorer(others, without=without, seed=seed)
        for number, one in enumerate(asked):
            if one.conversation == conversation:
                judged[number] = rescorer(one.found.candidates, one.features(without=without), without=without)
        advance()
    return [judged[number] for number in range(len(asked))]
