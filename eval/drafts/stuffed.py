"""Histories stuffed into the prompt: what the same models make of the same questions without memory and guards.

`python -m eval.drafts.stuffed DATA local MODEL.gguf ROWS --tokens 8000 --embeddings CACHE` puts the newest turns before 15
questions of two conversations of each testing set. The questions of one follow each other, so that the server reads its history
once. Rows hold no word of a set, and a stopped run is taken up again.
"""

import asyncio
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from cascade.tiers.model import ModelTier
from cascade.tiers.recording import append_line
from eval.answers.rows import row_of
from eval.answers.systems import Stuffed
from eval.drafts.collecting import opened_chat, tier_over
from eval.drafts.questions import Chosen, chosen, in_hash_order
from eval.drafts.systems import read_rows
from eval.harness.answer_paths import remembered
from eval.harness.conversations import LabelledQuestion
from eval.harness.embedding_cache import CachedEncoder
from memory.encoding.encoder import Encoder
from tirtha.settings import Settings
from tirtha.wiring.tiers import Name

__all__ = ["Stuffing", "stuffed_questions"]

_CONVERSATIONS = 2  # of each set
_QUESTIONS = 15  # of each conversation
_PATIENCE_S = 3_600.0  # one thread reads a long history for many minutes


def stuffed_questions(all_chosen: Sequence[Chosen]) -> Iterator[Chosen]:
    """Yield the first testing conversations of each set with some of their questions; none whose evidence is withheld."""
    whole = [one for one in all_chosen if one.use == "testing" and not one.conversation.id.endswith("-withheld")]
    for name in dict.fromkeys(one.set for one in whole):
        for one in [one for one in whole if one.set == name][:_CONVERSATIONS]:
            yield replace(one, questions=tuple(in_hash_order(one.questions)[:_QUESTIONS]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Stuffing:
    """How much history goes into the prompt of which tier, and the file of its rows."""

    tier: Name
    tokens: int
    rows: Path

    @property
    def system(self) -> str:
        """The name of its rows."""
        return f"stuffed-{self.tokens}-{self.tier}"

    def done(self) -> set[str]:
        """Return the questions that have a row."""
        rows = read_rows(self.rows) if self.rows.exists() else []
        return {row.question for row in rows if row.system == self.system}

    async def ask(self, one: Chosen, tier: ModelTier, encoder: Encoder, left: Sequence[LabelledQuestion]) -> None:
        """Ask what is left of a conversation's questions, and append their rows. Raises CascadeFault."""
        async with remembered(one.conversation.requests(), settings=Settings(), encoder=encoder) as service:
            stuffed = Stuffed(service.memory, tier, tokens=self.tokens, deadline_s=_PATIENCE_S)
            for question in left:
                outcome = await stuffed.answer(one.conversation, question)
                row = replace(row_of(self.system, question, outcome, excluded=False), answer="")
                append_line(self.rows, json.dumps(asdict(row), sort_keys=True).encode() + b"\n")
                typer.echo(f"{question.id} {row.right} {row.seconds:.1f}")


async def _run(data: Path, model: Path, stuffing: Stuffing, embeddings: Path, url: str | None) -> None:
    done, encoder = stuffing.done(), CachedEncoder(embeddings)
    async with opened_chat(stuffing.tier, model, url) as chat:
        tier = replace(tier_over(stuffing.tier, model, chat), timeout_s=_PATIENCE_S)
        for one in stuffed_questions(chosen(data)):
            if left := [question for question in one.questions if question.id not in done]:
                await stuffing.ask(one, tier, encoder, left)


def main(  # noqa: PLR0913 - a command's options
    data: Annotated[Path, typer.Argument(help="the folder of the sets")],
    tier: Annotated[str, typer.Argument(help="local or frontier: whose model it is in the other rows")],
    model: Annotated[Path, typer.Argument(help="a GGUF file")],
    rows: Annotated[Path, typer.Argument(help="where rows are appended")],
    *,
    tokens: Annotated[int, typer.Option(min=1, help="the most tokens of history")],
    embeddings: Annotated[Path, typer.Option(help="where embeddings are kept between runs")],
    url: Annotated[str | None, typer.Option(help="a server that serves the file; by default one is started")] = None,
) -> None:
    """Ask with the history in the prompt."""
    stuffing = Stuffing(tier=tier, tokens=tokens, rows=rows)  # type: ignore[arg-type]
    asyncio.run(_run(data, model, stuffing, embeddings, url))


if __name__ == "__main__":
    typer.run(main)
