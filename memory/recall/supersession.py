"""Which of a speaker's statements replace one another: "I live in Berlin", then "I live in Paris now".

Rules on wording, for precision: two statements of one speaker about one subject that give different numbers, or whose later
one says that something changed. What happened on a day stays true, so a dated statement is never superseded.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from language import Analysed
from language.numbers import NUMBER_WORDS
from language.words import stems
from memory.model import Evidence, TurnPk

__all__ = ["newest_first"]

_LEADING = 24  # evidence below is hardly ever chosen
_SHARED_TERMS = 2
_SUBJECT_OVERLAP = 0.6
_COUNTED = NUMBER_WORDS.keys() - {"once", "twice"}  # which say how often, and no value
_CHANGE = frozenset("now currently anymore switched changed instead moved longer lately".split())


@dataclass(frozen=True, slots=True)
class _Statement:
    """What a passage states: its subject as terms and as plain words, its values, and whether something changed."""

    subject: frozenset[str]
    wording: frozenset[str]
    numbers: frozenset[str]
    names: frozenset[str]
    changes: bool

    @property
    def gives_a_value(self) -> bool:
        """Whether it may replace another statement at all."""
        return self.changes or bool(self.numbers)


def newest_first(evidence: Sequence[Evidence]) -> list[Evidence]:
    """Put, among the leading evidence (best first), each statement that replaces an older one before it, and mark the older."""
    ranked = list(evidence[:_LEADING])
    statements = [_read(one.analysed) for one in ranked]
    said_at = [one.turn.said_at for one in ranked]
    for first, second in combinations(range(len(ranked)), 2):
        older, newer = (first, second) if said_at[first] <= said_at[second] else (second, first)
        if statements[newer].gives_a_value and _replaces(
            ranked[older], statements[older], ranked[newer], statements[newer]
        ):
            best, least = sorted((ranked[older].score, ranked[newer].score), reverse=True)
            ranked[newer] = replace(ranked[newer], score=best)
            ranked[older] = replace(ranked[older], score=least, superseded_by=_place(ranked[newer]))
    ranked.sort(key=lambda one: (-one.score, one.superseded_by is not None))
    return [*ranked, *evidence[_LEADING:]]


def _replaces(older: Evidence, old: _Statement, newer: Evidence, new: _Statement) -> bool:
    # Two numbers about two names are two facts: "the code of the blue door", "the code of the red one".
    other_value = new.changes or (_differ(old.numbers, new.numbers) and old.names == new.names)
    if not other_value or older.superseded_by is not None:
        return False
    same_speaker = older.turn.name == newer.turn.name and older.turn.said_at.date() < newer.turn.said_at.date()
    a_person = older.turn.role == "user" or older.turn.speaker is not None
    return same_speaker and a_person and _same_subject(old, new) and _is_state(older) and not newer.analysed.asks


def _same_subject(old: _Statement, new: _Statement) -> bool:
    shared = old.subject & new.subject
    smaller = min(len(old.subject), len(new.subject)) or 1
    if len(shared) >= _SHARED_TERMS and len(shared) / smaller >= _SUBJECT_OVERLAP:
        return True
    return bool(shared) and len(old.wording & new.wording) / len(old.wording | new.wording) >= _SUBJECT_OVERLAP


def _differ(old: frozenset[str], new: frozenset[str]) -> bool:
    return bool(old) and bool(new) and not old & new


def _read(said: Analysed) -> _Statement:
    numbers = frozenset(word for word in said.words if word[0].isdigit() or word in _COUNTED)
    names = frozenset(name.text.lower() for name in said.names if name.inside)
    plain = said.vocabulary - numbers - names - _CHANGE
    return _Statement(
        subject=frozenset(stems(plain)),
        wording=plain,
        numbers=numbers,
        names=names,
        changes=not _CHANGE.isdisjoint(said.vocabulary),
    )


def _is_state(evidence: Evidence) -> bool:
    """Return whether a passage may tell a state: what happened on a day stays true."""
    said = evidence.analysed
    return not said.asks and all(time.implied for time in said.times)


def _place(evidence: Evidence) -> tuple[TurnPk, int]:
    return evidence.turn.pk, evidence.passage.start
