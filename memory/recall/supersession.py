"""Which of a speaker's statements replace one another: "I live in Berlin", then "I live in Paris now".

Three kinds of saying differ (`language.statements`). *States* hold until something changes; *events* stay true for good; a
*correction* takes back a value said a moment ago. So a state is replaced by a later change of the same thing ("I quit Brightwell",
"the standup moved to 10:15", "Rufus died"), by the opposite liking, or by the same state with another value; what happened is never
replaced by what happened another time. The newer comes first where it is certain or likely. The older is marked, which is a claim,
only where it is certain and its line says nothing besides.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import product

from language import Analysed
from language.dates import WEEKDAYS
from language.names import inside_names
from language.numbers import number_words
from language.statements import HOME_MOVES, WORK_MOVES, Statement, corrects
from language.words import stems
from memory.model import Evidence, Turn
from memory.recall.replacement import is_replaceable, may_replace, replaces

__all__ = ["newest_first"]

_LEADING = 24  # evidence below is hardly ever chosen
_CORRECTED_WITHIN = 6  # turns
_SHORT_CHARS = 80  # a message that is a correction as a whole
_FEW_WORDS = 8  # a correction that need not say of what
_WEEKDAYS = frozenset(WEEKDAYS)
_ENDS_UNNAMED = HOME_MOVES | WORK_MOVES | {"turned"}  # "moved to Oslo" names nothing of "I live in Bergen"
_CORRECTING = frozenset(
    stems("meant mean sorry actually wait correction scratch typo mistake wrong swapped digits make oops".split())
)


@dataclass(frozen=True, slots=True)
class _Said:
    """A passage as the comparison needs it: `place` is its rank, `when` orders it in time.

    Its clauses are read when they are asked for, which takes longer than all else here: most passages have nothing in common with
    what leads, and are never asked.
    """

    place: int
    turn: Turn
    when: tuple[datetime, int, int, int]
    said: Analysed
    terms: frozenset[str]

    @property
    def held(self) -> tuple[Statement, ...]:
        """What it says that can be replaced: most clauses cannot."""
        return tuple(filter(is_replaceable, self.said.statements))

    @property
    def replacing(self) -> tuple[Statement, ...]:
        """What it says that can replace something."""
        return tuple(filter(may_replace, self.said.statements))

    @property
    def ends_unnamed(self) -> bool:
        """Whether it may end what it does not name."""
        return not _ENDS_UNNAMED.isdisjoint(self.said.vocabulary)

    def soon_after(self, older: "_Said") -> bool:
        if self.turn.session_pk != older.turn.session_pk:
            return False
        return 0 < self.turn.position - older.turn.position <= _CORRECTED_WITHIN

    @property
    def is_correction(self) -> bool:
        """Whether the whole turn corrects."""
        return len(self.turn.text) <= _SHORT_CHARS and corrects(self.turn.text)


def newest_first(evidence: Sequence[Evidence]) -> list[Evidence]:
    """Put each statement that replaces one of the leading evidence (best first) before it, and mark the older.

    The newer may be anywhere in `evidence`: "Rufus died" answers how old Rufus is, though it shares little with the question.
    """
    ranked = list(evidence)
    spoken: defaultdict[str, list[_Said]] = defaultdict(list)
    for place, one in enumerate(ranked):
        if _by_a_person(one.turn):
            spoken[one.turn.name].append(_read(place, one))
    for own in spoken.values():
        own.sort(key=lambda one: one.when, reverse=True)  # so that the first that replaces is the newest
    leading = [one for own in spoken.values() for one in own if one.place < _LEADING and not one.said.asks]
    for old in sorted(leading, key=lambda one: one.place):
        own, held = spoken[old.turn.name], old.held
        after = [new for new in own if new.when > old.when]
        later = [new for new in after if new.soon_after(old) or (held and _may_concern(old, new) and new.replacing)]
        certain = next((new for new in later if _replaces(old, new, own)), None)
        newer = certain or next((new for new in later if new.is_correction and new.soon_after(old)), None)
        if newer is None:
            continue
        best, least = sorted((ranked[old.place].score, ranked[newer.place].score), reverse=True)
        ranked[newer.place] = replace(ranked[newer.place], score=best)
        if certain and len(old.said.statements) == 1:  # what else a line says may stay true
            by = (newer.turn.pk, ranked[newer.place].passage.start)
            ranked[old.place] = replace(ranked[old.place], score=least, superseded_by=by)
    ranked.sort(key=lambda one: (-one.score, one.superseded_by is not None))
    return ranked


def _by_a_person(turn: Turn) -> bool:
    return turn.role == "user" or turn.speaker is not None


def _read(place: int, one: Evidence) -> _Said:
    turn, said = one.turn, one.analysed
    when = (turn.said_at, turn.session_pk, turn.position, one.passage.start)
    return _Said(place=place, turn=turn, when=when, said=said, terms=frozenset(said.terms))


def _may_concern(old: _Said, new: _Said) -> bool:
    """Whether a turn said later may be of the same thing: most pairs end here."""
    return new.when[:3] > old.when[:3] and (new.ends_unnamed or not old.terms.isdisjoint(new.terms))


def _replaces(old: _Said, new: _Said, own: Sequence[_Said]) -> bool:
    if _is_correction_of(old, new):  # of what was said last before it
        return not any(old.when < one.when < new.when and _is_correction_of(one, new) for one in own)
    another_day = old.turn.said_at.date() < new.turn.said_at.date()
    pairs = product(old.held, new.replacing)
    return any(replaces(was, now, another_day=another_day) for was, now in pairs)


def _is_correction_of(old: _Said, new: _Said) -> bool:
    """Whether the newer puts a value of the older right, a few turns later: the same kind of value, another one."""
    if not new.soon_after(old) or old.said.asks or not (new.is_correction or corrects(new.said.text)):
        return False
    kinds = zip(_values(old.said), _values(new.said), strict=True)
    if not any(was and now and was.isdisjoint(now) for was, now in kinds):
        return False
    return len(new.said.words) <= _FEW_WORDS or not (new.terms - _CORRECTING).isdisjoint(old.terms)


def _values(said: Analysed) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """The weekdays, the numbers and the names that a sentence gives."""
    return said.vocabulary & _WEEKDAYS, number_words(said.words), inside_names(said.names) - _WEEKDAYS
