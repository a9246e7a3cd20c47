"""Whom a question means by a name that no speaker has: "Kate" may be how the others address Emi, "Muhammad" may be "Muhhamed".

Two ways, each only where it is plain. A name that the memory holds is a speaker's if the others address one by it ("Hi Kate!",
"right, Kate?"): at least twice, and hardly ever another. A name that no turn of the memory holds is a slip for the one speaker's
that is spelled nearly like it. One that is held may be a third person's, however alike they are.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from difflib import SequenceMatcher

from language.names import find_names
from language.words import words
from memory.model import Turn

__all__ = ["addressed", "meant_by_spelling", "unknown_names"]

_LEAST, _NEARLY = 6, 0.75  # letters of a name that may be misspelled; the share of them that stand in both
_OPENING = (
    r"(?:\W*(?:hi|hey|hello|hiya|dear|yo|thanks|thank you|thx|good (?:morning|evening|afternoon|night)|morning|congratulations"
    r"|congrats|welcome|sorry|oh|ok|okay|yes|no|well|wow|so|bye|hola|hallo|salut|bonjour|ciao)\b[\s,!]*)"
)
_TIMES = 2
_SURE = 0.8


def unknown_names(question: str, speakers: Sequence[str]) -> tuple[str, ...]:
    """Return the names of a question that are no word of a speaker's name, each once."""
    known = {word for name in speakers for word in words(name)}
    found = (name.text for name in find_names(question) if not name.common)
    return tuple(dict.fromkeys(name for name in found if name.lower() not in known))


def addressed(name: str, turns: Mapping[tuple[int, int], Turn]) -> str | None:
    """Return the speaker whom others address by `name`.

    turns: by session and position, those that hold the name and those beside them: who speaks before or after is spoken to.
    """
    calls = re.compile(
        rf"^{_OPENING}?{re.escape(name)}\s*[,!?.:]|^{_OPENING}+{re.escape(name)}\b|,\s*{re.escape(name)}\s*[!?.]",
        re.IGNORECASE,
    )
    votes = Counter(
        other
        for place, turn in turns.items()
        if turn.speaker and calls.search(turn.text) and (other := _spoken_to(place, turn, turns))
    )
    if not votes:
        return None
    (speaker, times), *_ = votes.most_common(1)
    return speaker if times >= _TIMES and times >= _SURE * votes.total() else None


def _spoken_to(place: tuple[int, int], turn: Turn, turns: Mapping[tuple[int, int], Turn]) -> str | None:
    session, position = place
    for step in (-1, 1):
        beside = turns.get((session, position + step))
        if beside and beside.speaker and beside.speaker != turn.speaker:
            return beside.speaker
    return None


def meant_by_spelling(name: str, speakers: Iterable[str]) -> str | None:
    """Return the one speaker whose name is spelled nearly like `name`, and begins with its letter; None if there is none, or two.

    Nearly: three quarters of the letters stand in both in the same order (Ratcliff and Obershelp 1988), of six at the least: Mark
    and Mary, or John and Joan, are two people.
    """
    near = [speaker for speaker in speakers if any(_alike(name.lower(), word) for word in words(speaker))]
    return near[0] if len(near) == 1 else None


def _alike(one: str, other: str) -> bool:
    if min(len(one), len(other)) < _LEAST or one[0] != other[0]:
        return False
    return SequenceMatcher(None, one, other, autojunk=False).ratio() >= _NEARLY
