"""Fit recall's re-scorer and answerability, and write them to `memory/recall/models`.

    python -m eval.training.rescorer --data locomo_dev.json --embeddings ~/.cache/tirtha-eval.sqlite3

Data: LoCoMo (Maharana et al., ACL 2024; CC BY-NC 4.0), of which only numbers end up in the models. The ensembles are fitted on
all conversations given; what it prints, and writes beside the weights, is their worth on conversations they never saw. Questions
without an answer are LoCoMo's adversarial ones, answerable ones whose evidence was taken away, and ones about other people's lives.
"""

import asyncio
import json
import lzma
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import lightgbm
import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress
from sklearn.metrics import brier_score_loss, roc_auc_score

from eval.harness.conversations import Conversation
from eval.harness.embedding_cache import CachedEncoder
from eval.locomo.data import read_locomo
from eval.training.answerability import KINDS, Case, fit_weights, make_case, unseen_probabilities
from eval.training.fitting import Asked, ask_conversations, fit_rescorer, held_out
from memory.recall.answerability import MODEL_FILE
from memory.recall.rescorer import MODEL_FILES

__all__ = ["main"]

WRONGLY_ABSTAINED = 0.02  # the share of answerable questions that may be refused


def main(
    data: Annotated[Path, typer.Option(help="a LoCoMo file")],
    embeddings: Annotated[Path, typer.Option(help="where embeddings are kept between runs")],
) -> None:
    """Fit, judge on unseen conversations, write."""
    console = Console()
    conversations = read_locomo(data)
    encoder = CachedEncoder(embeddings)
    with Progress(console=console) as progress:
        asked = _gather("questions", conversations, encoder, progress)
        foreign = _gather("foreign questions", _strangers(conversations), encoder, progress)
        everything = {
            "answerable": [one for one in asked if one.question.answerable],
            "adversarial": [one for one in asked if not one.question.answerable],
            "withheld": [kept for one in asked if one.question.answerable and (kept := one.withheld())],
            "foreign": [one for one in foreign if one.question.answerable],
        }
        cases = _judged(everything, asked, progress)
    worth, weights = _fit_answerability(cases)
    MODEL_FILE.write_text(json.dumps({"data": data.name, "worth": worth, "weights": weights}, indent=1) + "\n")
    rescorer = fit_rescorer(asked)
    for name, file in MODEL_FILES.items():
        _write(getattr(rescorer, name), file)
    console.print_json(json.dumps(worth))


def _gather(
    name: str, conversations: Sequence[Conversation], encoder: CachedEncoder, progress: Progress
) -> list[Asked]:
    task = progress.add_task(name, total=sum(len(one.questions) for one in conversations))
    return asyncio.run(ask_conversations(conversations, encoder, lambda: progress.advance(task)))


def _strangers(conversations: Sequence[Conversation]) -> list[Conversation]:
    """Give each conversation the next one's questions, asked of its own people."""
    following = [*conversations[1:], conversations[0]]
    return [
        replace(own, questions=tuple(replace(q, question=_about(q.question, other, own)) for q in other.questions))
        for own, other in zip(conversations, following, strict=True)
    ]


def _about(question: str, others: Conversation, own: Conversation) -> str:
    for other, name in zip(others.speakers, own.speakers, strict=True):
        question = question.replace(other, name)
    return question


def _judged(everything: dict[str, list[Asked]], fitted_on: Sequence[Asked], progress: Progress) -> list[Case]:
    flat = [(kind, one) for kind, group in everything.items() for one in group]
    task = progress.add_task("unseen conversations", total=len({one.conversation for one in fitted_on}))
    judged = held_out([one for _, one in flat], fitted_on=fitted_on, advance=lambda: progress.advance(task))
    return [make_case(kind, one, rescored) for (kind, one), rescored in zip(flat, judged, strict=True)]


def _fit_answerability(cases: Sequence[Case]) -> tuple[dict[str, float], Mapping[str, float]]:
    answerable = np.array([case.kind == "answerable" for case in cases])
    kinds = np.array([case.kind for case in cases])
    unseen = unseen_probabilities(cases)
    worth = {f"auroc_{kind}": _auroc(unseen, kinds, kind) for kind in KINDS if kind != "answerable"}
    worth["brier"] = float(
        brier_score_loss(answerable, unseen, sample_weight=np.array([KINDS[kind] for kind in kinds]))
    )
    worth["abstain_below"] = threshold = float(np.quantile(unseen[answerable], WRONGLY_ABSTAINED))
    worth |= {f"abstains_{kind}": float((unseen[kinds == kind] < threshold).mean()) for kind in KINDS}
    return {name: round(value, 4) for name, value in worth.items()}, fit_weights(cases)


def _auroc(unseen: NDArray[np.float64], kinds: NDArray[np.str_], kind: str) -> float:
    chosen = (kinds == "answerable") | (kinds == kind)
    return float(roc_auc_score(kinds[chosen] == "answerable", unseen[chosen]))


def _write(booster: lightgbm.Booster, file: Path) -> None:
    file.write_bytes(lzma.compress(booster.model_to_string().encode(), preset=9))


if __name__ == "__main__":
    typer.run(main)
