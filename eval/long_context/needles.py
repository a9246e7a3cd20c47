"""Needles in a haystack, one fact or a chain of up to four, at every depth, to a million tokens; by memory and by raw prompt.

After Kamradt's pressure test (2023), with chains as in RULER's variable tracking: each fact names the next one's subject and
nothing else ties them together, so the last cannot be found by the question's words. All chains of a length lie in one history,
each among the others', which say the same of other names. Evidence recall needs no model; an answer is right if it holds the code.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, dataclass

from pydantic import Field

from compaction.tokens import count_tokens
from eval.harness.answer_paths import USUAL_WINDOW
from eval.harness.benchmark import Benchmark, Budget, Options, Sample, Seed, Work
from eval.harness.report import Chart, Json, Report, Series
from eval.long_context.haystack import Haystack, Hidden, History, as_requests, bury, paragraphs
from eval.long_context.hidden_facts import (
    Cell,
    Histories,
    Lengths,
    RawWindow,
    asking_histories,
    by_length,
    cells_of,
    configured_models,
    lengths_of,
    marks_of,
    notes_on_models,
    recall_line,
    table_of,
)

__all__ = ["HOPS", "LENGTHS", "NeedleOptions", "Needles", "chains"]

LENGTHS = (1_000, 10_000, 100_000, 1_000_000)
HOPS = (1, 2, 3, 4)
DEPTHS = (0.0, 0.25, 0.5, 0.75, 1.0)
_SPREAD = 0.37  # how far the next fact of a chain lies from the last, as a share of the history
_SYLLABLES = "ba ca do fe gri hu jo ka lu mo ne pra qui ro sa tre vu wi yo zan".split()
_THINGS = (
    "silver casket|green trunk|old globe|iron chest|red satchel|carved mask|glass lantern|copper drum|tin whistle|velvet hat"
).split("|")


def chains(seed: int, wanted: Sequence[tuple[int, float]]) -> list[Hidden]:
    """Make a chain for each number of hops and depth; every name and code in them is used once."""
    chance = random.Random(seed)  # noqa: S311 - the same needles for the same seed
    names = _names(chance)
    return [_chain(hops, chance, names, number) for number, (hops, _) in enumerate(wanted)]


def _chain(hops: int, chance: random.Random, names: Iterator[str], number: int) -> Hidden:
    thing = f"{_THINGS[number % len(_THINGS)]} of {next(names)}"
    code = f"{chance.randrange(1_000, 10_000)}-{chance.choice('ABCDEFGH')}{chance.choice('KLMNPQRS')}"
    keeper, town, depot = next(names), next(names), next(names)
    links = [
        f"The {thing} is looked after by {keeper}.",
        f"{keeper} rents a room in {town}.",
        f"{town} gets its parcels from the depot at {depot}.",
    ][: hops - 1]
    last = (f"the {thing}", keeper, town, depot)[hops - 1]
    asked = (
        f"the {thing}",
        f"whoever looks after the {thing}",
        f"the town where whoever looks after the {thing} rents a room",
        f"the depot that sends parcels to the town where whoever looks after the {thing} rents a room",
    )[hops - 1]
    facts = (*links, f"The access code of {last} is {code}.")
    return Hidden(question=f"What is the access code of {asked}?", facts=facts, answer=code)


def _names(chance: random.Random) -> Iterator[str]:
    used: set[str] = set()
    while True:
        name = "".join(chance.choice(_SYLLABLES) for _ in range(chance.choice((3, 4)))).capitalize()
        if name not in used:
            used.add(name)
            yield name


class NeedleOptions(Options):
    """Which needles are hidden, and where. `depths` are of a chain's first fact: 0 is the beginning, 1 the end."""

    lengths: Lengths = LENGTHS
    hops: tuple[int, ...] = Field(default=HOPS, description="facts from question to answer")
    depths: tuple[float, ...] = Field(
        default=DEPTHS, description="where the first fact lies: 0 at the beginning, 1 at the end"
    )
    budget: Budget = 165
    seed: Seed = 1
    haystack: Haystack = None
    raw_window: RawWindow = USUAL_WINDOW


