"""Contexts of the chosen questions, as recall and compaction ship them, written down once: what every draft is made over.

`python -m eval.drafts.contexts DATA FILE --embeddings CACHE` remembers each conversation that `FILE` lacks, and appends the
contexts of its questions, a line each. They hold text of the sets: the file stays outside the project.
"""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from pydantic import TypeAdapter

from cascade import Brief
from eval.drafts.questions import Chosen, Use, chosen
from eval.harness.answer_paths import remembered
from eval.harness.conversations import LabelledQuestion
from eval.harness.embedding_cache import CachedEncoder
from memory.encoding.encoder import Encoder
from tirtha.operations.ask import brief_of
from tirtha.operations.context import distilled
from tirtha.settings import Settings

__all__ = ["Asked", "read_contexts"]

_BUDGETS = (165, 660)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question with its gold answer, and its contexts: of 165 tokens, and the wider one that a cascade may go on to."""

    set: str
    use: Use
    conversation: str
    question: LabelledQuestion
    briefs: tuple[Brief, ...]


_ASKED = TypeAdapter(Asked)


def read_contexts(file: Path) -> list[Asked]:
    """Read what was written down. A last line that was cut short is left out."""
    return list(_read(file)) if file.exists() else []


def _read(file: Path) -> Iterator[Asked]:
    for line in file.read_text("utf-8").splitlines(keepends=True):
        if line.endswith("\n"):
            yield _ASKED.validate_python(json.loads(line))


async def _write(one: Chosen, encoder: Encoder, file: Path) -> None:
    """Remember a conversation, and append the contexts of its questions at once."""
    scope, asked_at = one.conversation.scope, one.conversation.asked_at
    lines: list[bytes] = []
    async with remembered(one.conversation.requests(), settings=Settings(), encoder=encoder) as service:
        for question in one.questions:
            found = await service.memory.recall(scope, question.question, asked_at)
            briefs = tuple(
                brief_of(
                    distilled(found, budget),
                    question=question.question,
                    asked_at=asked_at,
                    answerable=found.answerable,
                )
                for budget in _BUDGETS
            )
            asked = Asked(set=one.set, use=one.use, conversation=one.conversation.id, question=question, briefs=briefs)
            lines.append(_ASKED.dump_json(asked) + b"\n")
    with file.open("ab") as out:
        out.write(b"".join(lines))


def main(
    data: Annotated[Path, typer.Argument(help="the folder of the sets")],
    file: Annotated[Path, typer.Argument(help="where contexts are kept, outside the project")],
    embeddings: Annotated[Path, typer.Option(help="where embeddings are kept between runs")],
) -> None:
    """Write the contexts of every conversation that the file lacks."""
    done, encoder = {one.conversation for one in read_contexts(file)}, CachedEncoder(embeddings)
    for one in chosen(data):
        if one.conversation.id not in done and one.questions:
            asyncio.run(_write(one, encoder, file))
            typer.echo(f"{one.set} {one.conversation.id}: {len(one.questions)}")


if __name__ == "__main__":
    typer.run(main)
