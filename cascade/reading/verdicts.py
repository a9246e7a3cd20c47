"""Verdicts: the yes or no of a judge's reply, where it stands in a clear place.

Places, the clearest first: JSON; a label ("Verdict: no"); the first word, or the last sentence, that is a verdict by itself; a
statement that the reply is right or wrong, if nothing in the text says otherwise. A yes or a no within a sentence is what the judge
speaks of, not what it says. Where places disagree, or there is none, the verdict is None: neither yes nor no. Verdicts are English.
"""

import re
from collections.abc import Iterator
from typing import Literal

from cascade.reading.silences import refuses
from cascade.reading.syntax import last_object
from cascade.reading.thoughts import FENCE_LINES, spoken, unwrapped

__all__ = ["YesOrNo", "read_verdict"]

YesOrNo = Literal["yes", "no"]

_YES = frozenset({"yes", "yep", "yeah", "y", "true", "correct", "right", "supported", "entailed", "pass"})
_NO = frozenset(
    {"no", "nope", "n", "false", "incorrect", "wrong", "unsupported", "fail"}
    | {"not correct", "not right", "not supported", "not entailed", "definitely not", "certainly not", "not at all"}
)
_IN_JSON = (
    "verdict", "answer", "judgement", "judgment", "decision", "conclusion", "vote", "label", "result", "correct", "is_correct",
    "iscorrect", "entailed", "entails", "supported", "is_supported", "follows", "right", "final_answer", "final_verdict",
)  # fmt: skip
_WORD = r"(?P<word>yes|no|yep|yeah|nope)"
_MORE_WORDS = (
    r"(?P<word>yes|no|true|false|(?:not )?correct|incorrect|right|wrong|pass|fail|(?:not )?supported|unsupported"
    r"|(?:not )?entailed)"
)
# After a verdict comes an end or a reason; "no problem" and "yes men" are none.
_THEN = (
    r"(?=\s*(?:$|[.,;:!)(\[\]\u2013—]|-\s|[^\w\s\"'/]"
    r"|(?:because|since|as|the|it|this|that|there|its|every|all|wait|actually|hmm)\b))"
)
_LABELS = r"verdict|judge?ment|conclusion|decision|vote|answer|result|label"
_LABEL = re.compile(
    rf"^[\s>#-]*(?:so|thus|therefore|hence)?[,\s]*(?:the |my )?(?:final |overall )?(?:{_LABELS})(?: is)?\s*"
    rf"(?:[:=\u2013—→-]|is\b|\n)\s*[:\s\[(\"]*{_MORE_WORDS}\b{_THEN}",
    re.IGNORECASE | re.MULTILINE,
)
_FIRST = re.compile(rf"{_WORD}\b{_THEN}", re.IGNORECASE)
_FIRST_JUDGEMENT = re.compile(
    r"(?P<word>correct|incorrect|true|false|(?:not )?supported|unsupported)(?:[.:;!\n]|,(?!.*\b(?:but|however)\b))",
    re.IGNORECASE | re.DOTALL,
)
_LEADS_IN = (
    r"(?:so|thus|therefore|hence|then|wait|actually|hmm+|rather|or|overall|in short|finally|in conclusion|to conclude|it is|that is"
    r"|an?|clear|clearly|definite|definitely|absolutely|certainly|simply|i say|i would say|i'd say)"
)
_ALONE = re.compile(rf"(?:{_LEADS_IN}[,:]?\s+)*{_WORD}(?:[,\s]+(?P=word))*(?: from me)?", re.IGNORECASE)
_AFTER_COLON = re.compile(  # but not what somebody else says
    rf"(?!.*\b(?:gold|correct|expected|reference|reply|response|question|claim|says)\b)[^:]{{1,120}}:\s*{_WORD}",
    re.IGNORECASE,
)
_TURNS = re.compile(
    rf"\b(?:wait|actually|hmm+|rather|scratch that|correction|or)\b[,:.]?\s+{_WORD}\b{_THEN}", re.IGNORECASE
)
_SO = re.compile(
    rf"[,;:\u2013—-]\s*(?:so|therefore|hence|thus)[,:]?\s+(?:(?:it|the answer|my answer) is )?{_WORD}(?=[.!]*\s*$)",
    re.IGNORECASE,
)
_SAID = re.compile(
    rf"\b(?:my|the|final) (?:{_LABELS}) is:? {_WORD}\b{_THEN}"
    rf"|\bi(?: would|'d)? (?:say|vote|answer|judge) (?P<other>yes|no)\b{_THEN}",
    re.IGNORECASE,
)
_CHOICE = re.compile(  # what a judge repeats of the question
    r"(?:(?:please )?(?:reply|answer|respond)(?: only)?(?: with)? )?['\"]?\byes\b['\"]?\s*(?:or|/|\||-or-)\s*['\"]?\bno\b['\"]?"
    r"(?: only)?\s*:?",
    re.IGNORECASE,
)
_BOTH = re.compile(r"^\W*(?:yes\W+(?:and\W+)?no|no\W+(?:and\W+)?yes)\b(?=\s*(?:$|[.,;:!?]))", re.IGNORECASE)
_HEDGED = re.compile(
    r"\b(?:partial(?:ly)?|partly|in part|mostly|somewhat|half|unclear|unsure|not sure|cannot tell|maybe|perhaps|possibly|probably"
    r"|depends|unless|if|but|however|yes|no)\b",
    re.IGNORECASE,
)
_SUBJECT = r"(?:reply|answer|response|claims?|statements?|it|this|that)(?: of (?:the|its) \w+)?"
_SURELY = r"(?: (?:therefore|indeed|also|fully|entirely|clearly|thus|directly))*"
_DOES_NOT = r"(?P<not>(?:does|do)(?: not|n't))"
_STATED = (
    re.compile(
        rf"\b{_SUBJECT} (?:is|are|was|were)(?P<not> not|n't)?{_SURELY}"
        r" (?P<quality>correct|right|accurate|incorrect|wrong|inaccurate|supported|unsupported|entailed|equivalent)\b",
        re.IGNORECASE,
    ),
    re.compile(
        rf"\b{_SUBJECT}{_SURELY} (?:(?:holds?|contains?|gives?)|{_DOES_NOT} (?:hold|contain|give)) the correct answer\b",
        re.IGNORECASE,
    ),
    re.compile(
        rf"\b{_SUBJECT}{_SURELY} (?:follows?|{_DOES_NOT} follow)(?= from the (?:evidence|lines?|context|memory)\b|[.;!]|$)",
        re.IGNORECASE,
    ),
    re.compile(
        rf"\b(?:evidence|lines?|context|memory){_SURELY} (?:(?:supports?|entails?)|{_DOES_NOT} (?:support|entail))"
        r" (?:the|this|that|every|each|all)\b",
        re.IGNORECASE,
    ),
)
_GOOD = re.compile(r"\b(?:correct|right|accurate|supported)\b(?! answer)", re.IGNORECASE)
_BAD = re.compile(r"\b(?:incorrect|wrong|inaccurate|unsupported)\b", re.IGNORECASE)


