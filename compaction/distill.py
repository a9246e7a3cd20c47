"""Distillation: choose the evidence that is worth its tokens, within a hard budget.

Standing instructions come first, up to a quarter of the budget, in their order. Then greedy selection by exact token costs:
repeatedly add the passage with the highest gain / cost ** cost_exponent that fits. The gain
is the passage's score, less a share of what the context holds of that turn already. The cost counts the line, the day's header
where it is not there yet, and the sentence before where a passage cannot be understood without. Knows nothing of how evidence
was found.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from compaction.errors import BudgetTooSmall
from compaction.readable import antecedent
from compaction.rendering import Context, Span, context_cost, day_cost, render, span_cost, year_cost
from compaction.replies import Key, key_of, short_replies
from language import Passage, analyse
from memory.model import Breadth, Evidence, TurnPk

__all__ = ["DistillOptions", "distill"]

_CONSIDERED = 40
_TOKENS_PER_CONSIDERED = 4
_STANDING_SHARE = 0.25  # of the budget, for instructions that are in force
_LEAST_OF_LINE = 4  # tokens: "[", "1", "]", and one that ends in the colon, whatever the name


@dataclass(frozen=True, slots=True, kw_only=True)
class DistillOptions:
    """What distillation prefers. Chosen with questions of LoCoMo and REALTALK in view (docs/lab.md).

    redundancy: the share of a turn's best score that its further sentences lose, since the turn is in already.
    redundancy_broad: the same where the evidence is spread over many turns, as for "which cities": where their scores add up to
    `broad` times the best one.
    cost_exponent: how much the cost counts; 0 takes the likeliest evidence at any cost, 1 the most probability a token.
    least_share: evidence below this share of the best one's score is noise, even where there is room for it.
    readable: whether a sentence that points back brings along the one before it, and a question its short reply.
    belongs: where several things or the history are asked for, what has this share of the best score and no room is lacked.
    """

    redundancy: float = 0.4
    redundancy_broad: float = 0.5
    broad: float = 2.5
    cost_exponent: float = 0.5
    least_share: float = 0.005
    readable: bool = True
    belongs: float = 0.5


def distill(
    evidence: Sequence[Evidence],
    *,
    budget: int,
    breadth: Breadth = "one",
    standing: Sequence[Evidence] = (),
    options: DistillOptions | None = None,
) -> Context:
    """Choose what of `evidence` the context of at most `budget` tokens holds.

    Args:
        evidence: what recall found, best first.
        budget: the most tokens of the context, its days and marks included.
        breadth: how much the question takes to answer. Where it is more than one fact, tokens go to other turns rather than to
            more of one.
        standing: instructions to be followed, the most fitting first: whole lines of them take up to a quarter of the budget.
        options: what is preferred; the defaults are those of the service.

    Returns:
        The context. It is not `complete` where several things or the history are asked for, and a likely turn found no room.

    Raises:
        BudgetTooSmall: not even one trimmed line fits. No evidence is no error: its context is empty.
    """
    options = options or DistillOptions()
    informative = [one for one in evidence if _says_something(one)] or list(evidence)
    likely = [one for one in informative if one.score >= options.least_share * informative[0].score]
    pool = likely[: _CONSIDERED + budget // _TOKENS_PER_CONSIDERED]
    left_out = Counter(
        {"says nothing": len(evidence) - len(informative), "too little relevance": len(informative) - len(pool)}
    )
    packing = _Packing(
        budget=budget,
        options=options,
        redundancy=_redundancy(pool, options, breadth),
        replies=short_replies(evidence) if options.readable else {},
    )
    packing.add_within(standing, int(budget * _STANDING_SHARE))
    while (best := packing.best(pool)) is not None:
        chosen = pool.pop(best)
        if packing.repeats(chosen):
            left_out["repeats a line"] += 1
        else:
            packing.add(chosen)
    left_out["no room left"] += len(pool)
    complete = breadth in ("one", "two") or not packing.lacks(pool)
    spans = _marked(packing.spans() or _one_trimmed(evidence, budget), evidence)
    context = render(spans, budget=budget, left_out=dict(+left_out), complete=complete)
    if context.tokens > budget:
        spans = [replace(span, superseded=False) for span in spans]
        context = render(spans, budget=budget, left_out=dict(+left_out), complete=complete)
    while context.tokens > budget:  # marks of four digits cost more than was counted
        spans.remove(min(spans, key=lambda span: span.score))
        context = render(spans, budget=budget, left_out=dict(+left_out), complete=complete)
    return context


def _says_something(one: Evidence) -> bool:
    """Return whether the passage itself does, whatever it hangs on: "Good luck!" under a heading does not."""
    own = analyse(one.quote, one.turn.said_at.date())
    return bool(own.terms) and not own.is_courtesy


def _redundancy(pool: Sequence[Evidence], options: DistillOptions, breadth: Breadth) -> float:
    best_of_turn: dict[TurnPk, float] = {}
    for one in pool:
        best_of_turn.setdefault(one.turn.pk, one.score)
    total = sum(best_of_turn.values())
    spread = bool(pool) and total > options.broad * pool[0].score
    return options.redundancy_broad if breadth != "one" or spread else options.redundancy


@dataclass(slots=True, kw_only=True)
class _Packing:
    """The spans chosen so far, by turn, and what they cost."""

    budget: int
    options: DistillOptions
    redundancy: float
    replies: Mapping[Key, Evidence] = field(default_factory=dict)
    used: int = 0
    by_turn: dict[TurnPk, list[Span]] = field(default_factory=dict)
    days: set[date] = field(default_factory=set)
    years: set[int] = field(default_factory=set)
    said: set[tuple[date, str, tuple[str, ...]]] = field(default_factory=set)
    costs: dict[Key, int] = field(default_factory=dict)
    bounds: dict[Key, tuple[int, float]] = field(default_factory=dict)
    antecedents: dict[Key, Passage | None] = field(default_factory=dict)

    def spans(self) -> list[Span]:
        return [span for spans in self.by_turn.values() for span in spans]

    def best(self, pool: Sequence[Evidence]) -> int | None:
        """Return the place of the passage with the highest value for its cost; None if none fits."""
        best, most = None, (float("-inf"), 0.0, 0)
        bounds = enumerate(map(self.bound, pool))
        at_most = {place: value for place, (least, value) in bounds if self.used + least <= self.budget}
        for place in sorted(at_most, key=lambda place: -at_most[place]):
            if at_most[place] < most[0]:
                break  # counting tokens takes longest, and what is left is worth less, since a gain is never negative
            tokens = self.cost(pool[place])
            found = (self.value(pool[place], tokens), self.gain(pool[place]), -place)
            if found > most and self.used + tokens <= self.budget:
                best, most = place, found
        return best

    def bound(self, candidate: Evidence) -> tuple[int, float]:
        """Return the least that the passage costs, and its value at that cost: the most it can be worth for now."""
        key = key_of(candidate)
        if key not in self.bounds:
            least = self.least_cost(candidate)
            self.bounds[key] = least, self.value(candidate, least)
        return self.bounds[key]

    def value(self, candidate: Evidence, cost: int) -> float:
        return self.gain(candidate) / math.pow(max(cost, 1), self.options.cost_exponent)

    def least_cost(self, candidate: Evidence) -> int:
        """Return, without counting tokens, the least that the passage costs: no token holds two words of a printed line."""
        if candidate.turn.pk in self.by_turn:
            return 0  # it may join two lines into one
        return _LEAST_OF_LINE + len(candidate.quote.split())

    def gain(self, candidate: Evidence) -> float:
        known = self.by_turn.get(candidate.turn.pk)
        if not known:
            return candidate.score
        return max(candidate.score - self.redundancy * max(span.score for span in known), 0.0)

    def cost(self, candidate: Evidence) -> int:
        """Count the tokens that the passage adds: its line, or what it adds to its turn's; what comes along; headers of days."""
        key = key_of(candidate)
        if key not in self.costs:
            own = self.by_turn.get(candidate.turn.pk, [])
            self.costs[key] = sum(map(span_cost, self.joined(candidate))) - sum(map(span_cost, own))
        together = [candidate, *self.along(candidate)]
        days = {one.turn.said_at.date() for one in together} - self.days
        years = {day.year: day for day in days if day.year not in self.years}
        lines = self.costs[key] + sum(span_cost(_span(one)) for one in together[1:])
        return lines + sum(map(day_cost, days)) + sum(map(year_cost, years.values()))

    def along(self, candidate: Evidence) -> list[Evidence]:
        """Return the question of a short reply, or the short reply of a question, where it is not in yet."""
        other = self.replies.get(key_of(candidate))
        return [other] if other and other.turn.pk not in self.by_turn else []

    def joined(self, candidate: Evidence) -> list[Span]:
        """Return the spans of the passage's turn with it, and with what it cannot be understood without."""
        spans = _merge(_span(candidate), self.by_turn.get(candidate.turn.pk, []))
        before = self.antecedent(candidate) if self.options.readable else None
        if before is None:
            return spans
        return _merge(replace(_span(candidate), start=before.start, end=before.end, score=0.0), spans)

    def antecedent(self, candidate: Evidence) -> Passage | None:
        key = key_of(candidate)
        if key not in self.antecedents:
            self.antecedents[key] = antecedent(candidate.turn.text, candidate.passage)
        return self.antecedents[key]

    def lacks(self, pool: Sequence[Evidence]) -> bool:
        """Return whether what found no room is of other turns and likely: by a share of the best score that is in."""
        best = max((span.score for span in self.spans()), default=0.0)
        return any(one.turn.pk not in self.by_turn and one.score >= self.options.belongs * best for one in pool)

    def add_within(self, candidates: Sequence[Evidence], share: int) -> None:
        """Take in, in their order, those that fit into `share` tokens together and repeat nothing."""
        for candidate in candidates:
            if self.used + self.least_cost(candidate) > share or self.repeats(candidate):
                continue
            if self.used + self.cost(candidate) <= share:
                self.add(candidate)

    def repeats(self, candidate: Evidence) -> bool:
        return _statement(candidate) in self.said

    def add(self, candidate: Evidence) -> None:
        """Take the passage in, and what comes along; a passage next to one of the same turn joins its line."""
        self.used += self.cost(candidate)
        lines = [(candidate, self.joined(candidate))] + [(one, [_span(one)]) for one in self.along(candidate)]
        for one, spans in lines:
            turn, day = one.turn, one.turn.said_at.date()
            self.by_turn[turn.pk] = spans
            self.days.add(day)
            self.years.add(day.year)
            self.said.add(_statement(one))
            self.costs = {key: cost for key, cost in self.costs.items() if key[0] != turn.pk}
            self.bounds = {key: bound for key, bound in self.bounds.items() if key[0] != turn.pk}


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


