"""The guard over polarity: an answer must not affirm what its line denies, nor deny what its line affirms.

Compared by clauses: the one of the cited lines that shares most words with the answer, or with the question where the answer is a
bare yes or no. What shares too few words cannot be compared, and is unsure for a bare yes or no.
"""

import re
from dataclasses import dataclass
from typing import ClassVar

from cascade.claims import terms
from cascade.decision import Verdict
from cascade.guards.guard import Case, Cost
from language import split_sentences
from language.polarity import clauses, denies

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
_FEW_WORDS = 4  # an answer so short says what the question says of it
_COMPARABLE = 0.5  # share of the words that a clause must hold to be about the same thing
_HINTS = 0.3  # below it a clause says nothing of the matter


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claim:
    """What is claimed: the words it is about, whether it denies, and whether it is a bare yes or no to the question."""

    about: frozenset[str]
    denies: bool
    bare: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PolarityGuard:
    """Passes if every sentence has the polarity of the clause it rests on; unsure where a bare yes or no rests on none."""

    name: ClassVar[str] = "polarity"
    version: ClassVar[str] = "1"
    cost: ClassVar[Cost] = "cpu"

    async def check(self, case: Case) -> Verdict:
        """Judge the draft sentence by sentence; the worst verdict counts."""
        if case.draft.abstains or not case.draft.answer:
            return self._verdict("pass", "nothing is claimed")
        cited = [quote.text for quote in case.brief.quotes if quote.n in case.draft.citations]
        evidence = [clause for text in cited for clause in clauses(text)]
        found = [_compare(claim, evidence) for claim in _claims(case.draft.answer, case.brief.question)]
        for status, reason in (
            ("fail", "a cited line says the opposite"),
            ("unsure", "no cited line settles a yes or no"),
        ):
            if status in found:
                return self._verdict(status, reason)
        return self._verdict("pass", "no cited line says the opposite")

    def _verdict(self, status: str, reason: str) -> Verdict:
        score = {"pass": 1.0, "unsure": 0.5}.get(status, 0.0)
        return Verdict(guard=self.name, status=status, score=score, reason=reason)  # type: ignore[arg-type]


def _claims(answer: str, question: str) -> list[_Claim]:
    asked, asks_denied = terms(question), denies(question)
    claims: list[_Claim] = []
    for number, sentence in enumerate(split_sentences(_FRAME.sub(" ", answer))):
        said_no, after_all = _NO.match(sentence), _YES_AFTER_ALL.match(sentence)
        yes_or_no = (said_no or after_all or _YES.match(sentence)) if number == 0 else None
        rest = sentence[yes_or_no.end() :] if yes_or_no else sentence
        if yes_or_no and terms(rest) <= asked | _MANNER:  # "Yes, Ann did."
            denied = not after_all and bool(said_no) != asks_denied
            claims.append(_Claim(about=asked, denies=denied, bare=True))
        else:
            short = len(rest.split()) <= _FEW_WORDS
            claims.append(_Claim(about=terms(rest), denies=denies(rest) != (short and asks_denied), bare=False))
    return claims


def _compare(claim: _Claim, evidence: list[str]) -> str:
    """Return pass, fail or unsure for one claim over the clauses of the cited lines."""
    if not claim.about:
        return "unsure" if claim.bare else "pass"
    shares = [(len(claim.about & terms(clause)) / len(claim.about), denies(clause)) for clause in evidence]
    best = max((share for share, _ in shares), default=0.0)
    if best < (_COMPARABLE if claim.bare else _HINTS):
        return "unsure" if claim.bare else "pass"
    polarities = {polarity for share, polarity in shares if share == best}
    return "pass" if claim.denies in polarities else "fail"
