"""Whether one statement replaces another of the same person: the state that it ends, changes or states anew.

Works on what `language.statements` recognises, so English only, and by rules for precision: what is not certain replaces nothing.
"""

from language.statements import LIKING, SPEAKER, Statement
from language.words import stem, stems

__all__ = ["is_replaceable", "may_replace", "replaces"]

_SUBJECT_OVERLAP = 0.6
_ONE_OF_A_KIND = frozenset(
    stems(
        """favourite favorite address phone number email password pin code job boss manager major rent salary deadline appointment
        shift flight seat gate surname nickname diet dentist doctor therapist landlord""".split()
    )
)


def is_replaceable(was: Statement) -> bool:
    """Return whether anything can replace a statement: only states and plans hold until something changes."""
    return was.state or was.plan


def may_replace(now: Statement) -> bool:
    """Return whether a statement can replace any: it ends or changes something, or states a state."""
    changes = now.gone or now.resets or now.changes or now.marked or now.moves_home or now.moves_work
    return changes or now.state or now.denied or bool(now.ends or now.liking)


def replaces(was: Statement, now: Statement, *, another_day: bool) -> bool:
    """Return whether `now`, said later, replaces `was`.

    Only a replaceable statement can be replaced, and only by one that may replace.
    Two values of one state count on another day only: on the same day both were meant.
    """
    if is_replaceable(was) and _is_over(was, now):
        return True
    return was.state and (_is_changed(was, now) or _is_ended(was, now) or (another_day and _is_restated(was, now)))


def _is_over(was: Statement, now: Statement) -> bool:
    """What `was` names is gone: "Marco and I broke up", "Crete is off"."""
    return now.gone and not was.named & (now.named | now.about) <= SPEAKER


def _is_changed(was: Statement, now: Statement) -> bool:
    """Something changed the number of it: "doc bumped the sertraline to 100", "the standup moved to 10:15", "turned 35"."""
    if not (now.resets or now.changes or now.marked):
        return False
    its, of_it = was.about | was.named, now.about | now.named
    # "Lucy is learning Greek" ends neither her job nor her address, and "Lucy's shoe size is 38" not the code of her garage.
    said_of_it = now.changes or now.marked or not was.about.isdisjoint(now.about)
    if _other_numbers(was, now):
        if was.of_the_speaker and not was.about:  # "I'm 34"
            return "turned" in now.text.lower()
        thing = was.holder - SPEAKER
        if thing and not now.of_the_speaker:
            return thing <= of_it and (said_of_it or not was.about)
        return not (its & of_it) <= SPEAKER | LIKING
    one_thing = bool(now.holder) and (was.holder <= now.holder or now.holder <= was.holder)
    return one_thing and said_of_it and not was.of_the_speaker and bool(now.numbers | now.names)


def _is_ended(was: Statement, now: Statement) -> bool:
    """The speaker, or what happened to a thing, ended the state: "I quit Brightwell", "I hate it now", "Rufus died"."""
    if not was.of_the_speaker:
        return now.of_the_speaker and bool(was.holder) and was.holder <= now.ends
    its = was.about | {stem(name) for name in was.names}
    if not now.of_the_speaker:
        return now.gone and bool(now.holder) and now.holder <= its
    if not now.ends.isdisjoint(its):
        return True
    if was.liking and not was.denied and (now.liking == -was.liking or (now.denied and now.liking == was.liking)):
        return bool((was.about & now.about) - LIKING)
    return (was.home and now.moves_home) or (was.work and now.moves_work)


def _is_restated(was: Statement, now: Statement) -> bool:
    """Whether both state one thing, the later with another value, or as one that has changed."""
    if (
        not now.state
        or was.ordinals != now.ordinals
        or not (was.holder == now.holder or (was.of_the_speaker and now.of_the_speaker))
    ):
        return False
    if not was.holder.isdisjoint(_ONE_OF_A_KIND):
        return was.about | was.numbers | was.names != now.about | now.numbers | now.names
    if not _same_subject(was, now):
        return False
    return (_other_numbers(was, now) and was.names == now.names) or now.marked or was.denied != now.denied


def _other_numbers(was: Statement, now: Statement) -> bool:
    return bool(was.numbers and now.numbers) and not was.numbers & now.numbers and was.ordinals == now.ordinals


def _same_subject(was: Statement, now: Statement) -> bool:
    names = {stem(name) for name in was.names | now.names}
    old, new = was.about - names, now.about - names
    if not old and not new:
        return not was.of_the_speaker
    shared = old & new
    return bool(shared) and len(shared) / (min(len(old), len(new)) or 1) >= _SUBJECT_OVERLAP
