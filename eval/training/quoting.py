"""Fits how likely a quoted answer is to be right, and counts right, wrong and abstained answers without a model.

`python -m eval.training.quoting --locomo FILE --realtalk FOLDER` fits on dialogues of our own that recall's weights were not fitted
on, prints the weights for `cascade/guards/relevance.py` and, for each threshold, what would be served: of the dialogues by a fit on
the others, of LoCoMo and REALTALK, which nothing was fitted on, by the fit on all.

An answer is right by words: it holds all content words and numbers of the gold answer, or its token F1 is a half. That is a rule,
and no judge: an answer in other words counts as wrong.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict

from cascade.claims import numbers, terms, without_facts
from cascade.guards.relevance import quoting_figures
from cascade.model import Draft
from eval.answers.scoring import token_f1
from eval.harness.answer_paths import caller_of, remembered
from eval.harness.conversations import Conversation, LabelledQuestion
from eval.locomo.data import read_locomo
from eval.realtalk.data import read_realtalk
from eval.training.dialogues.data import dialogues
from memory.encoding.encoder import Encoder
from tirtha.operations.ask import AskRequest
from tirtha.service import Service
from tirtha.settings import PolicySettings, Settings

__all__ = ["Quoted", "count", "is_right", "quote_all"]

_STRENGTH = 0.1  # of the regularisation, as scikit-learn's C
_HALF = 0.5
_CHATS = range(101, 113)  # recall's weights were fitted on others
_THRESHOLDS = (0.0, 0.3, 0.35, 0.38, 0.4, 0.42, 0.45, 0.5, 0.6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quoted:
    """A question and what quoting made of it: the figures of the draft, None where it abstained; and whether it is right."""

    conversation: str
    figures: dict[str, float] | None
    right: bool


def is_right(question: LabelledQuestion, answer: str) -> bool:
    """Return whether an answer holds the gold one, by words; a question without an answer has no right one."""
    if not question.answerable:
        return False
    wanted = terms(without_facts(question.answer)) | set(numbers(question.answer))
    given = terms(without_facts(answer)) | set(numbers(answer))
    return wanted <= given or token_f1(question.answer, answer) >= _HALF


async def quote_all(conversations: Sequence[Conversation], encoder: Encoder) -> list[Quoted]:
    """Ask every question of every conversation without a model, with every quote let through that may be in memory at all."""
    settings = Settings(policy=PolicySettings(quote_from=0.0))
    quoted: list[Quoted] = []
    for conversation in conversations:
        async with remembered(conversation.requests(), settings=settings, encoder=encoder) as service:
            quoted += [await _quoted(service, conversation, question) for question in _questions(conversation)]
    return quoted


def count(quoted: Sequence[Quoted], likely: NDArray[np.float64], threshold: float) -> tuple[int, int, int]:
    """Count right, wrong and abstained answers if only drafts of at least `threshold` are served; `likely` is `(drafts,)`."""
    right = np.array([one.right for one in quoted if one.figures])
    served = likely >= threshold
    return int((right & served).sum()), int((~right & served).sum()), len(quoted) - int(served.sum())


def main(
    locomo: Annotated[Path, typer.Option(help="a LoCoMo file")],
    realtalk: Annotated[Path, typer.Option(help="a folder of REALTALK's chats")],
) -> None:
    """Fit, and count what would be served."""
    console, encoder = Console(), Encoder()
    fitted, *unseen = (
        asyncio.run(quote_all(read, encoder))
        for read in (dialogues(_CHATS), read_locomo(locomo), read_realtalk(realtalk))
    )
    rows, right = _arrays(fitted)
    model = LogisticRegression(C=_STRENGTH)
    scale = rows.std(axis=0)
    groups = [one.conversation for one in fitted if one.figures]
    held_out = cross_val_predict(
        model, rows / scale, right, groups=groups, cv=LeaveOneGroupOut(), method="predict_proba"
    )
    model.fit(rows / scale, right)
    names = [*next(one.figures for one in fitted if one.figures)]
    weights = dict(zip(names, (model.coef_[0] / scale).round(2).tolist(), strict=True))
    console.print(f"weights {weights}, intercept {model.intercept_[0]:.2f}")
    judged = [held_out[:, 1], *(model.predict_proba(_arrays(one)[0] / scale)[:, 1] for one in unseen)]
    for name, those, odds in zip(("dialogues", "LoCoMo", "REALTALK"), (fitted, *unseen), judged, strict=True):
        table = Table("threshold", "right", "wrong", "abstained", title=f"{name}, {len(those)} questions")
        for threshold in _THRESHOLDS:
            table.add_row(str(threshold), *map(str, count(those, odds, threshold)))
        console.print(table)


def _questions(conversation: Conversation) -> list[LabelledQuestion]:
    return sorted({*conversation.answered, *conversation.questions}, key=lambda question: question.place)


async def _quoted(service: Service, conversation: Conversation, question: LabelledQuestion) -> Quoted:
    scope = conversation.scope
    request = AskRequest(
        user_id=scope.user_id, question=question.question, asked_at=conversation.asked_at, use_cache=False
    )
    decision = (await service.ask(caller_of(scope), request)).decision
    draft = (
        None if decision.abstained else Draft(answer=decision.answer, citations=tuple(q.n for q in decision.citations))
    )
    return Quoted(
        conversation=conversation.id,
        figures=quoting_figures(decision.brief, draft) if draft else None,
        right=draft is not None and is_right(question, draft.answer),
    )


def _arrays(quoted: Sequence[Quoted]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    drafts = [one for one in quoted if one.figures]
    return np.array([[*(one.figures or {}).values()] for one in drafts]), np.array([one.right for one in drafts])


if __name__ == "__main__":
    typer.run(main)
