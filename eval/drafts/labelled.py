"""Labelled drafts: what a model recorded, judged by each guard alone, with its features and whether it is right.

As rows they hold no word of a set: ids, hashes, figures, verdicts. Rows are kept in the project, and are enough to fit and to
report.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer
from pydantic import TypeAdapter

from cascade.call_trace import Trace
from cascade.decision import Status
from cascade.errors import TierDown
from cascade.guards import (
    AnswerabilityGuard,
    Case,
    CitationGuard,
    FactsGuard,
    FinishGuard,
    Guard,
    InjectionGuard,
    PolarityGuard,
    SchemaGuard,
    SupportGuard,
    draft_features,
)
from cascade.model import Draft
from cascade.tiers.model import ModelTier
from eval.answers.rightness import is_right
from eval.answers.scoring import answer_f1, contains
from eval.drafts.collecting import RecordedChat, in_order, tier_over
from eval.drafts.contexts import Asked, read_contexts
from memory.encoding.encoder import Encoder
from tirtha.settings import Settings
from tirtha.wiring.cascade import GuardEncoder

__all__ = ["Labelled", "Labelling", "read_labelled", "write_labelled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A draft with its label.

    path: which draft of the question it is: "first", "second", "repaired" or "widened". statuses: what each guard says. features:
    of a draft that answers and cites, by name. f1, contained, right: by the gold answer. tokens, seconds: of the call.
    """

    set: str
    use: str
    conversation: str
    question: str
    kind: str
    answerable: bool
    model: str
    path: str
    answer_sha256: str
    abstains: bool
    right: bool
    f1: float
    contained: bool
    statuses: Mapping[str, Status]
    features: Mapping[str, float]
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    seconds: float


_ROW = TypeAdapter(Labelled)
_DEADLINE_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelling:
    """What drafts of a model are read and judged with. `recorded` is what its tier answers from.

    `earlier` are the drafts of cheaper models by question, which a cascade has seen by then; this model's are added to them.
    """

    tier: ModelTier
    recorded: RecordedChat
    guards: Sequence[Guard]
    earlier: dict[str, list[Draft]] = field(default_factory=dict)

    async def rows(self, contexts: Sequence[Asked]) -> AsyncIterator[Labelled]:
        """Yield every recorded first and second draft over these contexts; of a model that said nothing there is none."""
        for asked in contexts:
            for path, variant in (("first", "answer"), ("second", "second_opinion")):
                trace = Trace(started_s=perf_counter(), deadline_s=_DEADLINE_S)
                try:
                    draft = await self.tier.draft(asked.briefs[0], trace, variant=variant)
                except (KeyError, TierDown):  # was not asked, or said nothing
                    continue
                yield await self._labelled(asked, draft, path, trace)
                self.earlier.setdefault(asked.question.id, []).append(draft)

    async def _labelled(self, asked: Asked, draft: Draft, path: str, trace: Trace) -> Labelled:
        brief, question = asked.briefs[0], asked.question
        case = Case(brief=brief, draft=draft, model=self.tier.model, trace=trace)
        verdicts = [await guard.check(case) for guard in self.guards]
        others = self.earlier.get(question.id, ())
        features = {} if draft.abstains else draft_features(brief, draft, others)
        call = trace.calls[-1]
        return Labelled(
            set=asked.set,
            use=asked.use,
            conversation=asked.conversation,
            question=question.id,
            kind=question.kind,
            answerable=question.answerable,
            model=self.tier.model,
            path=path,
            answer_sha256=sha256(draft.answer.encode()).hexdigest()[:16],
            abstains=draft.abstains,
            right=is_right(question, draft.answer, abstained=draft.abstains),
            f1=round(answer_f1(question.kind, question.answer, draft.answer, abstained=draft.abstains), 3),
            contained=not draft.abstains and contains(question.answer, draft.answer),
            statuses={verdict.guard: verdict.status for verdict in verdicts},
            features={name: round(value, 4) for name, value in features.items()},
            prompt_tokens=call.usage.prompt_tokens,
            completion_tokens=call.usage.completion_tokens,
            cached_tokens=call.usage.cached_tokens,
            seconds=self.recorded.seconds(call.request),
        )


def read_labelled(file: Path) -> list[Labelled]:
    """Read rows. Raises OSError, and ValueError for a broken line."""
    return [_ROW.validate_python(json.loads(line)) for line in file.read_text("utf-8").splitlines()]


def write_labelled(rows: Sequence[Labelled], file: Path) -> None:
    """Write rows, a line each, in the order of their questions."""
    ordered = sorted(rows, key=lambda row: (row.use, row.set, row.question, row.model, row.path))
    file.write_text("".join(json.dumps(asdict(row), sort_keys=True) + "\n" for row in ordered), "utf-8")


async def _label(contexts: Path, recordings: Path, models: Sequence[Path], file: Path) -> None:
    """Write the rows of all models; recordings are in a folder for each, named as the file is."""
    settings, encoder = Settings(), Encoder()
    embed = GuardEncoder(encoder)
    guards = (
        FinishGuard(),
        SchemaGuard(),
        AnswerabilityGuard(threshold=settings.abstain_below),
        CitationGuard(),
        InjectionGuard(),
        PolarityGuard(),
        FactsGuard(),
        SupportGuard(embed=embed),
    )
    asked = in_order(read_contexts(contexts))
    rows: list[Labelled] = []
    earlier: dict[str, list[Draft]] = {}
    for model in models:
        recorded = RecordedChat(None, model=model.name, folder=recordings / model.stem)
        tier = tier_over("local", model, recorded)
        labelling = Labelling(tier=tier, recorded=recorded, guards=guards, earlier=earlier)
        rows += [row async for row in labelling.rows(asked)]
    write_labelled(rows, file)
    typer.echo(f"{len(rows)} drafts")


def main(
    contexts: Annotated[Path, typer.Argument(help="what eval.drafts.contexts wrote")],
    recordings: Annotated[Path, typer.Argument(help="the folder that holds a folder of recordings for each model")],
    models: Annotated[list[Path], typer.Argument(help="the models' GGUF files, the cheapest first")],
    *,
    to: Annotated[Path, typer.Option(help="where the rows go")],
) -> None:
    """Label what was recorded."""
    asyncio.run(_label(contexts, recordings, models, to))


if __name__ == "__main__":
    typer.run(main)
