"""Completions of a small model for code tasks, recorded call by call, and taken up again after a stop.

`python -m eval.code.collecting ask DATA ROWS MODEL.gguf` serves the file on one thread, or with `--url` asks a server that
does, and has the product's own code path ask it: one draft of every task at temperature 0, whose tests are the examples of the
prompt, and a review as `--review` says. Tasks come in the order of a hash, so that any beginning is a sample of all. A row is
written as soon as a call is answered, and no call is made twice. `python -m eval.code.collecting keep FILE ROWS ROWS` then keeps
the tasks that every model has answered.
"""

import asyncio
import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer
from pydantic import TypeAdapter

from cascade import CodeCascade
from cascade.code_tasks import CodePolicy, Try
from cascade.model import ChatRequest, Completion
from cascade.ports import Chat
from cascade.prompts import request_key
from cascade.sandbox import Sandbox
from cascade.tiers.deployment import Deployment, OpenAIChat
from cascade.tiers.gguf import GgufChat
from eval.code.data import Problem, read_problems
from eval.code.policies import GATE, Review, task_of
from eval.code.recordings import (
    Purpose,
    RecordedCompletion,
    append_row,
    read_recorded,
    recordings_of,
    write_recorded,
)
from tirtha.settings import TierSettings
from tirtha.wiring.gguf import served_gguf
from tirtha.wiring.tiers import model_tier

__all__ = ["CollectingChat", "answered_by_all", "collect", "in_order"]

_MAX_TOKENS = 768
_DEADLINE_S = 3_600.0


@dataclass(slots=True, kw_only=True)
class CollectingChat:
    """Answers from rows what they hold, and asks `chat` for the rest, which becomes a row of `problem` at once.

    `clock` gives the processor seconds that the model has used so far. The first call of a problem is its draft, and any other its
    review.
    """

    chat: Chat
    model: str
    rows: Path
    clock: Callable[[], float]
    problem: str = ""
    purpose: Purpose = "draft"

    async def complete(self, request: ChatRequest, *, timeout_s: float) -> Completion:
        """Answer `request`. Raises ChatFailed."""
        own = [row for row in _rows(self.rows) if row.model == self.model and row.problem == self.problem]
        found = recordings_of(own).get((request_key(self.model, request), request.sample))
        purpose, self.purpose = self.purpose, "review"
        if found is not None:
            return found.completion
        began_s, used_s = perf_counter(), self.clock()
        completion = await self.chat.complete(request, timeout_s=timeout_s)
        row = RecordedCompletion(
            problem=self.problem,
            model=self.model,
            sample=request.sample,
            messages=tuple((message.role, message.content) for message in request.messages),
            output=completion.text,
            prompt_tokens=completion.usage.prompt_tokens,
            completion_tokens=completion.usage.completion_tokens,
            latency_s=round(perf_counter() - began_s, 3),
            purpose=purpose,
            finish_reason=completion.finish_reason,
            max_tokens=request.max_tokens,
            temperature=request.temperature,
            processor_s=round(self.clock() - used_s, 3),
        )
        append_row(row, self.rows)
        return completion


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Return tasks in the order in which they are asked: that of a hash."""
    return sorted(problems, key=lambda one: _place(one.id))


def _place(problem: str) -> bytes:
    return blake2b(problem.encode(), digest_size=8).digest()


async def collect(
    problems: Sequence[Problem], chat: CollectingChat, settings: TierSettings, *, gate: Try, review: Review
) -> None:
    """Have the code path draft, and review, a program for every task. What was answered before is not asked again."""
    tier = model_tier("local", settings, [Deployment(chat, name=chat.model, concurrency=1)])
    policy = CodePolicy(review=review, verify="nothing" if review == "never" else "tests", unverified="serve")
    cascade = CodeCascade(try_program=gate, local=tier, policy=policy, deadline_s=_DEADLINE_S, temperature=0.0)
    for number, problem in enumerate(problems, 1):
        chat.problem, chat.purpose = problem.id, "draft"
        ended = await cascade.answer(task_of(problem), started_s=perf_counter())
        decision = ended.decision
        took_s = decision.latency_ms / 1_000
        typer.echo(f"{number} {problem.id} {decision.path} {decision.verified} {took_s:.1f} {decision.reason}")


def answered_by_all(models: Sequence[Sequence[RecordedCompletion]]) -> list[RecordedCompletion]:
    """Return the rows of the tasks for which every model has a draft, in the order of the tasks, the first model's first."""
    drafted = [{row.problem for row in rows if row.purpose == "draft"} for rows in models]
    common = set.intersection(*drafted)
    rows = [(place, row) for place, own in enumerate(models) for row in own if row.problem in common]
    return [row for _, row in sorted(rows, key=lambda one: (_place(one[1].problem), one[0], one[1].purpose))]


