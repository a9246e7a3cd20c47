"""Fitting the re-scorer: seeds, and a second look that is taught on unseen conversations."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from memory.recall.rescorer import log_odds, prior

from eval.locomo.data import read_locomo
from eval.training import fitting
from eval.training.fitting import ask_conversations, fit_rescorer
from memory.encoding.encoder import Encoder


@pytest.mark.slow
async def test_another_seed_is_another_fit(shared_data: Path, encoder: Encoder) -> None:
    [first, *_] = read_locomo(shared_data / "locomo_dev.json")
    asked = await ask_conversations([replace(first, questions=first.questions[:20])], encoder)
    fits = [fit_rescorer(asked, seed=seed).first.model_to_string() for seed in (1, 2, 1)]
    trees = [fit.partition("parameters:")[0] for fit in fits]
    assert trees[0] == trees[2] != trees[1]


@pytest.mark.slow
async def test_the_second_look_is_taught_on_conversations_that_the_first_did_not_see(
    shared_data: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other, *_ = read_locomo(shared_data / "locomo_dev.json")
    cut = [replace(one, questions=one.questions[:12]), replace(other, questions=other.questions[:7])]
    asked = await ask_conversations(cut, encoder)
    taught: list[set[bytes]] = []
    boosters: list[Any] = []
    lessons_of_second: list[Any] = []
    fit = fitting._fit

    def noted(lessons: Sequence[Any], *args: Any, **options: Any) -> Any:
        taught.append(labels(lesson.useful for lesson in lessons))
        boosters.append(fit(lessons, *args, **options))
        if "odds" in lessons[0].features:
            lessons_of_second.extend(lessons)
        return boosters[-1]

    def labels(of: Iterable[Any]) -> set[bytes]:
        return {useful.tobytes() for useful in of if useful.any()}

    monkeypatch.setattr(fitting, "_fit", noted)
    fit_rescorer(asked)
    [first, second] = (labels(a.usefulness() for a in asked if a.conversation == c.id) for c in cut)
    assert first.isdisjoint(second), "a lesson tells its conversation"
    assert taught[:2] in ([first, second], [second, first])
    assert taught[2:] == [first | second] * 3
    of_other = dict(zip([one.id, other.id], boosters[:2] if taught[0] == second else boosters[1::-1], strict=True))
    for question, lesson in zip([a for a in asked if a.question.answerable], lessons_of_second, strict=True):
        features = question.features()
        unseen = prior(features) + log_odds(of_other[question.conversation], features)
        assert lesson.start.tolist() == lesson.features["odds"].tolist() == unseen.tolist()
