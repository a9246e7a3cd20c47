"""Polarity: does a clause affirm or deny? By the words of denial of eleven languages, without an understanding of their scope.

Clauses are what stands between punctuation and words such as "but", so that a denial counts for its own clause only. Verbs deny
too ("I turned it down", "it fell through"). Other words leave open whether a thing is so ("I almost went", "I used to own it").
`polarity` knows those of English that stand here, after the classes of implicative and non-factive predicates (Karttunen, Language
47, 1971; Nairn, Condoravdi and Karttunen, ICoS 2006), and the commonest of the second kind in ten more languages. Irony, and what
only knowledge of the world denies ("I am allergic to it"), are not known.
"""

import re
from typing import Literal

__all__ = ["Polarity", "clauses", "denies", "polarity"]

Polarity = Literal["affirmed", "denied", "open"]

_CLAUSE_END = re.compile(
    r"[.!?;,:()\n\u3002\uff0c\uff01\uff1f]+|\s[-\u2013\u2014]\s|\b(?:but|although|though|however|because|so|and|while|whereas|except"
    r"|aber|sondern|und|mais|et|car|pero|sino|y|porque|no entanto|mas|ma|maar|en)\b",
    re.IGNORECASE,
)
_NEGATION = (
    r"\b(?:not|never|nobody|nothing|none|no|nor|neither|without|cannot)\b|n['\u2019]t\b"
    r"|\b(?:nicht|kein\w*|nie|niemals|niemand|nichts|ohne)\b"
    r"|\bne\s|\bn['\u2019]|\b(?:pas|jamais|aucune?|personne|rien|sans)\b"
    r"|\b(?:nunca|jam\u00e1s|nadie|nada|ning\u00fan|ninguna?|sin|non|mai|nessun\w*|niente|senza|n\u00e3o|nenhuma?|sem|niet|geen|nooit|zonder)\b"
    r"|\b(?:\u043d\u0435|\u043d\u0435\u0442|\u043d\u0438\u043a\u043e\u0433\u0434\u0430|\u043d\u0438\u043a\u0442\u043e|\u0431\u0435\u0437)\b"
    r"|\u4e0d(?![\u9519\u4e45])|[\u6ca1\u6c92\u672a\u65e0\u7121]|\u306a\u3044|\u306a\u304b\u3063|\u307e\u305b\u3093|\uc548\s|\uc54a|\ubabb|\uc5c6"
)
_NEGATES = re.compile(_NEGATION, re.IGNORECASE)
_DENIES = re.compile(
    r"\b(?:hardly|barely|scarcely|refus(?:e|es|ed|ing)|fail(?:s|ed)?\s+to|missed|skipped|did\s+\w+\s+(?:miss|skip)|cancell?ed"
    r"|stopped|quit|gave\s+up|no\s+longer|rather\s+than|instead\s+of)\b|" + _NEGATION,
    re.IGNORECASE,
)
_ONLY_LOOKS_SO = re.compile(
    r"\bnot\s+(?:only|just|bad)\b|\bno\s+(?:doubt(?:\s+(?:that\s+)?\w+\s+would)?|problem|wonder|worries)\b|\bcan['\u2019]t\s+(?:\w+\s+)?(?:wait|complain|help)\b|\bwhy\s+not\b"
    r"|\bnothing\s+but\b|\bcouldn['\u2019]t\s+be\s+(?:happier|better|prouder)\b|\bnever\s+(?:been|felt)\s+\w+er\b|\bor\s+not\b|\bno\s+less\b",
    re.IGNORECASE,
)
_SOME = r"(?:\s+\w+){0,4}?\s+"  # an object: "turned THE OFFER down"
# Verbs by which a clause denies what they govern: one pattern a verb and its synonyms.
_OPPOSITES = tuple(
    re.compile(rf"\b(?:{verbs})\b", re.IGNORECASE)
    for verbs in (
        rf"refus\w+|declin(?:e|es|ed|ing)|reject\w*|turn(?:s|ed|ing)?(?:\s+down|{_SOME}down)",
        r"fail(?:s|ed|ing)?|flunk\w*|bombed",
        rf"miss(?:es|ed|ing)?|skip(?:s|ped|ping)?|g[ai]v(?:e|en|ing){_SOME}a\s+miss|sat\s+(?:it|\w+)\s+out|stay(?:ed|ing)?\s+away",
        rf"cancel\w*|call(?:s|ed|ing)?(?:\s+off|{_SOME}off)|scrap(?:ped|ping)|shelved|abandon\w*",
        rf"stop(?:s|ped|ping)?|quit\w*|g[ai]v(?:e|es|en|ing)(?:\s+up|{_SOME}up)|kick(?:ed|ing)?\s+the\s+habit|off\s+the",
        r"avoid\w*|refrain\w*|abstain\w*|steer(?:s|ed|ing)?\s+clear|stays?\s+off|swore\s+off",
        r"forg[eo]t(?:ten|s|ting)?\s+(?:to|about)|neglect\w*\s+to|omitt?\w*",
        r"decid(?:e|ed|ing)\s+against|(?:opt|pull|back|bail|chicken|dropp?)(?:s|ed|ing)?\s+out|thought\s+better|changed\s+(?:my|our)\s+minds?",
        r"f[ae]ll(?:en|s)?\s+(?:through|flat)|c[ao]me\s+to\s+nothing|never\s+happened|rained\s+off",
        rf"rul(?:e|ed|ing)(?:\s+out|{_SOME}out)|den(?:y|ies|ied|ying)|disproved",
        r"(?:have|has|had|'ve|am|is|are|'s|'m)\s+yet\s+to|far\s+from|anything\s+but|free\s+(?:of|from)|lack(?:s|ed|ing)?|devoid",
        r"rarely|seldom|hardly|barely|scarcely",
        r"unable|incapable|impossible|without|instead\s+of|rather\s+than|no\s+longer",
        r"hat(?:e|es|ed|ing)|dislik\w*|detest\w*|loath\w*|despis\w*|not\s+a\s+fan|no\s+fan|can\w?['\u2019]?t\s+stand|sick\s+of",
        r"los(?:e|es|t|ing)|defeated|beaten",
        r"untrue|false|fake|a\s+(?:lie|myth|rumou?r)|mistaken",
    )
)
# Words that leave open whether what they govern is so, or is so still.
_OPEN = tuple(
    re.compile(rf"\b(?:{words})|{unbounded}", re.IGNORECASE)
    for words, unbounded in (
        (
            r"(?:almost|nearly|all\s+but|on\s+the\s+verge|close\s+to)\b|(?:fast|beinahe|presque|casi|quasi|quase|bijna|\u043f\u043e\u0447\u0442\u0438)\b",
            "\u5dee\u70b9|\u5dee\u4e00\u70b9|\u5dee\u9ede|\u3068\u3053\u308d\u3060\u3063\u305f|\ubed4\ud588",
        ),
        (
            r"(?:wish(?:es|ed|ing)?|would|if|unless|could\s+have|should\s+have|might\s+have|supposed\s+to|if\s+only|imagin\w*|pretend\w*|dream(?:s|t|ed|ing)?)\b"
            r"|(?:w\u00fcrden?|h\u00e4tten?|w\u00e4ren?|falls|ojal\u00e1|quisiera|gustar\u00eda|habr\u00eda|hubiera|voudrais|aurais|aurait|aimerais|vorrei"
            r"|avrei|sarei|queria|gostaria|teria|zou|zouden|\u0431\u044b|\u0435\u0441\u043b\u0438)\b",
            r"\w['\u2019]d\b|\u5982\u679c|\u8981\u662f|\u3082\u3057|\ub9cc\uc57d",
        ),
        (
            r"(?:used?\s+to|former(?:ly)?|once|back\s+when|in\s+the\s+past|previously)\b"
            r"|(?:fr\u00fcher|ehemals|autrefois|avant|antes|sol\u00eda|prima|una\s+volta|costumava|vroeger|\u0440\u0430\u043d\u044c\u0448\u0435)\b",
            "\u4ee5\u524d|\u6614|\u66fe\u7ecf|\u66fe\u7d93|\uc608\uc804",
        ),
        (
            r"(?:s(?:ell(?:s|ing)?|old)|got\s+rid\s+of|g[ai]v(?:e|en|ing)\s+away|thr[eo]w(?:n)?\s+(?:\w+\s+)?(?:out|away)|donated|died|dead|passed\s+away|broke\s+up|divorced|split\s+up|moved\s+out|returned|stolen)\b",
            "(?!)",
        ),
    )
)
# Wishes, plans and guesses: they settle no bare yes or no, though an answer may give them as what they are.
_PLANNED = tuple(
    re.compile(rf"\b(?:{words})\b", re.IGNORECASE)
    for words in (
        r"want(?:s|ed|ing)?|hop(?:e|es|ed|ing)|dream(?:s|ed|ing)?|tempted|keen|lov(?:e|ed)\s+to",
        r"plan(?:s|ned|ning)?|going\s+to|gonna|intend\w*|about\s+to|aim(?:s|ing)?\s+to|promis\w*|meant\s+to|will|shall|appl(?:y|ied|ying)",
        r"might|(?-i:may)|maybe|perhaps|possibly|could|consider\w*|think(?:ing)?\s+(?:of|about)|wonder\w*|whether|tr(?:y|ied|ying)\s+to|ask(?:ed|ing)?",
    )
)


