"""Two ways to answer over a long text, side by side: from a memory, by a context of fixed budget; and stuffed raw into a prompt.

Both report exact tokens, what was refused before any model was called, and what it cost. Without a model the memory path quotes
(the extractive tier) and the raw path only says whether the text would have fitted.
"""

import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from string import Template
from time import perf_counter
from typing import Annotated

from pydantic import Field

from cascade.call_trace import Trace
from cascade.errors import TooLong
from cascade.model import ChatRequest, Message
from cascade.tiers.model import ModelTier
from compaction.tokens import count_tokens
from eval.harness.report import Json
from memory import Remember, Scope
from memory.api import Memory
from memory.encoding.encoder import Encoder
from tirtha.caller import Caller, local_caller
from tirtha.operations.ask import AskRequest
from tirtha.service import Service
from tirtha.settings import Settings
from tirtha.wiring.service import open_service

__all__ = [
    "USUAL_WINDOW",
    "Asking",
    "Cached",
    "Reply",
    "ask_memory",
    "ask_raw",
    "caller_of",
    "history_scope",
    "remember_all",
    "remembered",
    "remembering",
]

Cached = Annotated[
    bool, Field(description="let the answer cache answer; else it is passed by, and the report proves it")
]
USUAL_WINDOW = 131_072  # of gpt-oss-120b
_TENANT = "eval"
_USER = "history"
_DEADLINE_S = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came of a question.

    tokens: of the context, or of the whole raw prompt. lines: the verbatim quotes that the context of the budget asked for holds.
    refused: why no model was asked. path: that of the decision; "raw", or "no model" where the raw prompt fits but none reads it.
    """

    text: str
    path: str
    tokens: int
    lines: tuple[str, ...] = ()
    turns: tuple[str, ...] = ()
    answerable: float | None = None
    refused: str = ""
    cost_nanousd: int = 0
    cached: bool = False

    def as_row(self) -> dict[str, Json]:
        """Return it as a row's value."""
        return asdict(self)


Asking = Callable[[str, datetime | None], Awaitable[Reply]]


@asynccontextmanager
async def remembering(
    requests: Sequence[Remember], *, settings: Settings, encoder: Encoder, budget: int, use_cache: bool = False
) -> AsyncIterator[Asking]:
    """Remember a history in an empty folder of its own; gives what asks it. The requests' scope is `history_scope()`."""
    own = settings.model_copy(update={"budget": budget})
    async with remembered(requests, settings=own, encoder=encoder) as service:

        async def ask(question: str, asked_at: datetime | None) -> Reply:
            return await ask_memory(service, question, asked_at, budget=budget, use_cache=use_cache)

        yield ask


@asynccontextmanager
async def remembered(
    requests: Sequence[Remember], *, settings: Settings, encoder: Encoder, recall_models: Path | None = None
) -> AsyncIterator[Service]:
    """Open a service over an empty folder of its own that remembers these turns and nothing else.

    `recall_models` is the folder of weights that recall uses.
    """
    with tempfile.TemporaryDirectory(prefix="tirtha-eval-") as folder:
        own = settings.model_copy(update={"home": Path(folder), "database_url": None})
        async with open_service(own, encoder=encoder, recall_models=recall_models) as service:
            await remember_all(service.memory, requests)
            yield service


async def remember_all(memory: Memory, requests: Sequence[Remember]) -> None:
    """Remember turns of many sessions until all are indexed and their scopes in memory, so that no question waits for that."""
    await memory.remember_many([request for request in requests if request.turns])
    await memory.drain()
    for scope in {request.scope for request in requests}:
        await memory.warm(scope)


def caller_of(scope: Scope) -> Caller:
    """Return the caller that owns a benchmark's scope."""
    return local_caller(scope.tenant)


def history_scope() -> Scope:
    """Return the scope that a history is remembered in."""
    return Scope(tenant=_TENANT, user_id=_USER)


async def ask_memory(
    service: Service,
    question: str,
    asked_at: datetime | None,
    *,
    budget: int,
    use_cache: bool,
    scope: Scope | None = None,
) -> Reply:
    """Ask the memory, as `/v1/ask` does. Raises CascadeFault where a tier is down."""
    scope = scope or history_scope()
    request = AskRequest(
        user_id=scope.user_id, question=question, budget=budget, asked_at=asked_at, use_cache=use_cache
    )
    answered = await service.ask(caller_of(scope), request)
    decision = answered.decision
    first = decision.contexts[0] if decision.contexts else decision.brief
    return Reply(
        text=decision.answer,
        path=decision.path,
        tokens=first.tokens,
        lines=tuple(quote.text for quote in first.quotes),
        turns=tuple(quote.turn_id for quote in first.quotes),
        answerable=first.answerable,
        cost_nanousd=decision.cost_nanousd,
        cached=answered.cache == "hit",
    )


async def ask_raw(
    text: str, question: str, *, tier: ModelTier | None, window_tokens: int, trace: Trace | None = None
) -> Reply:
    """Put the whole text before the question; refused, with the exact counts, where the window does not hold it.

    `trace` is where the call is noted. Raises CascadeFault where the tier is down.
    """
    prompt = Template((files("eval") / "prompts" / "raw.md").read_text("utf-8")).substitute(
        text=text, question=question
    )
    tokens, window = count_tokens(prompt), tier.window_tokens if tier else window_tokens
    room = tier.max_tokens if tier else 0
    if tokens + room > window:
        return Reply(text="", path="raw", tokens=tokens, refused=f"{tokens:,} tokens; the window holds {window:,}")
    if tier is None:
        return Reply(text="", path="no model", tokens=tokens)
    trace = trace or Trace(started_s=perf_counter(), deadline_s=_DEADLINE_S)
    request = ChatRequest(messages=(Message(role="user", content=prompt),), max_tokens=tier.max_tokens)
    try:
        completion = await tier.ask(request, trace, purpose="raw")
    except TooLong as fault:
        return Reply(text="", path="raw", tokens=tokens, refused=str(fault))
    return Reply(
        text=completion.text, path="raw", tokens=tokens, cost_nanousd=sum(call.cost_nanousd for call in trace.calls)
    )
