"""The tier without a model: it answers with what was said, word for word, or with the date that a line names.

Free, instant and incapable of inventing anything; it cannot combine or infer either. It says nothing where no line speaks of what
is asked about: of anything of it, of every name in the question, and of all of it where the question asks whether something is so
("Am I allergic to shellfish?") or who, what or when a thing is ("Who is my piano teacher?"). Nor does it quote a line without a
number where the question asks how much. The embedded default.
"""

import re
from collections.abc import Sequence

from cascade.claims import about_what_is_asked, terms
from cascade.model import Brief, Draft, Quote, TimeSaid
from language import analyse
from language.irregular_verbs import lemma
from language.statements import corrects

__all__ = ["ExtractiveTier"]

_WHEN = re.compile(
    r"\s*(?:when\b|(?:(?:on|in|since|by|until)\s+)?(?:what|which)\s+(?:exact\s+)?(?:date|day|week|month|year|season)\b)",
    re.IGNORECASE,
)
# Questions whose every word of content a line must hold: a yes or no, and which one a thing is.
_YES_OR_NO = re.compile(
    r"\s*(?:am|is|are|was|were|do|does|did|have|has|had|can|could|will|would|should|isn't|aren't|wasn't|don't|doesn't|didn't|haven't"
    r"|hasn't)\s",
    re.IGNORECASE,
)
_IDENTITY = re.compile(
    r"\s*(?:what|who|which|when|where)(?:\s+(?:is|are|was|were)|['\u2019]s)\s+(?:my|our|his|her|their|the|[\w-]+['\u2019]s?)\s"
    r"(?!.*\b\w+(?:ing|ed)\b)",
    re.IGNORECASE,
)
_HOW_MUCH = re.compile(r"\bhow\s+(?:many|much|old|tall|far|big|heavy|fast)\b", re.IGNORECASE)
_FIRST_PERSON = re.compile(r"\b(?:I|my|me|mine|we|our|us)\b")
_PART_END = re.compile(
    r"[;:]\s|,?\s(?:and|but|so|while)\s+(?=(?:i|we|my|our|the|he|she|it|they|that|this)\b)|\s[-\u2013\u2014]\s",
    re.IGNORECASE,
)
_ORDINAL = re.compile(r"\b(?:first|second|third|fourth|fifth|last|latest|newest|most recent|final)\b", re.IGNORECASE)
_MOST_QUOTES = 3
_FEW_WORDS = 3  # a question of more describes the thing, in words of its own
_AS_RELEVANT = 0.2  # a line of less than this share of the best one's score is not quoted beside it
_AS_RELEVANT_DATED = 0.6  # a date is given only from a line of this share of it,
_SHARED = 1 / 3  # which holds this share of the words asked about
_PREPOSITION = {"day": "On ", "weekend": "On ", "week": "In ", "month": "In ", "season": "In ", "year": "In "}
# Words of questions that say nothing of what they are about.
_GENERIC = terms(
    """name call like have take make get go want think feel kind type sort favorite favourite time times many much long often first
    last new recently currently ever use plan say tell mention describe give come happen thing things stuff start enjoy love need
    know see look find work live year month week day date season hour minute age place person people someone something anything"""
)
# What answers do not repeat: "What is my sister's job?" "She is a nurse."
_ATTRIBUTES = terms(
    """colour color job occupation profession role size price cost title number breed brand hobby nationality amount score result
    temperature capital address reason purpose style genre main focus hometown topic subject theme favourite favorite full real
    exact current actual"""
)


class ExtractiveTier:
    """Answers by quoting."""

    name = "extractive"
    model = "extractive"

    async def draft(self, brief: Brief) -> Draft | None:
        """Quote the most relevant lines, or give the one date that they name for a "when" question.

        None where there is no line, or none holds a word of what is asked about.
        """
        quotes = about_what_is_asked(brief)
        ranked: Sequence[Quote] = sorted(quotes, key=lambda quote: (analyse(quote.text).asks, -quote.score))[
            :_MOST_QUOTES
        ]
        asked = _asked_about(brief)
        ranked = _of_what_is_asked(brief, asked, ranked)
        if not ranked:
            return None
        asks_when = bool(_WHEN.match(brief.question))
        dated = _dated(ranked, asked, _ORDINAL.search(brief.question)) if asks_when else None
        if dated is not None:
            return dated
        tells_when = asks_when and ranked[0].times  # other lines would only add other dates
        quoted = ranked[:1] if tells_when else [q for q in ranked if q.score >= ranked[0].score * _AS_RELEVANT]
        headers = {(quote.turn_id, quote.header) for quote in quoted}  # which stand above their rows already
        quoted = [quote for quote in quoted if (quote.turn_id, quote.text) not in headers]
        lines = "\n".join(_quoted(quote, dated=asks_when) for quote in quoted)
        return Draft(answer=lines, citations=tuple(quote.n for quote in quoted))