def polarity(clause: str, beside: str, *, bare: bool = False) -> Polarity:
    """Return what a clause says of the matter of `beside`, a question or an answer.

    A verb that denies is a part of the matter where `beside` has it too: "I quit smoking" denies that somebody smokes, and affirms
    that she quit. Two denials leave it open. `bare`: what is only wished, planned or possible leaves it open as well.
    """
    plain = _ONLY_LOOKS_SO.sub(" ", clause)
    if any(one.search(plain) and not one.search(beside) for one in (*_OPEN, *(_PLANNED if bare else ()))):
        return "open"
    opposite = any(one.search(plain) and not one.search(beside) for one in _OPPOSITES)
    for one in _OPPOSITES:
        plain = one.sub(" ", plain)
    negated = bool(_NEGATES.search(plain))
    if opposite and negated:
        return "open"
    return "denied" if opposite or negated else "affirmed"


def denies(text: str) -> bool:
    """Return whether a clause holds a word of denial."""
    return bool(_DENIES.search(text)) and bool(_DENIES.search(_ONLY_LOOKS_SO.sub(" ", text)))


def clauses(text: str) -> list[str]:
    """Return the clauses of a text, in order, without what divides them."""
    return [clause for part in _CLAUSE_END.split(text) if (clause := part.strip())]
