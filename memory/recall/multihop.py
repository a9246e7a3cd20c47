"""Multi-hop expansion: look up rare names found in the best evidence, because the question cannot contain them.

"The casket is looked after by Tressik." answers nothing about where its keeper lives, but names who to look for next. A name is a
lead if it is rare (few turns hold it) and new (the question does not say it); the turns that hold it join the evidence right behind
the one that named it. A deterministic form of multi-hop retrieval by bridge entities (Yang et al., HotpotQA, EMNLP 2018).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from language import Analysed, analyse
from language.words import content_terms, words
from memory.model import Evidence, Recollection
from memory.recall.question import Question

__all__ = ["HOPS", "Lead", "add_trail", "leads_of", "steps_of", "trailheads"]

HOPS = 3
_HOLDERS_AT_MOST = 3  # turns that hold a name before it stops being rare
_HEADS = 2
_LEADS_AT_MOST = 3  # names in one passage
_CLOSE = 0.99  # a found turn stands this close behind the one that led to it
_LEAST_CHARS = 3  # of a name


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """A name to look for, as a term of the index, and the evidence that named it."""

    term: str
    named_by: Evidence


def trailheads(found: Recollection, question: Question, speakers: Sequence[str]) -> list[Evidence]:
    """Return the evidence that a trail may start from: what says a rare name of the question's; none if there is no such name.

    What says it is as strong as the best there is, however the rest of it is worded.
    """
    asked = {name.lower() for name in _names(analyse(question.topic)) if content_terms(name)}
    said = asked - {word for speaker in speakers for word in words(speaker)}
    holders: dict[str, list[Evidence]] = {}
    for one in found.evidence:
        for name in {name.lower() for name in _names(one.analysed)} & said:
            holders.setdefault(name, []).append(one)
    rare = [one for own in holders.values() if len(own) <= _HOLDERS_AT_MOST for one in own]
    return [replace(one, score=found.evidence[0].score) for one in rare[:_HEADS]]


def leads_of(evidence: Iterable[Evidence], question: Question, speakers: Sequence[str]) -> list[Lead]:
    """Return the names in these passages that the question does not say and no speaker has.

    A passage that drops many names is a list, and leads nowhere in particular.
    """
    known = set(question.words) | {word for speaker in speakers for word in words(speaker)}
    leads: dict[str, Lead] = {}
    for one in evidence:
        names = [name for name in _names(one.analysed) if name.lower() not in known]
        terms = dict.fromkeys(term for name in names for term in content_terms(name) if term not in question.terms)
        if len(terms) <= _LEADS_AT_MOST:
            leads |= {term: Lead(term=term, named_by=one) for term in terms if term not in leads}
    return list(leads.values())


def steps_of(lead: Lead, pieces: Sequence[Evidence]) -> list[tuple[Evidence, Evidence]]:
    """Return those pieces that hold the lead's name, each with the evidence that named it; none if too many turns hold it."""
    own = [piece for piece in pieces if piece.turn.pk != lead.named_by.turn.pk and lead.term in piece.analysed.terms]
    if len({piece.turn.pk for piece in own}) > _HOLDERS_AT_MOST:
        return []
    return [(lead.named_by, piece) for piece in own]


def add_trail(found: Recollection, trail: Sequence[tuple[Evidence, Evidence]]) -> Recollection:
    """Put each followed piece of evidence right behind the one that led to it, or leave it where it stands if that is better."""
    scores: dict[tuple[int, int], float] = {}
    pieces = {(one.turn.pk, one.passage.start): one for one in found.evidence}
    for leader, piece in trail:
        key = (piece.turn.pk, piece.passage.start)
        start = (leader.turn.pk, leader.passage.start)
        leading = scores.setdefault(start, leader.score)
        pieces.setdefault(start, leader)
        pieces.setdefault(key, piece)
        scores[key] = max(pieces[key].score, leading * _CLOSE)
    evidence = [replace(one, score=scores[key]) if key in scores else one for key, one in pieces.items()]
    return replace(found, evidence=tuple(sorted(evidence, key=lambda one: -one.score)))


def _names(said: Analysed) -> list[str]:
    """Return the names of a text that are long enough to look for."""
    return [name.text for name in said.names if not name.common and len(name.text) >= _LEAST_CHARS]
