"""Distillation: the evidence that is worth its tokens, within a hard budget.

Picks passages one by one: always the one whose score, less what it repeats and plus what a shared day header saves, is highest
among those that still fit. Token costs are exact. Knows nothing of how evidence was found.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from compaction.errors import BudgetTooSmall
from compaction.rendering import Context, Span, cost, header_cost, render, span_cost
from memory.turns import Evidence, TurnPk
from memory.words import content_terms

__all__ = ["Taste", "distill"]

_CONSIDERED = 40
_TOKENS_PER_CONSIDERED = 4
_SHORTEST_LINE_TOKENS = 7  # a mark, a name, a colon, a word and the line break


@dataclass(frozen=True, slots=True, kw_only=True)
class Taste:
    """What distillation prefers, in units of evidence score. Fitted on conversations of LoCoMo (docs/lab.md).

    least_share: evidence below this share of the best one's score is noise, even where there is room for it.
    same_turn: taken off a further sentence of a turn that is in already. same_day: added where the day's header is paid for.
    """

    least_share: float = 0.5
    same_turn: float = 0.4
    same_day: float = 0.085


def distill(evidence: Sequence[Evidence], *, budget: int, taste: Taste | None = None) -> Context:
    """Choose what of `evidence` (best first) the context of at most `budget` tokens holds.

    Raises:
        BudgetTooSmall: not even one trimmed line fits. No evidence is no error: its context is empty.
    """
    taste = taste or Taste()
    pool = _worth_considering(evidence, budget, taste)
    packing = _Packing(budget=budget)
    left_out: Counter[str] = Counter()
    if len(evidence) > len(pool):
        left_out["too little relevance"] = len(evidence) - len(pool)
    while pool and packing.used + _SHORTEST_LINE_TOKENS <= budget:
        best = max(range(len(pool)), key=lambda i: packing.worth(pool[i], taste))
        candidate = pool.pop(best)
        if packing.repeats(candidate):
            left_out["repeats a line"] += 1
        elif not packing.add(candidate):
            left_out["no room left"] += 1
    if pool:
        left_out["no room left"] += len(pool)
    context = render(packing.spans() or _one_trimmed(evidence, budget), budget=budget, left_out=dict(left_out))
    while context.tokens > budget:  # marks of four digits are the one thing that costs more than was reckoned
        weakest = min(packing.spans(), key=lambda span: span.score)
        packing.drop(weakest)
        context = render(packing.spans(), budget=budget, left_out=dict(left_out))
    return context


def _worth_considering(evidence: Sequence[Evidence], budget: int, taste: Taste) -> list[Evidence]:
    nearest = evidence[: _CONSIDERED + budget // _TOKENS_PER_CONSIDERED]
    if not nearest or nearest[0].score <= 0:
        return list(nearest)
    return [one for one in nearest if one.score >= taste.least_share * nearest[0].score]


@dataclass(slots=True, kw_only=True)
class _Packing:
    """The spans chosen so far, by turn, and what they cost."""

    budget: int
    used: int = 0
    by_turn: dict[TurnPk, list[Span]] = field(default_factory=dict)
    days: set[date] = field(default_factory=set)
    told: set[tuple[date, frozenset[str]]] = field(default_factory=set)

    def spans(self) -> list[Span]:
        return [span for spans in self.by_turn.values() for span in spans]

    def worth(self, candidate: Evidence, taste: Taste) -> float:
        worth = candidate.score
        if candidate.turn.pk in self.by_turn:
            worth -= taste.same_turn
        elif candidate.turn.said_at.date() in self.days:
            worth += taste.same_day
        return worth

    def repeats(self, candidate: Evidence) -> bool:
        return _telling(candidate) in self.told

    def add(self, candidate: Evidence) -> bool:
        """Take the passage in if it fits; a passage next to one of the same turn joins its line."""
        own = self.by_turn.get(candidate.turn.pk, [])
        merged = _merge(candidate, own)
        price = sum(map(span_cost, merged)) - sum(map(span_cost, own))
        day = candidate.turn.said_at.date()
        if day not in self.days:
            price += header_cost(day)
        if self.used + price > self.budget:
            return False
        self.used += price
        self.by_turn[candidate.turn.pk] = merged
        self.days.add(day)
        self.told.add(_telling(candidate))
        return True

    def drop(self, span: Span) -> None:
        self.by_turn[span.turn.pk].remove(span)


def _telling(candidate: Evidence) -> tuple[date, frozenset[str]]:
    """What a passage tells: its words, and its day, since the same words on another day may tell of another event."""
    return candidate.turn.said_at.date(), frozenset(content_terms(candidate.quote)) or frozenset((candidate.quote,))


def _merge(candidate: Evidence, spans: Sequence[Span]) -> list[Span]:
    """Add a passage to the spans of its turn; stretches with only white space between them become one."""
    new = Span(turn=candidate.turn, start=candidate.passage.start, end=candidate.passage.end, score=candidate.score)
    merged: list[Span] = []
    for span in sorted([*spans, new], key=lambda s: s.start):
        if merged and not candidate.turn.text[merged[-1].end : span.start].strip():
            last = merged.pop()
            span = Span(turn=span.turn, start=last.start, end=span.end, score=max(last.score, span.score))  # noqa: PLW2901
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
    return Span(turn=candidate.turn, start=candidate.passage.start, end=end, score=candidate.score, trimmed=True)
