"""Drafts of a model over the contexts that were written down: asked once each, recorded, and taken up again after a stop.

`python -m eval.drafts.collecting CONTEXTS RECORDINGS MODEL.gguf` serves the file on one thread and asks every question for its
first draft, in the order of a hash; with `--second` for a second one, and with `--vote` whether the lines entail the first, as
well. With `--url` another server serves the file. Recordings hold text of the sets: they stay outside the project.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer

from cascade.call_trace import Trace
from cascade.errors import TierDown
from cascade.model import ChatRequest, Completion, Draft
from cascade.ports import Chat
from cascade.prompts import request_key, vote_messages
from cascade.tiers.deployment import Deployment, Dialect, OpenAIChat
from cascade.tiers.gguf import GgufChat
from cascade.tiers.model import ModelTier
from cascade.tiers.recording import Recorded, RecordingChat, read_recordings
from eval.drafts.contexts import Asked, read_contexts
from eval.drafts.questions import Use
from tirtha.settings import TierSettings
from tirtha.wiring.gguf import served_gguf
from tirtha.wiring.tiers import Name, model_tier

__all__ = ["RecordedChat", "in_order", "opened_chat", "opened_tier", "tier_over", "tier_settings"]

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
async def opened_tier(name: Name, file: Path, recordings: Path, url: str | None = None) -> AsyncIterator[ModelTier]:
    """Yield the tier of a model's file, which asks only what is not recorded in `recordings`."""
    async with opened_chat(name, file, url) as chat:
        yield tier_over(name, file, RecordedChat(chat, model=file.name, folder=recordings))


@asynccontextmanager
async def opened_chat(name: Name, file: Path, url: str | None) -> AsyncIterator[Chat]:
    """Yield what asks the model: the server at `url`, which serves the file already, or one of our own on one thread."""
    dialect = Dialect(logprobs=True)
    async with AsyncExitStack() as stack:
        chat: OpenAIChat | GgufChat
        if url:
            chat = OpenAIChat(url=url, model=file.name, dialect=dialect)
        else:
            server, _ = await stack.enter_async_context(served_gguf(name, file.name, tier_settings(file)))
            chat = GgufChat(server, dialect=dialect)
        stack.push_async_callback(chat.close)
        yield chat


def in_order(asked: Sequence[Asked]) -> list[Asked]:
    """Return questions in the order in which they are asked: that of a hash, so that any beginning is a sample of all sets."""
    return sorted(asked, key=lambda one: blake2b(f"{one.set} {one.question.id}".encode(), digest_size=8).digest())


def tier_settings(file: Path) -> TierSettings:
    """Return the settings of a tier that serves a file on one thread."""
    return TierSettings(gguf=file, gguf_threads=1, logprobs=True, max_tokens=_MAX_TOKENS, timeout_s=300, tries=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """What is asked of each question."""

    use: Use | None
    second: bool
    vote: bool
    limit: int | None


async def _collect(contexts: Path, recordings: Path, model: Path, wanted: _Wanted, url: str | None) -> None:
    """Ask what was not asked yet; contexts that are written meanwhile are taken up, too."""
    done: set[str] = set()
    async with opened_tier("local", model, recordings, url) as tier:
        while left := [one for one in _wanted_of(contexts, wanted) if one.question.id not in done]:
            for one in left[:20]:
                if wanted.limit is not None and len(done) >= wanted.limit:
                    return
                began_s = perf_counter()
                done.add(one.question.id)
                try:
                    await _ask(tier, one, wanted)
                except TierDown as fault:
                    typer.echo(f"{one.question.id}: {fault}")
                typer.echo(f"{len(done)} {one.set} {one.question.id} {perf_counter() - began_s:.2f}")


def _wanted_of(contexts: Path, wanted: _Wanted) -> list[Asked]:
    return [one for one in in_order(read_contexts(contexts)) if wanted.use in (None, one.use)]


async def _ask(tier: ModelTier, one: Asked, wanted: _Wanted) -> None:
    """Ask for the first draft, and what else is wanted. Raises TierDown."""
    trace = Trace(started_s=perf_counter(), deadline_s=_DEADLINE_S)
    first = await tier.draft(one.briefs[0], trace)
    if wanted.vote and not first.abstains:
        await tier.ask(_vote_request(one, first, tier.max_tokens), trace, purpose="vote")
    if wanted.second:
        await tier.draft(one.briefs[0], trace, variant="second_opinion")


def _vote_request(one: Asked, draft: Draft, max_tokens: int) -> ChatRequest:
    """Return the vote on whether the lines entail a draft: the likeliest reply, whose probability is reported with it."""
    return ChatRequest(messages=vote_messages(one.briefs[0], draft.answer), max_tokens=max_tokens)


def main(  # noqa: PLR0913 - a command's options
    contexts: Annotated[Path, typer.Argument(help="what eval.drafts.contexts wrote")],
    recordings: Annotated[Path, typer.Argument(help="the folder of the model's recordings")],
    model: Annotated[Path, typer.Argument(help="a GGUF file")],
    *,
    use: Annotated[str | None, typer.Option(help="only the questions for fitting, or for testing")] = None,
    second: Annotated[bool, typer.Option("--second", help="a second draft, asked in other words, as well")] = False,
    vote: Annotated[bool, typer.Option("--vote", help="a vote on whether the lines entail the draft, as well")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="only the first questions")] = None,
    url: Annotated[str | None, typer.Option(help="a server that serves the file; by default one is started")] = None,
) -> None:
    """Collect a model's drafts."""
    wanted = _Wanted(use=use, second=second, vote=vote, limit=limit)  # type: ignore[arg-type]
    asyncio.run(_collect(contexts, recordings, model, wanted, url))


if __name__ == "__main__":
    typer.run(main)
