"""Systems over recorded drafts: what the cascade, its parts and each model alone make of the same questions and contexts.

`python -m eval.drafts.systems CONTEXTS RECORDINGS LOCAL.gguf FRONTIER.gguf --to ROWS` runs the real cascade, whose models answer
from recordings. Before that, `--live local` and then `--live frontier` serve that one model for the calls that are not recorded yet
(repairs, wider contexts), and write no rows. A system has no row for a question that it has not come to the end of. Rows hold no
word of a set and none of a draft.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Annotated, Literal

import typer
from pydantic import TypeAdapter

from cascade import Brief, Cascade
from cascade.decision import Call
from cascade.guards import CorrectnessGuard
from cascade.tiers.model import ModelTier
from eval.answers.rows import Row, row_of
from eval.answers.systems import CHANGES, SystemOutcome, serves_abstention
from eval.drafts.collecting import RecordedChat, in_order, opened_tier, tier_over, tier_settings
from eval.drafts.contexts import Asked, read_contexts
from memory.encoding.encoder import Encoder
from tirtha.settings import Settings
from tirtha.wiring.cascade import GuardEncoder, make_cascade
from tirtha.wiring.tiers import Tiers

__all__ = ["SYSTEMS", "read_rows", "run_systems", "write_rows"]

_UNVERIFIED, _NO_SCORE = "serving-unverified", "no-score"
SYSTEMS = (
    "cascade", "local-alone", "frontier-alone", "no-verification", "no-guards", "no-repair", _NO_SCORE, _UNVERIFIED,
)  # fmt: skip
Live = Literal["local", "frontier", "none"]
_ROW = TypeAdapter(Row)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stored:
    """The contexts of one question, as the cascade asks for them."""

    briefs: Sequence[Brief]

    async def at(self, budget: int) -> Brief:
        """Return the context of that budget, or the widest there is."""
        return next((brief for brief in self.briefs if brief.budget >= budget), self.briefs[-1])

    async def raw(self, limit: int) -> Brief:  # noqa: ARG002 - none is stored
        """Return the widest context."""
        return self.briefs[-1]


async def run_systems(asked: Sequence[Asked], cascade: Cascade, recorded: Mapping[str, RecordedChat]) -> list[Row]:
    """Return the rows of every system for the questions that it answers from what is recorded.

    `recorded` are the models' recordings, by the name of the tier.
    """
    changes = {**CHANGES, _UNVERIFIED: _serving_unverified, _NO_SCORE: _without_score}
    return [
        row for one in asked for name in SYSTEMS if (row := await _row(name, changes[name](cascade), one, recorded))
    ]


def _serving_unverified(cascade: Cascade) -> Cascade:
    """Return one that serves its best draft, marked so, where none passes."""
    return replace(cascade, policy=replace(cascade.policy, unverified="serve"))


def _without_score(cascade: Cascade) -> Cascade:
    """Return one that holds no model to the score over drafts."""
    kept = [guard for guard in cascade.guards if not isinstance(guard, CorrectnessGuard)]
    return replace(cascade, guards=tuple(kept))


async def _row(name: str, cascade: Cascade, asked: Asked, recorded: Mapping[str, RecordedChat]) -> Row | None:
    """Return what a system makes of a question; None where a call is neither recorded nor can be made."""
    started_s = perf_counter()
    try:
        ended = await cascade.answer(_Stored(briefs=asked.briefs), budget=asked.briefs[0].budget, started_s=started_s)
    except KeyError:
        return None
    decision = ended.decision
    decision = replace(decision, calls=tuple(_timed(call, recorded) for call in decision.calls))
    outcome = SystemOutcome(
        text=decision.answer,
        path=decision.path,
        abstained=decision.abstained or serves_abstention(decision),
        calls=decision.calls,
        seconds=sum(call.latency_ms for call in decision.calls) / 1_000,
        context_tokens=decision.brief.tokens,
        decision=decision,
    )
    return row_of(name, asked.question, outcome, excluded=False)


def _timed(call: Call, recorded: Mapping[str, RecordedChat]) -> Call:
    """Return a call with the time that it took when it was recorded."""
    return replace(call, latency_ms=round(recorded[call.tier].seconds(call.request) * 1_000))


def read_rows(file: Path) -> list[Row]:
    """Read rows; a last line that was cut short is left out. Raises OSError, and ValueError for a broken line."""
    lines = file.read_text("utf-8").splitlines(keepends=True)
    return [_ROW.validate_python(json.loads(line)) for line in lines if line.endswith("\n")]


def write_rows(rows: Sequence[Row], file: Path) -> None:
    """Write rows without what models wrote."""
    bare = [replace(row, answer="", drafts=(), hashes=None) for row in rows]
    file.write_text("".join(json.dumps(asdict(row), sort_keys=True) + "\n" for row in bare), "utf-8")


async def _run(
    contexts: Path, recordings: Path, models: Mapping[str, Path], live: Live, limit: int | None, url: str | None
) -> list[Row]:
    """Return the rows; none while a model is served."""
    asked = [one for one in in_order(read_contexts(contexts)) if one.use == "testing"][:limit]
    tiers: dict[str, ModelTier] = {}
    recorded: dict[str, RecordedChat] = {}
    async with AsyncExitStack() as stack:
        for name, model in models.items():
            folder = recordings / model.stem
            recorded[name] = RecordedChat(None, model=model.name, folder=folder)
            if name == live:
                tiers[name] = await stack.enter_async_context(opened_tier(name, model, folder, url))  # type: ignore[arg-type]
            else:
                tiers[name] = tier_over(name, model, recorded[name])  # type: ignore[arg-type]
        settings = Settings(local=tier_settings(models["local"]), frontier=tier_settings(models["frontier"]))
        both = Tiers(local=tiers["local"], frontier=tiers["frontier"])
        cascade = make_cascade(settings, both, GuardEncoder(Encoder()))
        cascade = replace(cascade, deadline_s=3_600)
        if live == "none":
            return await run_systems(asked, cascade, recorded)
        for one in asked:
            await _ask_for_real(cascade, one)
        return []


async def _ask_for_real(cascade: Cascade, asked: Asked) -> None:
    """Have the cascade make its calls, up to one of the model that is not served."""
    try:
        await cascade.answer(_Stored(briefs=asked.briefs), budget=asked.briefs[0].budget, started_s=perf_counter())
    except KeyError:
        return
    typer.echo(asked.question.id)


def main(  # noqa: PLR0913 - a command's options
    contexts: Annotated[Path, typer.Argument(help="what eval.drafts.contexts wrote")],
    recordings: Annotated[Path, typer.Argument(help="the folder that holds a folder of recordings for each model")],
    local: Annotated[Path, typer.Argument(help="the GGUF file of the cheap tier")],
    frontier: Annotated[Path, typer.Argument(help="the GGUF file of the tier above")],
    *,
    to: Annotated[Path, typer.Option(help="where the rows go")],
    live: Annotated[
        str, typer.Option(help="which model is served for what is not recorded: local, frontier, none")
    ] = "none",
    limit: Annotated[int | None, typer.Option(min=1, help="only the first questions")] = None,
    url: Annotated[
        str | None, typer.Option(help="a server that serves the live model; by default one is started")
    ] = None,
) -> None:
    """Run every system, and write its rows."""
    rows = asyncio.run(
        _run(contexts, recordings, {"local": local, "frontier": frontier}, live, limit, url)  # type: ignore[arg-type]
    )
    if live == "none":
        write_rows(rows, to)
    typer.echo(f"{len(rows)} rows")


if __name__ == "__main__":
    typer.run(main)