def tier_settings(file: Path) -> TierSettings:
    """Return the settings of a tier that serves a file on one thread."""
    return TierSettings(gguf=file, gguf_threads=1, max_tokens=_MAX_TOKENS, timeout_s=600, tries=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Elsewhere:
    """A server that serves the file already, and its process, whose time is counted."""

    url: str
    pid: int


async def _ask(data: Path, rows: Path, model: Path, review: Review, part: slice, elsewhere: _Elsewhere | None) -> None:
    problems = read_problems(data / "HumanEvalPlus.jsonl.gz", data / "humaneval_public_tests.json")
    gate = (await Sandbox.found(limits=GATE)).try_program
    async with AsyncExitStack() as stack:
        live: GgufChat | OpenAIChat
        pid: int | None
        if elsewhere:
            settings, pid = tier_settings(model), elsewhere.pid
            live = OpenAIChat(url=elsewhere.url, model=model.name)
        else:
            server, settings = await stack.enter_async_context(served_gguf("local", model.name, tier_settings(model)))
            live, pid = GgufChat(server), server.pid
        stack.push_async_callback(live.close)
        chat = CollectingChat(chat=live, model=model.name, rows=rows, clock=lambda: _processor_s(pid))
        await collect(in_order(problems.values())[part], chat, settings, gate=gate, review=review)


def _processor_s(pid: int | None) -> float:
    """Return the processor seconds of a process so far, on Linux; see proc(5), fields 14 and 15 of `stat`."""
    after_name = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")


def _rows(file: Path) -> list[RecordedCompletion]:
    return read_recorded(file) if file.exists() else []


app = typer.Typer(add_completion=False)


@app.command("ask")
def ask(  # noqa: PLR0913 - a command's options
    data: Annotated[Path, typer.Argument(help="the folder with HumanEvalPlus.jsonl.gz and its public tests")],
    rows: Annotated[Path, typer.Argument(help="where the model's rows are kept: a file of lines of JSON")],
    model: Annotated[Path, typer.Argument(help="a GGUF file")],
    *,
    review: Annotated[str, typer.Option(help="which drafts it reviews: always, on_failure, never")] = "never",
    start: Annotated[int, typer.Option(min=0, help="how many tasks are left out first")] = 0,
    end: Annotated[int | None, typer.Option(min=1, help="only so many tasks, with those left out")] = None,
    url: Annotated[str | None, typer.Option(help="a server that serves the file; by default one is started")] = None,
    pid: Annotated[int | None, typer.Option(help="with --url: the server's process, whose time is counted")] = None,
) -> None:
    """Collect a model's programs."""
    if (url is None) != (pid is None):
        raise typer.BadParameter("--url and --pid go together")
    elsewhere = _Elsewhere(url=url, pid=pid) if url is not None and pid is not None else None
    asked = TypeAdapter[Review](Review).validate_python(review)
    asyncio.run(_ask(data, rows, model, asked, slice(start, end), elsewhere))


@app.command("keep")
def keep(
    file: Annotated[Path, typer.Argument(help="where they go, compressed")],
    rows: Annotated[list[Path], typer.Argument(help="the rows of each model")],
) -> None:
    """Write the rows of the tasks for which every model has a draft."""
    kept = answered_by_all([read_recorded(one) for one in rows])
    write_recorded(kept, file)
    typer.echo(f"{len({row.problem for row in kept})} tasks, {len(kept)} rows")


if __name__ == "__main__":
    app()
