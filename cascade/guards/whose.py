"""Whose a line is: does it speak of the person, or of the relation, that is asked about?

By names, by grammatical person and by words for relations ("my sister"). English only, and without resolving "she" or "he": where
nothing is recognised, nothing is said. Over questions this is a feature of the score over a draft. Over what a chat says of memory
it is a guard, since there the claim names the relation itself.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal

from cascade.claims import names
from cascade.decision import Verdict
from cascade.guards.guard import Case, Cost
from cascade.model import Quote
from language import analyse, split_sentences
from language.statements import SPEAKER
from language.words import stem, words

__all__ = ["Whose", "WhoseGuard", "other_relation", "relations", "whose"]

Whose = Literal["same", "other", "unclear"]
# Words for one relation stand together; the first of them names it.
_FORMS = """mother mom mum mama mommy mummy | father dad daddy papa | sister sis | brother bro | son | daughter | wife
| husband hubby | partner | girlfriend | boyfriend | fiance fiancee | aunt auntie | uncle | niece | nephew | cousin
| grandmother grandma granny gran | grandfather grandpa granddad | friend buddy mate
| boss manager | colleague coworker | neighbour neighbor | roommate flatmate
| landlord landlady | teacher | child children kid | parent | grandparent | twin | stepmother | stepfather | godmother | godfather
| dog puppy | cat kitten"""
_RELATIONS = {form: group.split()[0] for group in _FORMS.split("|") for form in group.split()}
# A line about one of these may speak of another of them: a brother is a son, a husband a partner.
_OVERLAPPING = (
    frozenset("mother father parent stepmother stepfather".split()),
    frozenset("son daughter child twin".split()),
    frozenset("wife husband partner girlfriend boyfriend fiance".split()),
    frozenset("grandmother grandfather grandparent".split()),
)
_FIRST = frozenset("i me my mine myself we us our ours i'm i've i'd i'll we're we've we'll".split())
_SECOND = frozenset("you your yours you're you've".split())


@dataclass(frozen=True, slots=True, kw_only=True)
class WhoseGuard:
    """Passes unless the answer speaks of a relation ("your brother") that no cited line names, while one names another."""

    name: ClassVar[str] = "whose"
    version: ClassVar[str] = "1"
    cost: ClassVar[Cost] = "cpu"

    async def check(self, case: Case) -> Verdict:
        """Judge the draft sentence by sentence."""
        cited = [quote.text for quote in case.brief.quotes if quote.n in case.draft.citations]
        found = [other_relation(sentence, cited) for sentence in split_sentences(case.draft.answer)]
        other = next(filter(None, found), "")
        reason = (
            f"the cited lines speak of another relation than {other!r}" if other else "no other relation is spoken of"
        )
        return Verdict(guard=self.name, status="fail" if other else "pass", score=float(not other), reason=reason)


def relations(text: str) -> frozenset[str]:
    """Return the relations that a text names, each by one word for it: "mum" and "mothers" are "mother"."""
    return frozenset(found for word in words(text) if (found := _relation(word)))


def other_relation(claimed: str, lines: Iterable[str]) -> str:
    """Return a relation that `claimed` names and no line does, though the lines name another; "" if there is none.

    "My brother is called Ada" claims another relation than "My sister Ada is here".
    """
    named = frozenset[str]().union(*map(relations, lines))
    asked = relations(claimed)
    missing = [
        one for one in sorted(asked - named) if not any(one in alike and alike & named for alike in _OVERLAPPING)
    ]
    return missing[0] if missing and named - asked else ""


def whose(question: str, quote: Quote, speakers: Collection[str]) -> Whose:
    """Return whether a line speaks of whom a question asks about.

    Args:
        question: What is asked.
        quote: The line.
        speakers: The names of those whose lines there are.
    """
    if other_relation(question, [quote.text]):
        return "other"
    said, asked, related = frozenset(words(quote.text)), frozenset(words(question)), relations(question)
    named = _named(asked, speakers)
    if named & frozenset(words(quote.speaker)) or (not named and asked & _FIRST):
        if related:
            return "same" if related & relations(quote.text) else "unclear"
        return "other" if _of_a_relation(quote.text) else "same"
    if said & named or (named and said & _SECOND):
        return "unclear"
    if named:
        return "other" if said & _FIRST else "unclear"
    others = {word.lower() for word in names(question)}
    return "same" if others & (said | frozenset(words(quote.speaker))) else "unclear"


def _named(asked: Collection[str], speakers: Collection[str]) -> frozenset[str]:
    """Return the words of the speakers' names that are among those of a question."""
    bare = frozenset(word.removesuffix("'s") for word in asked)
    return frozenset(word for name in speakers for word in words(name) if word in bare and stem(word))


def _of_a_relation(text: str) -> bool:
    """Return whether a clause of the text begins with a relation of the speaker: "my sister works ..."."""
    holders = [one.holder for one in analyse(text).statements if one.holder.isdisjoint(SPEAKER)]
    return any(_relation(word) for holder in holders for word in holder)


def _relation(word: str) -> str:
    bare = word.removesuffix("'s")
    return _RELATIONS.get(bare) or _RELATIONS.get(bare.removesuffix("s")) or ""
