"""Distillation: the evidence that is worth its tokens, within a hard budget.

A budgeted selection by exact token prices: again and again the passage whose news, for its price, is worth most among those
that still fit. News is how likely it is the evidence asked for, less what the context tells of that turn already; the price counts
the line, the day's header where it is not paid for yet, and the sentence before where a passage cannot be understood without.
Knows nothing of how evidence was found.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from compaction.errors import BudgetTooSmall
from compaction.readable import antecedent
from compaction.rendering import Context, Span, cost, day_cost, render, span_cost, year_cost
from memory.turns import Evidence, TurnPk
from memory.words import content_terms, words

__all__ = ["Taste", "distill"]

_CONSIDERED = 40
_TOKENS_PER_CONSIDERED = 4
_LEAST_OF_LINE = 4  # tokens: "[", "1", "]", and one that ends in the colon, whatever the name


@dataclass(frozen=True, slots=True, kw_only=True)
class Taste:
    """What distillation prefers. Fitted on conversations of LoCoMo (docs/lab.md).

    told: the share of a turn's best score that its further sentences lose, since the turn is in already; told_broad: the same
    where the evidence is spread over many turns, `broad` times the best one's probability together, as for "which cities".
    thrift: how much the price counts; 0 takes the likeliest evidence at any price, 1 the most probability a token.
    least_share: evidence below this share of the best one's score is noise, even where there is room for it.
    readable: whether a sentence that points back brings along the one before it.
    """

    told: float = 0.4
    told_broad: float = 0.9
    broad: float = 2.5
    thrift: float = 0.5
    least_share: float = 0.005
    readable: bool = True


def distill(evidence: Sequence[Evidence], *, budget: int, broad: bool = False, taste: Taste | None = None) -> Context:
    """Choose what of `evidence` (best first) the context of at most `budget` tokens holds.

    `broad` says that the question takes several facts, so that tokens go to other turns rather than to more of one.

    Raises:
        BudgetTooSmall: not even one trimmed line fits. No evidence is no error: its context is empty.
    """
    taste = taste or Taste()
    telling = [one for one in evidence if content_terms(one.quote)] or list(evidence)
    likely = [one for one in telling if one.score >= taste.least_share * telling[0].score]
    pool = likely[: _CONSIDERED + budget // _TOKENS_PER_CONSIDERED]
    left_out = Counter({"says nothing": len(evidence) - len(telling), "too little relevance": len(telling) - len(pool)})
    packing = _Packing(budget=budget, taste=taste, told_share=_told_share(pool, taste, broad=broad))
    while (best := packing.best(pool)) is not None:
        chosen = pool.pop(best)
        if packing.repeats(chosen):
            left_out["repeats a line"] += 1
        else:
            packing.add(chosen)
    left_out["no room left"] += len(pool)
    spans = _marked(packing.spans() or _one_trimmed(evidence, budget), evidence)
    context = render(spans, budget=budget, left_out=dict(+left_out))
    if context.tokens > budget:
        spans = [replace(span, superseded=False) for span in spans]
        context = render(spans, budget=budget, left_out=dict(+left_out))
    while context.tokens > budget:  # marks of four digits cost more than was reckoned
        spans.remove(min(spans, key=lambda span: span.score))
        context = render(spans, budget=budget, left_out=dict(+left_out))
    return context


def _told_share(pool: Sequence[Evidence], taste: Taste, *, broad: bool) -> float:
    best_of_turn: dict[TurnPk, float] = {}
    for one in pool:
        best_of_turn.setdefault(one.turn.pk, one.score)
    total = sum(best_of_turn.values())
    spread = bool(pool) and total > taste.broad * pool[0].score
    return taste.told_broad if broad or spread else taste.told


@dataclass(slots=True, kw_only=True)
class _Packing:
    """The spans chosen so far, by turn, and what they cost."""

    budget: int
    taste: Taste
    told_share: float
    used: int = 0
    by_turn: dict[TurnPk, list[Span]] = field(default_factory=dict)
    days: set[date] = field(default_factory=set)
    years: set[int] = field(default_factory=set)
    told: set[tuple[date, str, tuple[str, ...]]] = field(default_factory=set)
    prices: dict[tuple[TurnPk, int], int] = field(default_factory=dict)
    least_prices: dict[tuple[TurnPk, int], int] = field(default_factory=dict)

    def spans(self) -> list[Span]:
        return [span for spans in self.by_turn.values() for span in spans]

    def best(self, pool: Sequence[Evidence]) -> int | None:
        """Give the place of the passage that is worth most for its price; None if none fits."""
        best, most = None, (float("-inf"), 0.0, 0)
        at_most = {
            place: self.worth(one, least)
            for place, one in enumerate(pool)
            if self.used + (least := self.least_price(one)) <= self.budget
        }
        for place in sorted(at_most, key=lambda place: -at_most[place]):
            if at_most[place] < most[0]:
                break  # counting tokens takes longest, and what is left is worth less, since news is never negative
            price = self.price(pool[place])
            found = (self.worth(pool[place], price), self.news(pool[place]), -place)
            if found > most and self.used + price <= self.budget:
                best, most = place, found
        return best

    def worth(self, candidate: Evidence, price: int) -> float:
        return self.news(candidate) / math.pow(max(price, 1), self.taste.thrift)

    def least_price(self, candidate: Evidence) -> int:
        """Say, without counting tokens, what the passage costs at the least: no token holds two words of a printed line."""
        if candidate.turn.pk in self.by_turn:
            return 0  # it may join two lines into one
        key = (candidate.turn.pk, candidate.passage.start)
        if key not in self.least_prices:
            self.least_prices[key] = _LEAST_OF_LINE + len(candidate.quote.split())
        return self.least_prices[key]

    def news(self, candidate: Evidence) -> float:
        known = self.by_turn.get(candidate.turn.pk)
        if not known:
            return candidate.score
        return max(candidate.score - self.told_share * max(span.score for span in known), 0.0)

    def price(self, candidate: Evidence) -> int:
        """Count the tokens that the passage adds: its line, or what it adds to its turn's lines, and its day's header."""
        key = (candidate.turn.pk, candidate.passage.start)
        if key not in self.prices:
            own = self.by_turn.get(candidate.turn.pk, [])
            self.prices[key] = sum(map(span_cost, self.joined(candidate))) - sum(map(span_cost, own))
        day = candidate.turn.said_at.date()
        header = 0 if day in self.days else day_cost(day)
        return self.prices[key] + header + (0 if day.year in self.years else year_cost(day))

    def joined(self, candidate: Evidence) -> list[Span]:
        """Give the spans of the passage's turn with it, and with what it cannot be understood without."""
        spans = _merge(_span(candidate), self.by_turn.get(candidate.turn.pk, []))
        before = antecedent(candidate.turn.text, candidate.passage.start) if self.taste.readable else None
        if before is None:
            return spans
        return _merge(replace(_span(candidate), start=before.start, end=before.end, score=0.0), spans)

    def repeats(self, candidate: Evidence) -> bool:
        return _telling(candidate) in self.told

    def add(self, candidate: Evidence) -> None:
        """Take the passage in; a passage next to one of the same turn joins its line."""
        turn, day = candidate.turn, candidate.turn.said_at.date()
        self.used += self.price(candidate)
        self.by_turn[turn.pk] = self.joined(candidate)
        self.days.add(day)
        self.years.add(day.year)
        self.told.add(_telling(candidate))
        self.prices = {key: price for key, price in self.prices.items() if key[0] != turn.pk}


