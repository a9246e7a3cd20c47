"""Drafts of a model over the contexts that were written down: asked once each, recorded, and taken up again after a stop.

`python -m eval.drafts.collecting CONTEXTS RECORDINGS MODEL.gguf` serves the file on one thread and asks every question for its
first draft, in the order of a hash, and with `--second` for a second one as well. Recordings hold text of the sets: they stay
outside the project.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from hashlib import blake2b
from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer

from cascade.call_trace import Trace
from cascade.errors import TierDown
from cascade.model import ChatRequest, Completion
from cascade.ports import Chat
from cascade.prompts import request_key
from cascade.tiers.deployment import Deployment, Dialect
from cascade.tiers.gguf import GgufChat
from cascade.tiers.model import ModelTier
from cascade.tiers.recording import Recorded, RecordingChat, read_recordings
from eval.drafts.contexts import Asked, read_contexts
from tirtha.settings import TierSettings
from tirtha.wiring.gguf import served_gguf
from tirtha.wiring.tiers import Name, model_tier

__all__ = ["RecordedChat", "in_order", "opened_tier", "tier_over", "tier_settings"]

_DEADLINE_S = 600.0
_MAX_TOKENS = 128


class RecordedChat:
    """Answers from recordings in `folder` what they hold, and asks `chat` for the rest, which is recorded there.

    Without a `chat` everything must have been recorded: else it raises KeyError.
    """

    def __init__(self, chat: Chat | None, *, model: str, folder: Path) -> None:
        lines = [line for file in sorted(folder.glob("*.jsonl")) for line in file.read_text("utf-8").splitlines(True)]
        self.recordings: dict[tuple[str, int], Recorded] = read_recordings(
            line for line in lines if line.endswith("\n")
        )
        self._model = model
        self._chat = RecordingChat(chat, model=model, folder=folder) if chat else None

    async def complete(self, request: ChatRequest, *, timeout_s: float) -> Completion:
        """Answer `request`. Raises ChatFailed, and KeyError for what is neither recorded nor can be asked."""
        key = request_key(self._model, request)
        found = self.recordings.get((key, request.sample))
        if found is not None:
            return found.completion
        if self._chat is None:
            raise KeyError(key)
        return await self._chat.complete(request, timeout_s=timeout_s)

    def seconds(self, key: str) -> float:
        """Return how long the recorded answer to a request took."""
        return self.recordings[key, 0].latency_s


def tier_over(name: Name, file: Path, chat: Chat) -> ModelTier:
    """Return the tier of a model's file, whose calls go to `chat`."""
    return model_tier(name, tier_settings(file), [Deployment(chat, name=str(file), concurrency=1)])


@asynccontextmanager
async def opened_tier(name: Name, file: Path, recordings: Path) -> AsyncIterator[ModelTier]:
    """Serve a file on one thread, and yield its tier, which asks only what is not recorded in `recordings`."""
    settings = tier_settings(file)
    async with served_gguf(name, file.name, settings) as (server, _):
        chat = GgufChat(server, dialect=Dialect(logprobs=True))
        yield tier_over(name, file, RecordedChat(chat, model=file.name, folder=recordings))
        await chat.close()


def in_order(asked: Sequence[Asked]) -> list[Asked]:
    """Return questions in the order in which they are asked: that of a hash, so that any beginning is a sample of all sets."""
    return sorted(asked, key=lambda one: blake2b(f"{one.set} {one.question.id}".encode(), digest_size=8).digest())


def tier_settings(file: Path) -> TierSettings:
    """Return the settings of a tier that serves a file on one thread."""
    return TierSettings(gguf=file, gguf_threads=1, logprobs=True, max_tokens=_MAX_TOKENS, timeout_s=300, tries=1)


async def _collect(contexts: Path, recordings: Path, model: Path, *, second: bool, limit: int | None) -> None:
    """Ask what was not asked yet; contexts that are written meanwhile are taken up, too."""
    done: set[str] = set()
    async with opened_tier("local", model, recordings) as tier:
        while left := [one for one in in_order(read_contexts(contexts)) if one.question.id not in done]:
            for one in left[:20]:
                if limit is not None and len(done) >= limit:
                    return
                began_s = perf_counter()
                done.add(one.question.id)
                for variant in ("answer", "second_opinion") if second else ("answer",):
                    trace = Trace(started_s=perf_counter(), deadline_s=_DEADLINE_S)
                    try:
                        await tier.draft(one.briefs[0], trace, variant=variant)
                    except TierDown as fault:
                        typer.echo(f"{one.question.id}: {fault}")
                typer.echo(f"{len(done)} {one.set} {one.question.id} {perf_counter() - began_s:.2f}")


def main(
    contexts: Annotated[Path, typer.Argument(help="what eval.drafts.contexts wrote")],
    recordings: Annotated[Path, typer.Argument(help="the folder of the model's recordings")],
    model: Annotated[Path, typer.Argument(help="a GGUF file")],
    *,
    second: Annotated[bool, typer.Option("--second", help="a second draft, asked in other words, as well")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="only the first questions")] = None,
) -> None:
    """Collect a model's drafts."""
    asyncio.run(_collect(contexts, recordings, model, second=second, limit=limit))


if __name__ == "__main__":
    typer.run(main)