def _statement(candidate: Evidence) -> tuple[date, str, tuple[str, ...]]:
    """Return the duplicate key (day, speaker, words). The same words on another day describe another event."""
    said = candidate.analysed.words or (candidate.quote,)
    return candidate.turn.said_at.date(), candidate.turn.name, said


def _span(candidate: Evidence) -> Span:
    passage = candidate.passage
    return Span(
        turn=candidate.turn,
        start=passage.start,
        end=passage.end,
        score=candidate.score,
        trimmed=candidate.trimmed,
    )


def _merge(new: Span, spans: Sequence[Span]) -> list[Span]:
    """Add a span to those of its turn; stretches that overlap or have only white space between them become one."""
    merged: list[Span] = []
    for span in sorted([*spans, new], key=lambda s: s.start):
        if merged and not span.turn.text[merged[-1].end : span.start].strip():
            last = merged.pop()
            end, score = max(last.end, span.end), max(last.score, span.score)
            trimmed = span.trimmed if span.end >= last.end else last.trimmed
            span = replace(span, start=last.start, end=end, score=score, trimmed=trimmed)  # noqa: PLW2901
        merged.append(span)
    return merged


def _one_trimmed(evidence: Sequence[Evidence], budget: int) -> list[Span]:
    """Cut the best passage that can be cut to fit; for evidence whose every passage is too long."""
    if not evidence:
        return []
    shortest = budget
    for candidate in evidence:
        least = _cut(candidate, candidate.passage.start + 1)
        needed = context_cost([least])
        if needed <= budget:
            return [_longest_cut(candidate, budget)]
        shortest = min(shortest, needed) if shortest > budget else needed
    raise BudgetTooSmall(budget=budget, needed=shortest)


def _longest_cut(candidate: Evidence, budget: int) -> Span:
    """Return the longest cut that fits, at a word's end if one does."""
    text, start = candidate.turn.text, candidate.passage.start
    low, high = start + 1, candidate.passage.end - 1
    while low < high:
        middle = (low + high + 1) // 2
        if context_cost([_cut(candidate, middle)]) <= budget:
            low = middle
        else:
            high = middle - 1
    word_end = text.rfind(" ", start, low + 1)
    at_word = _cut(candidate, word_end) if word_end > start else _cut(candidate, low)
    return at_word if context_cost([at_word]) <= budget else _cut(candidate, low)


def _cut(candidate: Evidence, end: int) -> Span:
    return replace(_span(candidate), end=end, trimmed=True)