def _asked_about(brief: Brief) -> frozenset[str]:
    """Return the words that say what a question is about: without the names of those who speak, who are not its subject."""
    speakers = terms(" ".join(quote.speaker for quote in brief.quotes))
    return terms(brief.question) - speakers - _GENERIC


def _of_what_is_asked(brief: Brief, asked: frozenset[str], ranked: Sequence[Quote]) -> Sequence[Quote]:
    """Return the lines that may answer: none where all lack what is asked about, or a name.

    For a yes or no, and for which one a thing is, those that hold all of what is asked about, and their corrections. A name that no
    line holds may be that of a speaker, unless the speaker asks ("my", "I").
    """
    if asked and all(asked.isdisjoint(terms(quote.text)) for quote in ranked):
        return ()
    question = brief.question
    names = {name.text for name in analyse(question).names if name.inside and not name.common}
    if _HOW_MUCH.search(question):
        ranked = _with_numbers(ranked)
    if _FIRST_PERSON.search(question) and not _lemmas(" ".join(names)) <= _told(brief.quotes):
        return ()
    wanted = asked - _ATTRIBUTES
    whole = _YES_OR_NO.match(question) or (_IDENTITY.match(question) and len(wanted) <= _FEW_WORDS)
    return _with_all(wanted, ranked) if whole else ranked


def _with_numbers(ranked: Sequence[Quote]) -> Sequence[Quote]:
    """Return the lines that have a number, and those said after one of them: "Rufus is four", "Rufus died"."""
    with_number = [quote for quote in ranked if _has_number(quote)]
    first = min((quote.said_at for quote in with_number), default=None)
    return [quote for quote in ranked if quote in with_number or (first and quote.said_at > first)]


def _has_number(quote: Quote) -> bool:
    """Whether a line has a number that is no part of a time: "ten days ago" does not say how much."""
    said = analyse(quote.text, quote.said_at.date())
    times = [range(time.start, time.end) for time in said.times]
    return any(all(number.start not in time for time in times) for number in said.numbers)


def _with_all(wanted: frozenset[str], ranked: Sequence[Quote]) -> Sequence[Quote]:
    """Return the lines that hold all of these words, and what corrects them later without saying them: "sorry, 4471#"."""
    holding = [quote for quote in ranked if wanted <= _told([quote])]
    first = min((quote.said_at for quote in holding), default=None)
    later = [quote for quote in ranked if first and quote.said_at >= first and corrects(quote.text)]
    return [quote for quote in ranked if quote in holding or quote in later]


def _told(quotes: Sequence[Quote]) -> frozenset[str]:
    return frozenset[str]().union(*(_lemmas(f"{quote.header or ''} {quote.text} {quote.speaker}") for quote in quotes))


def _lemmas(text: str) -> frozenset[str]:
    """Return the terms of a text, irregular verbs as themselves and as their infinitives."""
    said = analyse(text).words
    return terms(" ".join([*said, *map(lemma, said)]))


def _dated(ranked: Sequence[Quote], asked: frozenset[str], ordinal: re.Match[str] | None) -> Draft | None:
    """Return the date that a line names, if it names one only, and is about what is asked.

    A question for the first, the second or the last time is about that one: a line that does not count its own may tell of another.
    """
    for quote in ranked:
        if ordinal and not re.search(rf"\b{ordinal[0]}\b", quote.text, re.IGNORECASE):
            continue
        shared = len(asked & terms(quote.text)) / len(asked) if asked else 1.0
        fits = len(quote.times) == 1 and shared >= _SHARED and _is_of_it(quote, asked)
        if fits and quote.score >= ranked[0].score * _AS_RELEVANT_DATED:
            return Draft(answer=_sentence(quote.times[0]), citations=(quote.n,))
    return None


def _is_of_it(quote: Quote, asked: frozenset[str]) -> bool:
    """Whether the part of the line that speaks of what is asked tells the time, and not another part: "in 2019, and the"."""
    parts = [part for part in _PART_END.split(quote.text) if part]
    part = max(parts, key=lambda one: len(asked & terms(one)), default="")
    return len(parts) == 1 or bool(analyse(part, quote.said_at.date()).times)


def _sentence(time: TimeSaid) -> str:
    return f"{_PREPOSITION[time.grain]}{time.meaning}."


def _quoted(quote: Quote, *, dated: bool) -> str:
    """Return a line as an answer, a table's row under its header; `dated`, relative times have their day behind them."""
    said_at = quote.said_at
    text = analyse(quote.text, said_at.date()).dated_text if dated else quote.text
    if quote.header:
        text = f"{quote.header}\n{text}"
    return f'{quote.speaker} said on {said_at.day} {said_at:%B %Y}: "{text}"'
