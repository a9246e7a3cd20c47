"""What a draft and its lines say for its being right: named features, each of which means nothing alone.

What is asked is compared with the cited lines; the kind of answer asked for with the kind of the draft; whose the lines are; how
sure the model was; what earlier drafts said. What is not at hand is left out. No parse: rules over words, mostly English ones.
What was tried beside these and had no weight is in the lab log, such as the share of the answer's words in its line. That is for
the hard guards to judge.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from cascade.claims import numbers, overlap, terms, terms_and_numbers, without_facts
from cascade.guards.whose import relations, whose
from cascade.model import Brief, Draft, Quote
from language import analyse
from language.dates import blank_dates
from language.requests.kinds import kind_of

__all__ = ["FEATURES", "draft_features"]

_LEAST_LOGPROB = -5.0
_TIME_UNIT = re.compile(
    r"\b(?:second|minute|hour|day|week|month|year|decade|season|spring|summer|autumn|fall|winter|morning|evening|night|today"
    r"|yesterday|ago|since|last|next)s?\b",
    re.IGNORECASE,
)
_COUNTED = re.compile(
    r"\b(?:once|twice|several|many|few|none|no|a|an|every|daily|weekly|always|never)\b", re.IGNORECASE
)
_YES_OR_NO = re.compile(r"\W*(?:yes|no|yeah|nope|not)\b", re.IGNORECASE)
_SAME = 0.5  # overlap of two answers that say the same

# Each feature, and what more of it speaks for: 1 that the draft is right, -1 that it is wrong.
FEATURES: Mapping[str, int] = {
    "first": 1, "cited_lines": -1,
    "asked_in_line": 1, "echo": -1, "other_person": -1, "kind_differs": -1,
    "certainty": 1, "least_certainty": 1, "agrees": 1,
}  # fmt: skip


def draft_features(brief: Brief, draft: Draft, others: Sequence[Draft] = ()) -> Mapping[str, float]:
    """Return the features of a draft that are at hand: none of one that cites no line of the brief or says nothing.

    Args:
        brief: What it answers from.
        draft: The draft.
        others: Earlier drafts of the same question, of this model or another.
    """
    cited = [quote for quote in brief.quotes if quote.n in draft.citations]
    if not cited or not draft.answer:
        return {}
    view = _View(brief=brief, draft=draft, cited=cited)
    return {
        **_recalled(view),
        **_asked(view),
        "other_person": _other_person(view),
        "kind_differs": float(_fits(kind_of(brief.question), draft.answer) is False),
        **_certainty(draft),
        **_agreement(draft, others),
    }


@dataclass(frozen=True, kw_only=True)
class _View:
    """A draft, the lines that it cites, and what both say, read once."""

    brief: Brief
    draft: Draft
    cited: Sequence[Quote]

    @cached_property
    def asked(self) -> frozenset[str]:
        """The terms and numbers of the question, without the names of speakers."""
        speakers = terms(" ".join({quote.speaker for quote in self.brief.quotes}))
        return terms_and_numbers(self.brief.question) - speakers

    @cached_property
    def rarity(self) -> dict[str, float]:
        """How rare each term of the question is among the lines, in nats."""
        lines = [_said(quote) for quote in self.brief.quotes]
        return {term: math.log(1 + len(lines) / (0.5 + sum(term in line for line in lines))) for term in self.asked}

    def share(self, held: frozenset[str]) -> float:
        """Return the share of the question's terms, by rarity, that are in `held`; 0 for a question without any."""
        whole = sum(self.rarity.values())
        return sum(self.rarity[term] for term in self.asked & held) / whole if whole else 0.0


def _said(quote: Quote) -> frozenset[str]:
    return terms_and_numbers(quote.text, quote.speaker, quote.header, *(time.meaning for time in quote.times))


def _recalled(view: _View) -> dict[str, float]:
    """Where recall puts the best cited line among all. How likely it calls a line moves with recall's weights, its place hardly."""
    best = max(quote.score for quote in view.cited)
    others = [quote.score for quote in view.brief.quotes if quote not in view.cited]
    place = 1 + sum(score > best for score in others)
    return {"first": 1 / place, "cited_lines": math.log(len(view.cited))}


def _asked(view: _View) -> dict[str, float]:
    """How much of what is asked stands in the cited lines, and whether the answer only repeats it."""
    lines = frozenset[str]().union(*map(_said, view.cited))
    answer = terms(without_facts(view.draft.answer)) | {str(n) for n in numbers(view.draft.answer)}
    whole = terms_and_numbers(view.brief.question)
    return {
        "asked_in_line": view.share(lines),
        "echo": len(answer & whole) / len(answer) if answer else 0.0,
    }


def _other_person(view: _View) -> float:
    """Whether the cited lines speak of another person or relation than the question is about."""
    speakers = {quote.speaker for quote in view.brief.quotes}
    found = [whose(view.brief.question, quote, speakers) for quote in view.cited]
    return float("other" in found and "same" not in found)


def _fits(kind: str, answer: str) -> bool | None:
    """Return whether an answer is of a kind; None where its form cannot tell."""
    said = analyse(answer)
    counted = bool(numbers(blank_dates(answer)))
    timed = bool(said.dates or _TIME_UNIT.search(answer))
    fits: bool | None = None
    match kind:
        case "when":
            fits = timed or any(map(str.isdigit, answer))
        case "how_many":
            fits = counted or bool(_COUNTED.search(answer))
        case "how_long":
            fits = counted or timed
        case "who":
            fits = bool(said.names or relations(answer)) and not said.dates
        case "where" if said.names or said.dates or counted:
            fits = bool(said.names) and not said.dates
        case "whether":
            fits = bool(_YES_OR_NO.match(answer))
        case _ if said.dates and not terms(without_facts(answer)):
            fits = False  # nothing but a date
    return fits


def _certainty(draft: Draft) -> dict[str, float]:
    """How sure the model was of the answer's tokens, in nats: on average, and of the least sure one."""
    if draft.confidence is None:
        return {}
    least = draft.least_confidence if draft.least_confidence is not None else draft.confidence
    return {
        "certainty": max(_LEAST_LOGPROB, math.log(max(draft.confidence, 1e-9))),
        "least_certainty": max(_LEAST_LOGPROB, math.log(max(least, 1e-9))),
    }


def _agreement(draft: Draft, others: Sequence[Draft]) -> dict[str, float]:
    """Whether an earlier draft says the same as this one; nothing where there is none."""
    said = [one for one in others if one.answer and not one.abstains]
    return {"agrees": float(any(overlap(draft.answer, one.answer) >= _SAME for one in said))} if said else {}
