"""Asking about what is hidden in histories of growing length, by memory and by raw prompt, and what follows from the answers.

Shared by the needle test and by context rot, which differ in what they hide. Histories are made, remembered and kept open by length
when they are first asked; evidence recall needs no model.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, field
from statistics import mean
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from cascade.errors import CascadeFault
from eval.harness.answer_paths import Asking, ask_raw, remembering
from eval.harness.benchmark import Sample, Work
from eval.harness.intervals import bounds, wilson
from eval.harness.report import Json, Series, Table
from eval.long_context.haystack import Hidden, History
from memory.encoding.encoder import Encoder
from tirtha.settings import Settings, TierSettings
from tirtha.wiring.tiers import Tiers, model_name, open_tiers, tier_price

__all__ = [
    "Cell",
    "Figures",
    "Histories",
    "Lengths",
    "RawWindow",
    "asking_histories",
    "by_length",
    "cells_of",
    "configured_models",
    "lengths_of",
    "marks_of",
    "notes_on_models",
    "recall_line",
    "table_of",
]

Lengths = Annotated[tuple[int, ...], Field(description="tokens of the histories")]
RawWindow = Annotated[int, Field(ge=1, description="window assumed for raw prompts where no model is configured")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Histories:
    """How histories are made and asked: `make` gives the one of so many tokens."""

    make: Callable[[int], History]
    settings: Settings
    encoder: Encoder
    budget: int
    raw_window: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One answered question: of which history, what was found of its facts, whether it was right, what the raw prompt came to."""

    length: int
    key: str
    history_tokens: int
    recall: float
    right: bool
    tokens: int
    cached: bool
    raw_tokens: int
    raw_refused: bool
    raw_right: bool | None


@asynccontextmanager
async def asking_histories(histories: Histories) -> AsyncIterator[Work]:
    """Yield a function that answers the sample `length/key`; histories stay open until the end."""
    async with AsyncExitStack() as stack:
        tiers = await stack.enter_async_context(open_tiers(histories.settings))
        opened = _Opened(histories=histories, stack=stack)

        async def work(id_: str) -> Sample:
            length, _, key = id_.partition("/")
            history, ask = await opened.of(int(length))
            return await _ask_both(
                id_, history, history.hidden[key], ask, tiers=tiers, window_tokens=histories.raw_window
            )

        yield work


@dataclass(slots=True, kw_only=True)
class _Opened:
    """The histories that were asked so far."""

    histories: Histories
    stack: AsyncExitStack
    known: dict[int, tuple[History, Asking]] = field(default_factory=dict)

    async def of(self, length: int) -> tuple[History, Asking]:
        if length not in self.known:
            history = self.histories.make(length)
            remembered = remembering(
                history.requests,
                settings=self.histories.settings,
                encoder=self.histories.encoder,
                budget=self.histories.budget,
            )
            self.known[length] = (history, await self.stack.enter_async_context(remembered))
        return self.known[length]


async def _ask_both(
    id_: str, history: History, hidden: Hidden, ask: Asking, *, tiers: Tiers, window_tokens: int
) -> Sample:
    try:
        memory = await ask(hidden.question, hidden.asked_at)
        raw = await ask_raw(
            history.text, hidden.question, tier=tiers.frontier or tiers.local, window_tokens=window_tokens
        )
    except CascadeFault as fault:
        return Sample(id=id_, fault=str(fault))
    answer = hidden.answer.lower()
    found = [any(fact in line or line in fact for line in memory.lines) for fact in hidden.facts]
    cell = Cell(
        length=int(id_.partition("/")[0]),
        key=id_.partition("/")[2],
        history_tokens=history.tokens,
        recall=sum(found) / len(found),
        right=answer in memory.text.lower(),
        tokens=memory.tokens,
        cached=memory.cached,
        raw_tokens=raw.tokens,
        raw_refused=bool(raw.refused),
        raw_right=answer in raw.text.lower() if raw.path == "raw" and not raw.refused else None,
    )
    value = {"cell": asdict(cell), "memory": memory.as_row(), "raw": raw.as_row()}
    return Sample(id=id_, value=value, cost_nanousd=memory.cost_nanousd + raw.cost_nanousd)


