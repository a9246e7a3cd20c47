"""What marking and ordering by supersession is worth, on questions about what changed, with the weights that ship.

`python -m eval.evidence.supersession --set beam --data FOLDER --size 100K` asks the questions of the set about updates and
contradictions, and distils the same evidence with the newest of replacing statements first and marked, and by score alone.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from compaction import distill
from compaction.rendering import SUPERSEDED
from eval.evidence.sets import SetName, read_set
from eval.harness.conversations import Conversation
from eval.training.fitting import Asked, ask_conversations
from memory.encoding.encoder import Encoder
from memory.recall.ranking import ranked_evidence
from memory.recall.reranker import RecallModels, Reranked, reranked

__all__ = ["Worth", "about_changes", "worth"]

_CHANGES = ("update", "contradiction")  # in the names of the sets' kinds
_BUDGETS = (165, 660)


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """Means over questions, with supersession and without: evidence recall, answer words; and how many contexts mark a line."""

    n: int
    recall: tuple[float, float]
    words: tuple[float, float]
    marked: int


def about_changes(conversations: Sequence[Conversation]) -> list[Conversation]:
    """Return the conversations that have questions about what changed, with these alone."""
    chosen = [
        replace(one, questions=tuple(q for q in one.questions if q.answerable and any(k in q.kind for k in _CHANGES)))
        for one in conversations
    ]
    return [one for one in chosen if one.questions]


def worth(asked: Sequence[Asked], scores: Sequence[Reranked], *, budget: int) -> Worth:
    """Distil every question's evidence in both ways. `asked` must not be empty."""
    rows: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
    marked = 0
    for one, of_one in zip(asked, scores, strict=True):
        for newest_first, found in rows.items():
            evidence = ranked_evidence(one.found.candidates, of_one, supersession=newest_first)
            context = distill(evidence, budget=budget, breadth=one.found.question.breadth)
            found.append((one.question.recall_of(context), one.question.words_in(context.text) or 0.0))
            marked += newest_first and SUPERSEDED in context.text
    recall, words = ((fmean(row[place] for row in rows[way]) for way in (True, False)) for place in (0, 1))
    return Worth(n=len(asked), recall=(next(recall), next(recall)), words=(next(words), next(words)), marked=marked)


def main(
    set_: Annotated[SetName, typer.Option("--set", help="the set")],
    data: Annotated[Path, typer.Option(help="its file or folder")],
    size: Annotated[str | None, typer.Option(help="of BEAM's chats alone: 100K or 500K")] = None,
) -> None:
    """Print what supersession is worth, by kind of question and budget."""
    encoder = Encoder()
    weights = RecallModels.load(encoder.name).reranker
    asked = asyncio.run(ask_conversations(set_, about_changes(read_set(set_, data, size=size)), encoder))
    table = Table("kind", "n", "budget", "recall with", "without", "words with", "without", "marked")
    for kind in sorted({one.question.kind for one in asked}):
        of_kind = [one for one in asked if one.question.kind == kind]
        scores = [reranked(weights, one.features) for one in of_kind]
        for budget in _BUDGETS:
            found = worth(of_kind, scores, budget=budget)
            figures = [f"{value:.3f}" for value in (*found.recall, *found.words)]
            table.add_row(kind, str(found.n), str(budget), *figures, str(found.marked))
    Console().print(table)


if __name__ == "__main__":
    typer.run(main)
