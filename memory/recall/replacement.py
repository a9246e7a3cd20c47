"""Whether one statement replaces another of the same person: the state that it ends, changes or states anew.

Works on what `language.statements` recognises, so English only, and by rules for precision: what is not certain replaces nothing.
"""

import re
from collections.abc import Set

from language.statements import LIKING, SPEAKER, Statement
from language.words import stem, stems

__all__ = ["is_replaceable", "may_replace", "replaces"]

_SAME_SUBJECT = 0.6  # of the words of both
_NAMES_NOTHING = frozenset(  # verbs, measures and praise that any two statements of a talk may share
    stems(
        """think thinks know knows feel feels guess mean means say says said tell believe hear heard see seen seem
        seems look looks looking sound sounds get gets getting got go goes going gone come comes coming make makes
        making made take takes taking put give gives keep use uses used using try tries trying tried want need let
        call called start starts started starting end ended stop happen have has had do does doing done be been am is
        are was were dont doesnt didnt cant wont isnt im ive lot lots bunch much many more most less few little bit
        kind sort type way ways thing things stuff something anything everything nothing someone everyone people
        person guy guys one ones other others time times while day days week weeks month months year years today
        tomorrow tonight yesterday morning evening night moment part place long last next new old first good great
        best better bad worst nice cool fun fine okay ok sure right wrong big small play plays playing played watch
        watching watched read reads reading listen listening high low early late far near same different hard easy
        really pretty quite very too also just even still yet again already actually honestly definitely probably
        maybe usually often sometimes never ever always well back around away like gonna turn turns out haha lol hmm
        hm no not yes yeah us that thats""".split()
    )
)
_CHANGING = frozenset(
    stems(
        """moved changed rescheduled postponed pushed shifted bumped delayed extended raised increased decreased lowered reduced
        dropped upgraded downgraded cut jumped rose fell went switched""".split()
    )
)
_UNITS = frozenset(
    stems("hour hours minute minutes second mg ml g kg km mile miles percent euro euros dollar dollars pound".split())
)
_NO_MORE = re.compile(r"\b(?:any ?more|any longer|no longer)\b", re.IGNORECASE)
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
    if not now.gone:
        return False
    # who sold a Toyota is not gone, nor is anybody else's Toyota
    of_it = now.holder if now.holder and not now.of_the_speaker else now.named | now.about
    whose, thing = was.holder - SPEAKER, now.holder - SPEAKER
    shared = (was.named & of_it) - _NAMES_NOTHING - SPEAKER
    one_thing = whose <= of_it or (bool(thing) and thing <= was.named)
    # "I finished the intro of my next movie" does not end "that movie is awesome"
    return one_thing and bool(shared & now.named or 2 * len(shared) > len(_subject(now)))


def _is_changed(was: Statement, now: Statement) -> bool:
    """Something changed the number of it: "doc bumped the sertraline to 100", "the standup moved to 10:15", "turned 35"."""
    if not (now.resets or now.changes or now.marked):
        return False
    # "Lucy is learning Greek" ends neither her job nor her address, and "Lucy's shoe size is 38" not the code of her garage.
    said_of_it = now.changes or now.marked or not _subject(was).isdisjoint(now.about)
    if _other_numbers(was, now):
        if was.of_the_speaker and not was.about:  # "I'm 34"
            return "turned" in now.text.lower()
        thing = was.holder - SPEAKER
        if thing and not now.of_the_speaker:
            return thing <= now.about | now.named and (said_of_it or not was.about)
        return _is_thing_of(was, now)
    one_thing = bool(now.holder) and (was.holder <= now.holder or now.holder <= was.holder)
    return one_thing and said_of_it and not was.of_the_speaker and bool(now.numbers | now.names)


def _is_thing_of(was: Statement, now: Statement) -> bool:
    """Whether the thing that changes is what the speaker's statement is about: by a verb of change what it names, else its holder.

    "Is" and "starts" also begin what has nothing to do with it.
    """
    its, of_it = _thing(was), _thing(now)
    if now.changes:
        return 3 * len(its & of_it) >= 2 * min(len(its), len(of_it)) > 0
    thing = now.holder - SPEAKER - _NAMES_NOTHING
    return thing <= its if thing else now.of_the_speaker and _same_subject(was, now)


def _thing(one: Statement) -> frozenset[str]:
    """Return what a statement gives a number of: its holder, what it is about and names, without what changes and units."""
    return (one.about | one.named) - SPEAKER - LIKING - _NAMES_NOTHING - _CHANGING - _UNITS


def _is_ended(was: Statement, now: Statement) -> bool:
    """The speaker, or what happened to a thing, ended the state: "I quit Brightwell", "I hate it now", "Rufus died"."""
    if not was.of_the_speaker:
        return now.of_the_speaker and bool(was.holder - _NAMES_NOTHING) and was.holder <= now.ends
    names = {stem(name) for name in was.names}
    its = _subject(was) | names
    if not now.of_the_speaker:
        # "the sun is gone" does not end "I was at home until the sun came up"
        whole = now.holder <= names or 2 * len(now.holder) > len(its)
        return now.gone and bool(now.holder - _NAMES_NOTHING) and now.holder <= was.about | names and whole
    if _covers(now.ends - _NAMES_NOTHING, its, names):
        return True
    if was.liking and not was.denied and (now.liking == -was.liking or (now.denied and now.liking == was.liking)):
        return _same_subject(was, now)
    return (was.home and now.moves_home) or (was.work and now.moves_work)


def _covers(ended: frozenset[str], its: frozenset[str], names: Set[str]) -> bool:
    """Whether what was ended is named in a state, or is half of it: "I stopped playing them" does not end "I play chess"."""
    shared = ended & its
    return bool(shared) and (bool(shared & names) or 2 * len(shared) >= len(its))


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
    if _other_numbers(was, now):
        return was.names == now.names
    if was.denied != now.denied:
        return was.names == now.names and was.verb == now.verb
    return now.marked and not was.denied and bool(was.names and now.names) and was.names != now.names


def _other_numbers(was: Statement, now: Statement) -> bool:
    return bool(was.numbers and now.numbers) and not was.numbers & now.numbers and was.ordinals == now.ordinals


def _same_subject(was: Statement, now: Statement) -> bool:
    """Whether two statements are about the same: most of the words that name something, and nothing that only points."""
    if was.points or now.points:
        return False
    names = {stem(name) for name in was.names | now.names}
    old, new = _subject(was) - names, _subject(now) - names
    if not old and not new:
        return not was.of_the_speaker or bool(was.names and now.names and was.about - names == now.about - names)
    if (
        now.denied and new and new <= old and _NO_MORE.search(now.text)
    ):  # "I don't smoke anymore" ends every way of smoking
        return True
    return len(old & new) >= _SAME_SUBJECT * len(old | new)


def _subject(one: Statement) -> frozenset[str]:
    """Return the stems of what a statement is about, without those that name nothing."""
    return one.about - LIKING - _NAMES_NOTHING
