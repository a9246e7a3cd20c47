"""The guard over polarity: an answer must not affirm what its line denies, nor deny what its line affirms.

Compared by clauses: the one of the cited lines that shares most words with the answer, or with the question where the answer is a
bare yes or no. What shares too few words cannot be compared, and is unsure for a bare yes or no. So is what a clause leaves open:
"I almost bought it" neither affirms nor denies.
"""

import re
from dataclasses import dataclass
from typing import ClassVar

from cascade.claims import terms
from cascade.decision import Verdict
from cascade.guards.guard import Case, Cost
from language import analyse, language_of, split_sentences
from language.irregular_verbs import lemma
from language.polarity import Polarity, clauses, denies, polarity

__all__ = ["PolarityGuard"]

_YES = re.compile(
    r"\W*(?:yes|yeah|yep|yup|yea|sure|of\s+course|correct|absolutely|definitely|certainly|indeed|true|right|exactly|ja|jawohl"
    r"|nat\u00fcrlich|stimmt|oui|si|s\u00ed|s\u00ec|claro|certo|sim|zeker|klopt|\u0434\u0430|\u662f\u7684?|\u5bf9|\u306f\u3044|\ub124|\uc608)\b\W*",
    re.IGNORECASE,
)
_YES_AFTER_ALL = re.compile(r"\W*(?:doch|jawel)\b\W*", re.IGNORECASE)  # to a question that denies
_NO = re.compile(
    r"\W*(?:no|nope|nah|never|false|incorrect|wrong|not\s+(?:really|at\s+all)|nein|non|n\u00e3o|nee|\u043d\u0435\u0442|\u4e0d(?:\u662f)?"
    r"|\u6ca1(?:\u6709)?|\u5426|\u3044\u3044\u3048|\uc544\ub2c8[\uc694\uc624]?)\b\W*",
    re.IGNORECASE,
)
_FRAME = re.compile(r"\[\d+\]|^\W*(?:the\s+)?answer\s*(?:is|:)", re.IGNORECASE)
_MANNER = terms("definitely certainly absolutely course sure correct right indeed true exactly")
_SUBJECT = re.compile(r"\W*(?:(?:[Mm]y|[Oo]ur|[Hh]is|[Hh]er|[Tt]heir)\s+(?P<kin>\w+)|(?P<name>[A-Z]\w+))\b")
_FIRST_PERSON = re.compile(r"\b(?:I|[Ww]e|me|us)\b")
_FEW_WORDS = 4  # an answer so short says what the question says of it
_COMPARABLE = 0.5  # share of the words that a clause must hold to be about the same thing
_SETTLES = (
    0.75  # and to settle an English yes or no: "I turned down the job" holds "the job" of "Did Ann take the job?"
)
_HINTS = 0.3  # below it a clause says nothing of the matter


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claim:
    """What is claimed: in which words, by which polarity beside a clause, and whether it is a bare yes or no to the question."""

    text: str
    asks: str  # the question of a short answer, which says what the question says of it: "Which did Ann miss?" "The first."
    denied: bool  # beyond what the words deny: "no", to what the question asks
    bare: bool
    settled_by: float

    def about(self, speakers: frozenset[str]) -> frozenset[str]:
        """Return the words that it is about; of a yes or no without those who speak, whom their own lines do not name."""
        return _lemmas(self.text) - (speakers if self.bare else frozenset())

    def against(self, clause: str, speakers: frozenset[str], lines: str) -> str:
        """Return pass, fail or unsure for the claim beside the clause of the cited `lines` that is nearest to it."""
        if self.bare and self._tells_of_another(clause, speakers):
            return "unsure"
        said, claimed = polarity(clause, f"{self.asks} {self.text}", bare=self.bare), polarity(self.text, clause)
        if "open" in (said, claimed):
            return "unsure"
        asked_denied = bool(self.asks) and polarity(self.asks, lines) == "denied"
        claimed = _opposite(claimed) if self.denied != asked_denied else claimed
        return "pass" if said == claimed else "fail"

    def _tells_of_another(self, clause: str, speakers: frozenset[str]) -> bool:
        """Whether an English clause begins with somebody whom the question does not name: "My sister plays the harp"."""
        subject = _SUBJECT.match(clause)
        if subject is None or _FIRST_PERSON.search(clause) or language_of(self.text) != "en":
            return False
        return not _lemmas(subject["kin"] or subject["name"]) <= _lemmas(self.text) | speakers