def _marked(spans: Sequence[Span], evidence: Sequence[Evidence]) -> list[Span]:
    """Mark the lines that a later statement replaces, where that one is in the context too.

    A line with more in it than the replaced statement is left alone: the rest of it stays true.
    """
    replaced = {
        (one.turn.pk, one.passage.start, one.passage.end)
        for one in evidence
        if one.superseded_by and any(_holds(span, *one.superseded_by) for span in spans)
    }
    return [replace(span, superseded=(span.turn.pk, span.start, span.end) in replaced) for span in spans]


def _holds(span: Span, turn: TurnPk, start: int) -> bool:
    return span.turn.pk == turn and span.start <= start < span.end


def _telling(candidate: Evidence) -> tuple[date, str, tuple[str, ...]]:
    """What a passage tells: its words, of whom, and on which day, since they may tell of another event on another."""
    said = tuple(words(candidate.quote)) or (candidate.quote,)
    return candidate.turn.said_at.date(), candidate.turn.name, said


def _span(candidate: Evidence) -> Span:
    passage = candidate.passage
    return Span(turn=candidate.turn, start=passage.start, end=passage.end, score=candidate.score)


def _merge(new: Span, spans: Sequence[Span]) -> list[Span]:
    """Add a span to those of its turn; stretches that overlap or have only white space between them become one."""
    merged: list[Span] = []
    for span in sorted([*spans, new], key=lambda s: s.start):
        if merged and not span.turn.text[merged[-1].end : span.start].strip():
            last = merged.pop()
            end, score = max(last.end, span.end), max(last.score, span.score)
            span = replace(span, start=last.start, end=end, score=score)  # noqa: PLW2901
        merged.append(span)
    return merged


def _one_trimmed(evidence: Sequence[Evidence], budget: int) -> list[Span]:
    """Cut the best passage that can be cut to fit; for evidence whose every passage is too long."""
    if not evidence:
        return []
    shortest = budget
    for candidate in evidence:
        least = _cut(candidate, candidate.passage.start + 1)
        needed = cost([least])
        if needed <= budget:
            return [_longest_cut(candidate, budget)]
        shortest = min(shortest, needed) if shortest > budget else needed
    raise BudgetTooSmall(budget=budget, needed=shortest)


def _longest_cut(candidate: Evidence, budget: int) -> Span:
    """Give the longest cut that fits, at a word's end if one does."""
    text, start = candidate.turn.text, candidate.passage.start
    low, high = start + 1, candidate.passage.end - 1
    while low < high:
        middle = (low + high + 1) // 2
        if cost([_cut(candidate, middle)]) <= budget:
            low = middle
        else:
            high = middle - 1
    word_end = text.rfind(" ", start, low + 1)
    at_word = _cut(candidate, word_end) if word_end > start else _cut(candidate, low)
    return at_word if cost([at_word]) <= budget else _cut(candidate, low)


def _cut(candidate: Evidence, end: int) -> Span:
    return replace(_span(candidate), end=end, trimmed=True)
