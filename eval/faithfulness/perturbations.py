"""Answers made wrong in one thing: a number, a date, a name, a negation; one said in other words, which stays right; lines denied.

Deterministic by seed. What there is no occasion for (an answer without a number, say) gives nothing.
"""

import random
import re
from collections.abc import Callable, Mapping, Sequence

from cascade.claims import names, terms
from language import analyse
from language.polarity import clauses, denies

__all__ = ["KINDS", "deny", "perturb"]

_MONTHS = "January February March April May June July August September October November December".split()
_MONTH = re.compile(rf"\b(?:{'|'.join(_MONTHS)})\b")
_DAY = re.compile(r"(?<![\d,.])(?:[12]\d|3[01]|[1-9])(?=(?:st|nd|rd|th)?\s+(?:of\s+)?[A-Z]|,?\s*(?:\d{4})?\b)")
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_COUNTED = "two three four five six seven eight nine ten".split()
_NUMBER = re.compile(rf"(?<![\d.,])\d{{1,3}}(?![\d.,]*\d)|\b(?:{'|'.join(_COUNTED)})\b", re.IGNORECASE)
_NEGATED = re.compile(r"\b(?:not|never|no)\s+|n't\b", re.IGNORECASE)
_VERB = re.compile(r"\b(?:is|are|was|were|has|have|had|will|can|could|did|does|do)\b")
# Verbs and nouns of everyday talk that may stand for one another.
_SAME = dict(
    pair.split(":")
    for pair in (
        "bought:purchased got:received likes:enjoys loves:adores started:began began:started big:large kids:children "
        "children:kids job:occupation car:automobile photo:picture picture:photo trip:journey home:house happy:glad "
        "sad:unhappy help:assist talk:speak movie:film watch:see make:create making:creating beautiful:lovely "
        "friends:companions near:close support:encouragement work:labour walk:stroll"
    ).split()
)

Strangers = Sequence[str]
Change = Callable[[str, random.Random, Strangers], str]


def perturb(answer: str, kind: str, *, seed: str, strangers: Strangers) -> str:
    """Change one thing of `kind` in an answer; "" if it has none. `strangers` are names to put in place of its own."""
    changed = KINDS[kind](answer, random.Random(f"{seed}/{kind}"), strangers)  # noqa: S311 - the same change for the same seed
    return changed if changed != answer else ""


def deny(line: str, answer: str) -> str:
    """Negate the clause of an evidence line that shares most words with the answer; "" if none does, or it denies already."""
    wanted = terms(answer)
    best = max(clauses(line), key=lambda clause: len(wanted & terms(clause)), default="")
    if not wanted & terms(best) or denies(best):
        return ""
    return line.replace(best, f"it is not true that {best}", 1)


def _number(answer: str, chance: random.Random, strangers: Strangers) -> str:  # noqa: ARG001 - one shape for all
    plain = _blanked(answer) if analyse(answer).dates else answer
    found = list(_NUMBER.finditer(plain))
    if not found:
        return ""
    one = chance.choice(found)
    word = one.group().lower()
    other = (
        str(int(word) + chance.randrange(1, 5)) if word.isdigit() else chance.choice([w for w in _COUNTED if w != word])
    )
    return answer[: one.start()] + other + answer[one.end() :]


def _date(answer: str, chance: random.Random, strangers: Strangers) -> str:  # noqa: ARG001 - one shape for all
    if not analyse(answer).dates:
        return ""
    changes = [
        (one, chance.choice([month for month in _MONTHS if month != one.group()])) for one in _MONTH.finditer(answer)
    ]
    changes += [(one, str(int(one.group()) - chance.randrange(1, 4))) for one in _YEAR.finditer(answer)]
    if _MONTH.search(answer):
        days = _DAY.finditer(_YEAR.sub(lambda year: " " * len(year.group()), answer))
        changes += [(one, str(1 + (int(one.group()) + chance.randrange(2, 20)) % 28)) for one in days]
    if not changes:
        return ""
    place, other = chance.choice(changes)
    return answer[: place.start()] + other + answer[place.end() :]


def _name(answer: str, chance: random.Random, strangers: Strangers) -> str:
    own = [name for name in names(answer) if name[:1].isupper() and not _MONTH.fullmatch(name)]
    others = [name for name in strangers if name not in answer]
    if not own or not others:
        return ""
    return answer.replace(chance.choice(own), chance.choice(others))


def _negation(answer: str, chance: random.Random, strangers: Strangers) -> str:  # noqa: ARG001 - one shape for all
    if (found := _NEGATED.search(answer)) is not None:
        return answer[: found.start()] + answer[found.end() :]
    if (verb := _VERB.search(answer)) is not None:
        return f"{answer[: verb.end()]} not{answer[verb.end() :]}"
    return f"not {answer}"


def _paraphrase(answer: str, chance: random.Random, strangers: Strangers) -> str:  # noqa: ARG001 - one shape for all
    words = [_SAME.get(word.lower(), word) for word in answer.split(" ")]
    return " ".join(words)


def _blanked(answer: str) -> str:
    """Blank out what belongs to a date, so that places stay what they are."""
    blank = re.compile(
        rf"\d{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH.pattern}|{_MONTH.pattern}\s+\d{{1,2}}|{_YEAR.pattern}"
    )
    return blank.sub(lambda found: " " * len(found.group()), answer)


KINDS: Mapping[str, Change] = {
    "number": _number, "date": _date, "name": _name, "negation": _negation, "paraphrase": _paraphrase,
}  # fmt: skip