@dataclass(frozen=True, slots=True, kw_only=True)
class PolarityGuard:
    """Passes if every sentence has the polarity of the clause it rests on; unsure where a bare yes or no rests on none."""

    name: ClassVar[str] = "polarity"
    version: ClassVar[str] = "2"
    cost: ClassVar[Cost] = "cpu"

    async def check(self, case: Case) -> Verdict:
        """Judge the draft sentence by sentence; the worst verdict counts."""
        if case.draft.abstains or not case.draft.answer:
            return self._verdict("pass", "nothing is claimed")
        cited = [quote.text for quote in case.brief.quotes if quote.n in case.draft.citations]
        evidence = [clause for text in cited for clause in clauses(text)]
        speakers = _lemmas(" ".join(quote.speaker for quote in case.brief.quotes))
        found = [_compare(claim, evidence, speakers) for claim in _claims(case.draft.answer, case.brief.question)]
        for status, reason in (
            ("fail", "a cited line says the opposite"),
            ("unsure", "the cited lines leave open whether it is so"),
        ):
            if status in found:
                return self._verdict(status, reason)
        return self._verdict("pass", "no cited line says the opposite")

    def _verdict(self, status: str, reason: str) -> Verdict:
        score = {"pass": 1.0, "unsure": 0.5}.get(status, 0.0)
        return Verdict(guard=self.name, status=status, score=score, reason=reason)  # type: ignore[arg-type]


def _claims(answer: str, question: str) -> list[_Claim]:
    asked = _lemmas(question)
    # Of other languages we have no list of words without content, so that fewer of a question's words can be in a line.
    settles = _SETTLES if language_of(question) == "en" else _COMPARABLE
    claims: list[_Claim] = []
    for number, sentence in enumerate(split_sentences(_FRAME.sub(" ", answer))):
        said_no, after_all = _NO.match(sentence), _YES_AFTER_ALL.match(sentence)
        yes_or_no = (said_no or after_all or _YES.match(sentence)) if number == 0 else None
        rest = sentence[yes_or_no.end() :] if yes_or_no else sentence
        if yes_or_no and _lemmas(rest) <= asked | _MANNER:  # "Yes, Ann did."
            denied = bool(said_no) or (bool(after_all) and denies(question))
            claims.append(_Claim(text=question, asks="", denied=denied, bare=True, settled_by=settles))
        else:
            asks = question if len(rest.split()) <= _FEW_WORDS else ""
            claims.append(_Claim(text=rest, asks=asks, denied=False, bare=False, settled_by=_HINTS))
    return claims


def _compare(claim: _Claim, evidence: list[str], speakers: frozenset[str]) -> str:
    """Return pass, fail or unsure for one claim over the clauses of the cited lines."""
    about = claim.about(speakers)
    if not about:
        return "unsure" if claim.bare else "pass"
    shares = [(len(about & _lemmas(clause)) / len(about), clause) for clause in evidence]
    best = max((share for share, _ in shares), default=0.0)
    if best < claim.settled_by:
        return "unsure" if claim.bare else "pass"
    found = {claim.against(clause, speakers, ". ".join(evidence)) for share, clause in shares if share == best}
    return next(status for status in ("pass", "unsure", "fail") if status in found)


def _lemmas(text: str) -> frozenset[str]:
    """Return the terms of a text, irregular verbs as their infinitives."""
    return terms(" ".join(map(lemma, analyse(text).words)))


def _opposite(of: Polarity) -> Polarity:
    return "denied" if of == "affirmed" else "affirmed"