def cells_of(answers: Sequence[Sample]) -> list[Cell]:
    """Read the rows that are no errors."""
    read = TypeAdapter(Cell).validate_python
    return [read(one.value["cell"]) for one in answers if not one.fault]


def marks_of(answer: Sample) -> dict[str, float]:
    """Return evidence recall and rightness of one answer."""
    [cell] = cells_of([answer])
    return {"evidence recall": cell.recall, "right": float(cell.right)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Means over the cells of one length and group; what became of the raw prompt is counted."""

    n: int
    history_tokens: int
    evidence_recall: float
    all_facts: float
    all_facts_95: tuple[float, float]
    right: float
    context_tokens_max: int
    raw_tokens: int
    raw_right: int
    raw_wrong: int
    raw_refused: int
    raw_not_asked: int

    @classmethod
    def of(cls, cells: Sequence[Cell]) -> "Figures":
        """Compute them."""
        whole = sum(cell.recall == 1 for cell in cells)
        return cls(
            n=len(cells),
            history_tokens=max(cell.history_tokens for cell in cells),
            evidence_recall=mean(cell.recall for cell in cells),
            all_facts=whole / len(cells),
            all_facts_95=wilson(whole, len(cells)),
            right=mean(cell.right for cell in cells),
            context_tokens_max=max(cell.tokens for cell in cells),
            raw_tokens=max(cell.raw_tokens for cell in cells),
            raw_right=sum(cell.raw_right is True for cell in cells),
            raw_wrong=sum(cell.raw_right is False for cell in cells),
            raw_refused=sum(cell.raw_refused for cell in cells),
            raw_not_asked=sum(cell.raw_right is None and not cell.raw_refused for cell in cells),
        )


def by_length(cells: Sequence[Cell], groups: Mapping[str, Sequence[Cell]]) -> dict[str, Figures]:
    """Compute the figures of every length and group, by `length/group`."""
    return {
        f"{length}/{name}": Figures.of(own)
        for length in lengths_of(cells)
        for name, group in groups.items()
        if (own := [cell for cell in group if cell.length == length])
    }


def lengths_of(cells: Sequence[Cell]) -> list[int]:
    """List the lengths, the shortest first."""
    return sorted({cell.length for cell in cells})


def table_of(figures: Mapping[str, Figures], *, title: str) -> Table:
    """Lay figures out; a raw prompt that was refused, or for which there was no model, is no wrong answer."""
    table = Table(
        "tokens of history", "of", "n", "evidence recall", "all facts", "95%", "right", "context at most", "raw prompt",
        "raw: right, wrong, refused, not asked", title=title,
    )  # fmt: skip
    for key, one in figures.items():
        raw = ", ".join(str(count) for count in (one.raw_right, one.raw_wrong, one.raw_refused, one.raw_not_asked))
        table.add_row(
            f"{one.history_tokens:,}", key.partition("/")[2], str(one.n), f"{one.evidence_recall:.3f}",
            f"{one.all_facts:.3f}", bounds(*one.all_facts_95), f"{one.right:.3f}", str(one.context_tokens_max),
            f"{one.raw_tokens:,}", raw,
        )  # fmt: skip
    return table


def recall_line(name: str, cells: Sequence[Cell], at: Callable[[Cell], float]) -> Series:
    """Draw mean evidence recall over what `at` gives of a cell."""
    return Series(
        name=name,
        points=[
            (place, mean(cell.recall for cell in cells if at(cell) == place))
            for place in sorted({at(c) for c in cells})
        ],
    )


def configured_models(settings: Settings) -> dict[str, Json]:
    """Name the models that answer, with their prices and the date of those. Raises Misconfigured for a tier without them."""
    return {
        "local": _priced("local", settings.local) if settings.local else "none",
        "frontier": _priced("frontier", settings.frontier) if settings.frontier else "none",
    }


def _priced(name: Literal["local", "frontier"], configured: TierSettings) -> str:
    price = tier_price(name, configured)
    dated = f" of {price.as_of}" if price.as_of else ""
    return f"{model_name(name, configured)} at {price.rates} ({price.source}{dated})"


def notes_on_models(models: Mapping[str, Json]) -> list[str]:
    """Return what a reader must know where no model answered."""
    if any(model != "none" for model in models.values()):
        return []
    return ["No model was configured: answers are quotes (the extractive tier), and raw prompts were only counted."]