@dataclass(frozen=True, kw_only=True)
class Needles(Benchmark[NeedleOptions]):
    """The benchmark. Sample ids are `length/hops/depth`."""

    @property
    def models(self) -> dict[str, Json]:
        """Who answers."""
        return configured_models(self.settings)

    def ids(self) -> list[str]:
        """Name the cells."""
        asked = self.options
        return [f"{length}/{hops}/{depth}" for length in asked.lengths for hops in asked.hops for depth in asked.depths]

    def answering(self, wanted: Sequence[str]) -> AbstractAsyncContextManager[Work]:  # noqa: ARG002 - histories open when asked
        """Remember each length's history once and ask it for every cell."""
        return asking_histories(
            Histories(
                make=self.history,
                settings=self.settings,
                encoder=self.encoder,
                budget=self.options.budget,
                raw_window=self.options.raw_window,
            )
        )

    def history(self, length: int) -> History:
        """Make the history of `length` tokens, with every chain in it. Raises Unusable if they do not fit."""
        cells = [(hops, depth) for hops in self.options.hops for depth in self.options.depths]
        made = chains(self.options.seed, cells)
        things = [
            ((depth + number * _SPREAD) % 1.0001, fact)
            for (_, depth), chain in zip(cells, made, strict=True)
            for number, fact in enumerate(chain.facts)
        ]
        texts = bury(things, tokens=length, filler=paragraphs(self.options.seed, self.options.haystack))
        text = "\n".join(texts)
        hidden = {f"{hops}/{depth}": chain for (hops, depth), chain in zip(cells, made, strict=True)}
        return History(requests=tuple(as_requests(texts)), text=text, tokens=count_tokens(text), hidden=hidden)

    def marks(self, answer: Sample, score: Sample | None) -> dict[str, float]:  # noqa: ARG002 - nothing is scored later
        """Return evidence recall, and whether the answer is right."""
        return marks_of(answer)

    def report(self, answers: Sequence[Sample], scores: Mapping[str, Sample]) -> Report:  # noqa: ARG002 - nothing is scored
        """Return recall and accuracy by length and hops, and where the raw prompt is refused."""
        cells = cells_of(answers)
        groups = {
            f"{hops} hop{'s' if hops > 1 else ''}": [cell for cell in cells if cell.key.startswith(f"{hops}/")]
            for hops in self.options.hops
        }
        found = by_length(cells, groups)
        lengths = {
            f"{length:,} tokens": [cell for cell in cells if cell.length == length] for length in lengths_of(cells)
        }
        context = Series(
            name="context", points=[(one.history_tokens, one.context_tokens_max) for one in found.values()]
        )
        return Report(
            title=f"Needles in a haystack, budget {self.options.budget}",
            figures={
                "cells": {key: asdict(one) for key, one in found.items()},
                "errors": sum(bool(one.fault) for one in answers),
                "cache_hits": sum(cell.cached for cell in cells),
            },
            tables=[table_of(found, title=f"{len(cells)} needles and chains, each unique")],
            charts=[
                Chart(
                    title="Evidence recall by length",
                    x="tokens of history",
                    y="evidence recall",
                    log_x=True,
                    lines=[recall_line(name, own, lambda cell: cell.length) for name, own in groups.items()],
                ),
                Chart(
                    title="Evidence recall by depth",
                    x="depth of the first fact",
                    y="evidence recall",
                    lines=[recall_line(name, own, _depth) for name, own in lengths.items()],
                ),
                Chart(title="Context tokens by length", x="tokens of history", y="tokens", log_x=True, lines=[context]),
            ],
            notes=notes_on_models(self.models),
        )


def _depth(cell: Cell) -> float:
    return float(cell.key.partition("/")[2])