def read_verdict(text: str) -> YesOrNo | None:
    """Read a judge's verdict. None, which is neither yes nor no, for a reply that gives none in a clear place."""
    said = unwrapped(spoken(text))
    found = last_object(said, set(_IN_JSON))
    if found is not None:
        return _of_object(found)
    plain = _plain(said)
    if not plain or refuses(plain) or _BOTH.match(plain):
        return None
    return _of_word(plain) or _labelled(plain) or _placed(plain) or _stated(plain)


def _of_object(found: dict[str, object]) -> YesOrNo | None:
    """Read the verdict of an object: of the first key that may hold one."""
    value = next(found[key] for key in _IN_JSON if key in found)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return read_verdict(value) if isinstance(value, str) and value.strip() else None


def _plain(said: str) -> str:
    """Return a reply without fences, emphasis, TeX's boxes, and the choice of "yes or no" that it may repeat."""
    bare = FENCE_LINES.sub("", said).replace("\u2019", "'")
    for _ in range(2):  # a box may hold a text
        bare = re.sub(r"\\(?:boxed|text|textbf)\s*\{([^{}]*)\}", r"\1", bare)
    bare = re.sub(r"\b(it|that|this)'s\b", r"\1 is", bare, flags=re.IGNORECASE)
    bare = _CHOICE.sub(" ", re.sub(r"[*_`“”$]+", "", bare))
    return "\n".join(line.strip(" \t>\"'#[]()<-") for line in bare.splitlines() if line.strip()).strip(" \n:?-")


def _of_word(text: str) -> YesOrNo | None:
    """Read a text that is a verdict and nothing else."""
    word = " ".join(re.sub(r"[^a-z ]", " ", text.lower()).split())
    return "yes" if word in _YES else "no" if word in _NO else None


def _labelled(plain: str) -> YesOrNo | None:
    labels = [label["word"] for label in _LABEL.finditer(plain)]
    return _of_word(labels[-1]) if labels else None


def _placed(plain: str) -> YesOrNo | None:
    """Read the first word and the last sentence; None if they, or a change of mind between them, disagree."""
    found = {_of_word(word) for word in _placed_words(plain)}
    return found.pop() if len(found) == 1 else None


def _placed_words(plain: str) -> Iterator[str]:
    sentences = [one.strip(" .,!\"'") for one in re.split(r"(?<=[.!?])\s+|\n", plain)]
    places = [_FIRST.match(plain) or _FIRST_JUDGEMENT.match(plain), _AFTER_COLON.fullmatch(sentences[-1])]
    places += [_ALONE.fullmatch(one) for one in sentences] + [_SO.search(one) for one in sentences]
    yield from (place["word"] for place in (*places, *_TURNS.finditer(plain)) if place)
    yield from (said["word"] or said["other"] for said in _SAID.finditer(plain))


def _stated(plain: str) -> YesOrNo | None:
    """Read whether the reply is said to be right, if all that is said of it agrees and nothing is held back."""
    if _HEDGED.search(plain):
        return None
    stated = [one for pattern in _STATED for one in pattern.finditer(plain)]
    found: set[YesOrNo] = {"no" if _denies(one) else "yes" for one in stated}
    mixed = bool(_BAD.search(plain)) and bool(_GOOD.search(plain))
    return found.pop() if len(found) == 1 and not mixed else None


def _denies(stated: re.Match[str]) -> bool:
    bad = bool(_BAD.fullmatch(stated.groupdict().get("quality") or ""))
    return bad != bool(stated["not"])
