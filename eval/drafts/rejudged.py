"""Labelled drafts judged again by the score as it is now: what the cascade without repair makes of them, at any threshold.

Rows hold every guard's verdict and every feature of a draft, so no model and no text is needed. The steps are those of
`cascade.engine` with two tiers: the cheap model's draft is served if every guard passes it, else that of the model above, else
nothing is, or the better draft unverified. A wider context is not drawn up; where a cascade would ask for one, this one abstains.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from cascade.decision import Status
from cascade.guards.correctness import Score
from cascade.guards.gate import does_worse
from eval.answers.rows import Row, Spent
from eval.drafts.labelled import Labelled

__all__ = ["REJUDGED", "rejudged"]

REJUDGED = "no-repair"
_TIERS = ("local", "frontier")


def rejudged(
    rows: Sequence[Labelled], models: Sequence[str], score: Score, threshold: float, *, unverified: bool = False
) -> list[Row]:
    """Return what a cascade of these models, the cheap one first, makes of every question that each of them answered first.

    Args:
        rows: Labelled drafts.
        models: The names of the cheap model and of the one above.
        score: How likely a draft is right.
        threshold: The least probability that is served.
        unverified: Where no draft passes, serve the one that the gate prefers, as the policy `unverified=serve` does.
    """
    by_question: dict[str, dict[str, Labelled]] = defaultdict(dict)
    for row in rows:
        if row.path == "first":
            by_question[row.question][row.model] = row
    return [
        _served([drafts[model] for model in models], score, threshold, unverified=unverified)
        for drafts in by_question.values()
        if all(model in drafts for model in models)
    ]


def _served(drafts: Sequence[Labelled], score: Score, threshold: float, *, unverified: bool) -> Row:
    if any(draft.statuses["answerability"] != "pass" for draft in drafts if not draft.abstains):
        return _row(drafts[0], [], abstained=True)  # too little is remembered: no model is asked
    for place, draft in enumerate(drafts, 1):
        if _passes(draft, score, threshold):
            return _row(draft, drafts[:place], abstained=False)
    if unverified:
        best = _preferred(drafts, score, threshold)
        return replace(_row(best, drafts, abstained=best.abstains), verified=False)
    return _row(drafts[0], drafts, abstained=True)


def _preferred(drafts: Sequence[Labelled], score: Score, threshold: float) -> Labelled:
    """Return the draft that the gate prefers: a later one that does at least as well with every guard, else the earlier."""
    best, *later = drafts
    for draft in later:
        worse = does_worse(_statuses(draft, score, threshold), _statuses(best, score, threshold))
        best = best if worse else draft
    return best


def _passes(draft: Labelled, score: Score, threshold: float) -> bool:
    """Return whether every guard passes a draft; none passes an abstention, which leaves the next model to try."""
    return all(status == "pass" for status in _statuses(draft, score, threshold).values())


def _statuses(draft: Labelled, score: Score, threshold: float) -> dict[str, Status]:
    """Return what each guard says, the one over correctness among them."""
    likely = score.probability(draft.features) if draft.features else 0.0
    return {**draft.statuses, "correctness": "pass" if likely >= threshold else "fail"}


def _row(draft: Labelled, asked: Sequence[Labelled], *, abstained: bool) -> Row:
    right = draft.right if not abstained else not draft.answerable
    return Row(
        system=REJUDGED,
        question=draft.question,
        kind=draft.kind,
        answerable=draft.answerable,
        excluded=False,
        answer="",
        path="abstain" if abstained else _TIERS[len(asked) - 1],
        cached=False,
        abstained=abstained,
        verified=not abstained,
        f1=float(right) if abstained else draft.f1,
        contained=draft.contained and not abstained,
        right=right,
        context_tokens=0,
        seconds=sum(one.seconds for one in asked),
        cost_nanousd=0,
        spent=_spent(asked),
    )


def _spent(asked: Sequence[Labelled]) -> Mapping[str, Spent]:
    return {
        tier: Spent(
            calls=1, prompt_tokens=one.prompt_tokens, completion_tokens=one.completion_tokens, seconds=one.seconds
        )
        for tier, one in zip(_TIERS, asked, strict=False)
    }
