"""What a clause of plain English states: a state, an event, a change or a correction, and whose it is.

"I live in Bergen" is a state: it holds until something changes. "I bought two tickets" is an event: it stays true. "I quit
Brightwell" is a change, and it ends a state. "No, I meant Tuesday" corrects what was just said. Known by word lists, without
grammar beyond the beginning of a clause; English only. What is not recognised is no state, so nothing is taken back that may
still be true.
"""

import re
from dataclasses import dataclass
from itertools import pairwise

from language.names import find_names, inside_names
from language.numbers import number_words
from language.polarity import denies
from language.words import stem, stems, words

__all__ = ["HOME_MOVES", "LIKING", "SPEAKER", "WORK_MOVES", "Statement", "corrects", "read_statements"]

SPEAKER = frozenset({"i", "we"})  # as holders

_CLAUSE_END = re.compile(
    r"[;()\n!?]+|:\s|\.(?=\s|$)|,\s|\s[-\u2013\u2014]+\s|\b(?:but|because|since|although|though|so)\s"
    r"|\band\s+(?=(?:i|i'm|i've|we|we're|my|our|he|she|they|it|it's|now)\b)",
    re.IGNORECASE,
)
_OPENINGS = frozenset(
    """well so ok okay yes yeah yep no nope nah hey hi oh ah um btw fyi also and but guys update news actually sorry
    oops anyway plus then now today currently unfortunately sadly luckily finally honestly basically turns out wait
    correction ugh lol haha hmm just good bad quick big as of""".split()
)
_SELF = {"i": "i", "im": "i", "ive": "i", "we": "we"}
_OWNERS = frozenset("my our the this that his her their your a an".split())
_PRESENT = frozenset(
    "am is are 'm 's 're has have do does isn't aren't don't doesn't stays sits keeps lives works".split()
)
_NOT_YET = frozenset(
    """will would could should might may going gonna wanna want wants wish hope hopes plan plans planning thinking if
    maybe perhaps 'll 'd shall considering imagine suppose unless tempted wondering almost nearly meaning trying hoping
    whenever""".split()
)
_FLEETING = frozenset("today tonight tomorrow yesterday".split())  # what is so then is no state
_UNDONE = frozenset("not won't wouldn't didn't don't haven't hasn't hadn't can't couldn't isn't aren't wasn't".split())
_PAST = frozenset(
    """was were had did went got bought ran took made saw came told said gave found thought met felt left kept began
    brought wrote sat stood lost paid sent built fell spent caught taught sold won ate drank drove flew grew knew
    rode rose slept spoke swam threw woke wore read heard held hit hurt cut put beat bit blew broke chose drew
    fought forgot froze hid laid led lent lit meant shook shot sang sank stole stuck struck swore tore did
    didn't wasn't weren't hadn't couldn't wouldn't""".split()
)
_NO_PAST = frozenset(
    "need feed speed seed red bed wed ted med hundred indeed breed bleed embed shed sled biped kindred naked wicked".split()
)
# Verbs that end or alter a state. They are in the past, or the present perfect, or come with "now".
_CHANGES = frozenset(
    """quit quitting resigned retired fired dumped divorced cancelled canceled dropped stopped sold ditched died dead
    deleted unsubscribed replaced traded upgraded downgraded switched swapped moved relocated changed renamed
    rescheduled postponed pushed shifted bumped delayed extended raised increased decreased lowered reduced cut
    became transferred promoted separated outgrew expired closed discontinued converted rehomed finished graduated
    started joined hired adopted settled split""".split()
)
_ENDS = frozenset(
    """quit quitting resigned left dumped divorced cancelled canceled dropped stopped sold ditched deleted unsubscribed
    replaced traded rehomed returned donated retired closed outgrew""".split()
)
_RESETS = frozenset(
    """moved changed rescheduled postponed pushed shifted bumped delayed extended raised increased decreased lowered
    reduced went dropped renamed became turned starts is got upgraded downgraded cut jumped rose fell""".split()
)
_GONE = frozenset("died dead closed expired cancelled canceled discontinued sold stolen broke passed retired".split())
_OVER = re.compile(
    r"\b(?:(?<!the )(?<!a )(?<!my )(?<!our )br(?:o|ea)k(?:e|en|ing)? up|split up"
    r"|shut(?:ting)? down|moved out|w[ea]nt (?:bust|under)|fell through|no more"
    r"|call(?:ed|ing) (?:it )?off|pack(?:ed|ing) (?:it )?in|g[ai]v(?:e|en|ing) (?:it )?up|passed away|never again"
    r"|(?:am|is|are|was|were|i'm|we're|ran|run|running|fresh|all) out of(?! the)"
    r"|put (?:him|her|it) (?:down|to sleep)|(?:done|finished|through) with"
    r"|died|ended(?! up)|ditched|scrapped|axed|let go(?! of)|laid off"
    r"|(?:is|are|'s|been|was|got) (?:all |now |finally |already |well and truly )?"
    r"(?:over|cancell?ed|gone|closed|dead|discontinued|stolen|sold)"
    r"|(?:is|are) off(?!\s+to))\b",
    re.IGNORECASE,
)
_MARKERS = frozenset("now nowadays currently anymore lately instead these longer recently".split())
_HOME = frozenset("live living lives lived based reside residing rent renting rented".split())
_WORK = frozenset("work working works worked employed".split())
_NO_JOB = frozenset("out on through".split())  # "I work out", "I'm working on my thesis"
HOME_MOVES = frozenset("moved relocated settled".split())
WORK_MOVES = frozenset("quit resigned retired fired hired".split())
_ORDINALS = frozenset("first second third fourth fifth sixth seventh another other else also next previous".split())
_POINTING = frozenset("it them they that those him her he she".split())
_LIKES = frozenset("love like enjoy adore prefer loving likes loves".split())
_DISLIKES = frozenset("hate dislike detest loathe despise hates".split())
LIKING = frozenset(stems([*_LIKES, *_DISLIKES, "stand"]))  # as terms; they say nothing of what is liked
_ADDS = re.compile(r"\b(?:as well|too|also|plus|in addition|another)\b", re.IGNORECASE)
_ADVERBS = frozenset(
    "just also already always never ever still often once even all both first then so sometimes".split()
)
_BEFORE_VERB = _ADVERBS | frozenset(  # "I really do", "we have been", "I no longer"
    """am is are was were be been being have has had do does don't doesn't didn't not no longer used to can can't cannot
    now currently actually absolutely truly totally honestly kind of kinda sort quite much rather come came grown started
    starting learned learnt really only""".split()
)
_COUNTS = frozenset("have has had got own only just takes with exactly".split())  # before a "one" that counts
_VERBS = (
    _PRESENT
    | _PAST
    | _CHANGES
    | _GONE
    | frozenset(
        """costs takes starts leaves goes meets lasts opens closes arrives gets runs plays drives eats sleeps weighs pays
    charges drinks teaches studies smokes ends owns wants likes loves hates needs""".split()
    )
)
_CORRECTS = re.compile(
    r"^\W*(?:(?:oh|ah|um|wait|sorry|oops|whoops|no|nope|ugh|hmm|ok|and|but|argh|damn|hang on|hold on)\b[\s,.!:;-]*)*"
    r"(?:no[,.!:;\s-]+(?:wait|sorry|not|it'?s|the|on|at)\b|oops\b|whoops\b|sorry[,.!:;-]|wait[,.!:;-]+|correction\b|typo\b"
    r"|scra(?:tch|p) that\b|strike that\b|actually\b|i\s+meant?\b|meant\b|make (?:that|it)\b|my (?:mistake|bad)\b"
    r"|i\s+(?:was wrong|mixed|swapped|got (?:it|that) wrong)|\*)"
    r"|\b(?:swapped the digits|mixed (?:it|them|that|those) up|mistyped|i was wrong|(?:got|had) (?:it|that) wrong"
    r"|wrong all along|put me straight|misread|misremembered|not \S+ as i said)\b"
    r"|^\W*it'?s \S+ not\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Statement:
    """One clause: whose it is, what it states, and the values that may differ from another's.

    `verb` is the stem of its first verb that is no auxiliary. `holder` is "i", "we" or the stems of the noun or name that the
    clause begins with; empty if that was not recognised. `about` are the stems besides, without values. `ends` are those that
    follow a word of ending ("quit Brightwell"). `points`: it says "it" or "them", and not of what.
    """

    text: str
    verb: str
    holder: frozenset[str]
    about: frozenset[str]
    numbers: frozenset[str]
    names: frozenset[str]
    ends: frozenset[str]
    state: bool
    plan: bool
    changes: bool
    resets: bool
    gone: bool
    marked: bool
    liking: int
    denied: bool
    home: bool
    work: bool
    moves_home: bool
    moves_work: bool
    ordinals: frozenset[str]
    points: bool

    @property
    def named(self) -> frozenset[str]:
        """The stems of the names in it and of its holder: what it is most about."""
        return self.holder | frozenset(map(stem, self.names))

    @property
    def of_the_speaker(self) -> bool:
        """Whether the clause is about the speaker, alone or with others."""
        return not self.holder.isdisjoint(SPEAKER)


def corrects(text: str) -> bool:
    """Return whether a short message, or a sentence, takes back or puts right what was just said; an addition does not."""
    return bool(_CORRECTS.search(text)) and not _ADDS.search(text)


def read_statements(text: str) -> tuple[Statement, ...]:
    """Return what the clauses of a sentence state, in order."""
    return tuple(_read(clause) for part in _CLAUSE_END.split(text) if (clause := (part or "").strip()))


def _read(clause: str) -> Statement:
    said = _unfolded(words(clause))
    start = next((i for i, word in enumerate(said) if word not in _OPENINGS), len(said))
    holder, after = _holder(said, start)
    rest = said[after:]
    verb, behind = _main_verb(rest)
    vocabulary = frozenset(said)
    numbers, names = number_words(said), inside_names(find_names(clause))
    past = _is_past(rest)
    not_yet = not _NOT_YET.isdisjoint(vocabulary)
    happened = not not_yet and _UNDONE.isdisjoint(vocabulary)
    return Statement(
        text=clause,
        verb=stem(verb),
        holder=holder,
        about=frozenset(stems(vocabulary - numbers - _MARKERS)) - holder,
        numbers=numbers - _pronouns(said),
        names=names,
        ends=_ended(rest) if happened else frozenset(),
        state=bool(holder) and not past and not not_yet and _FLEETING.isdisjoint(vocabulary),
        plan=bool(holder) and not past and not_yet,
        changes=happened and bool(holder) and not _CHANGES.isdisjoint(rest),
        resets=happened and not _RESETS.isdisjoint(rest),
        gone=happened and (not _GONE.isdisjoint(rest) or bool(_OVER.search(clause))),
        marked=not _MARKERS.isdisjoint(vocabulary),
        liking=(verb in _LIKES) - (verb in _DISLIKES or "can't stand" in clause.lower()),
        denied=denies(clause),
        home=verb in _HOME,
        work=verb in _WORK and behind not in _NO_JOB,
        moves_home=happened and not HOME_MOVES.isdisjoint(rest) and bool(names),
        moves_work=happened and not WORK_MOVES.isdisjoint(rest),
        ordinals=_ORDINALS & vocabulary,
        points=not _POINTING.isdisjoint(vocabulary),
    )


def _unfolded(said: list[str]) -> list[str]:
    """Take "I'm" and "she's" apart, so that the verb is a word of its own."""
    found: list[str] = []
    for word in said:
        head, mark, tail = word.partition("'")
        if mark and tail in {"m", "s", "re", "ve", "ll", "d"} and head:
            found += [head, {"m": "am", "re": "are", "ve": "have", "s": "'s"}.get(tail, "'" + tail)]
        else:
            found.append(word)
    return found


def _main_verb(rest: list[str]) -> tuple[str, str]:
    """Return the first word that is no auxiliary and no adverb, which in a plain clause is its verb, and the one behind it."""
    verb = next((i for i, word in enumerate(rest) if word not in _BEFORE_VERB), len(rest))
    found = [*rest[verb : verb + 2], "", ""]
    return found[0], found[1]


def _pronouns(said: list[str]) -> frozenset[str]:
    """Return "one" and "once" where they count nothing: "one of the best", "the last one", "once in Rome"."""
    counted = any(word in _COUNTS and following == "one" for word, following in pairwise(said))
    return frozenset({"once"}) if counted else frozenset({"one", "once"})


def _holder(said: list[str], start: int) -> tuple[frozenset[str], int]:
    """Return whose clause it is, and the place of the first word after it."""
    if start >= len(said):
        return frozenset(), start
    if said[start] in _SELF:
        return _me(said[start]), start + 1
    if said[start] in _PAST or said[start] in _CHANGES or _is_past_form(said[start]):
        return frozenset({"i"}), start  # "cancelled it last night"
    owned = said[start] in _OWNERS
    first = start + owned
    for end in range(first, min(first + 5, len(said))):
        word = said[end]
        if word in _SELF and end > first and said[end - 1] not in {"and", "or"}:
            # "last year I moved" is of the speaker; of "the app I was using stopped" the verb is not found
            return (frozenset(), start) if owned and said[start] not in {"this", "that"} else (_me(word), end + 1)
        if word in _VERBS or _is_past_form(word):
            held = frozenset("i" if one == "i" else stem(one) for one in said[first:end])
            return held - {""}, end
    return frozenset(), start


def _me(word: str) -> frozenset[str]:
    return frozenset({_SELF[word]})


def _is_past(rest: list[str]) -> bool:
    """Return whether the first verb is in the simple past; "have written" is not."""
    verb = next((i for i, word in enumerate(rest) if word not in _ADVERBS and not word.endswith("ly")), 0)
    return bool(rest[verb:]) and (rest[verb] in _PAST or _is_past_form(rest[verb]))


def _is_past_form(word: str) -> bool:
    return len(word) > 3 and word.endswith("ed") and word not in _NO_PAST


def _ended(rest: list[str]) -> frozenset[str]:
    """Return the stems that follow a word of ending, up to six words on."""
    for i, word in enumerate(rest):
        if (word in _ENDS and rest[i + 1 : i + 2] != ["off"]) or rest[i : i + 2] in (
            ["broke", "up"],
            ["no", "longer"],
            ["gave", "up"],
        ):
            return frozenset(stems(rest[i + 1 : i + 7]))
    return frozenset()
