"""What standing instructions are worth on BEAM, by kind of question: contexts with them and without, of the same evidence.

    python -m eval.evidence.standing --data FOLDER --size 100K

`--wanted` asks only what is about a user's instructions and preferences, of memories of what the user said alone, which takes a
tenth of the time.
"""

import asyncio
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from eval.evidence.sets import read_set
from eval.harness.answer_paths import remembered
from eval.harness.conversations import Conversation
from eval.harness.embedding_cache import CachedEncoder
from eval.training.standing.data import TESTED
from memory.encoding.encoder import Encoder
from tirtha.operations.context import distilled
from tirtha.settings import Settings

__all__ = ["Held"]

_BUDGETS = (165, 660)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What a question's contexts hold: by budget, the share of its evidence with instructions, and without; the lines of them."""

    kind: str
    with_them: tuple[float, ...]
    without: tuple[float, ...]
    lines: tuple[int, ...]


def _of_users_alone(chats: Sequence[Conversation]) -> list[Conversation]:
    """Return the chats with what the user said, and the questions about his instructions and preferences, alone."""
    return [
        replace(
            one,
            sessions={key: [turn for turn in turns if turn["role"] == "user"] for key, turns in one.sessions.items()},
            questions=tuple(question for question in one.questions if question.kind in TESTED),
        )
        for one in chats
    ]


async def _with_and_without(chats: Sequence[Conversation], encoder: Encoder) -> list[Held]:
    """Ask every answerable question of each chat, in a memory of its own, and distil what was recalled in both ways."""
    rows: list[Held] = []
    for chat in chats:
        async with remembered(chat.requests(), settings=Settings(), encoder=encoder) as service:
            for question in (one for one in chat.questions if one.answerable):
                found = await service.memory.recall(chat.scope, question.question, chat.asked_at)
                contexts = [distilled(found, budget) for budget in _BUDGETS]
                plain = [distilled(replace(found, standing=(), nearness=()), budget) for budget in _BUDGETS]
                wanted = {(one.turn.session_id, one.turn.id) for one in found.standing}
                rows.append(
                    Held(
                        kind=question.kind,
                        with_them=tuple(map(question.recall_of, contexts)),
                        without=tuple(map(question.recall_of, plain)),
                        lines=tuple(
                            sum((line.session_id, line.turn_id) in wanted for line in one.lines) for one in contexts
                        ),
                    )
                )
    return rows


def main(
    data: Annotated[Path, typer.Option(help="a folder of BEAM's chats")],
    size: Annotated[str | None, typer.Option(help="of chats in folders of this name alone: 100K or 500K")] = None,
    embeddings: Annotated[Path, typer.Option(help="where embeddings are kept between runs")] = Path(
        "embeddings.sqlite3"
    ),
    wanted: Annotated[bool, typer.Option("--wanted", help="only what is about instructions and preferences")] = False,
) -> None:
    """Print what contexts hold of the evidence with instructions and without, by kind and budget."""
    chats = read_set("beam", data, size=size)
    with closing(CachedEncoder(embeddings)) as encoder:
        rows = asyncio.run(_with_and_without(_of_users_alone(chats) if wanted else chats, encoder))
    table = Table("kind", "n", "budget", "recall with", "without", "lines of instructions")
    for kind in sorted({one.kind for one in rows}):
        own = [one for one in rows if one.kind == kind]
        for place, budget in enumerate(_BUDGETS):
            figures = (fmean(one.with_them[place] for one in own), fmean(one.without[place] for one in own))
            lines = fmean(one.lines[place] for one in own)
            table.add_row(kind, str(len(own)), str(budget), *(f"{value:.3f}" for value in figures), f"{lines:.2f}")
    Console().print(table)


if __name__ == "__main__":
    typer.run(main)
