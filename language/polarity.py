"""Polarity: does a clause affirm or deny? By the words of denial of eleven languages, without an understanding of their scope.

Clauses are what stands between punctuation and words such as "but", so that a denial counts for its own clause only. Irony, double
denials and denials by meaning ("I failed to", "it was cancelled") beyond a short list are not known.
"""

import re

__all__ = ["clauses", "denies"]

_CLAUSE_END = re.compile(
    r"[.!?;,:()\n\u3002\uff0c\uff01\uff1f]+|\s[-\u2013\u2014]\s|\b(?:but|although|though|however|because|so|and|while|whereas|except"
    r"|aber|sondern|und|mais|et|car|pero|sino|y|porque|no entanto|mas|ma|maar|en)\b",
    re.IGNORECASE,
)
_DENIES = re.compile(
    r"\b(?:not|never|nobody|nothing|none|no|nor|neither|without|cannot|hardly|barely|scarcely|refus(?:e|es|ed|ing)|fail(?:s|ed)?\s+to"
    r"|missed|skipped|did\s+\w+\s+(?:miss|skip)|cancell?ed|stopped|quit|gave\s+up|no\s+longer|rather\s+than|instead\s+of)\b|n['\u2019]t\b"
    r"|\b(?:nicht|kein\w*|nie|niemals|niemand|nichts|ohne)\b"
    r"|\bne\s|\bn['\u2019]|\b(?:pas|jamais|aucune?|personne|rien|sans)\b"
    r"|\b(?:nunca|jam\u00e1s|nadie|nada|ning\u00fan|ninguna?|sin|non|mai|nessun\w*|niente|senza|n\u00e3o|nenhuma?|sem|niet|geen|nooit|zonder)\b"
    r"|\b(?:\u043d\u0435|\u043d\u0435\u0442|\u043d\u0438\u043a\u043e\u0433\u0434\u0430|\u043d\u0438\u043a\u0442\u043e|\u0431\u0435\u0437)\b"
    r"|\u4e0d(?![\u9519\u4e45])|[\u6ca1\u6c92\u672a\u65e0\u7121]|\u306a\u3044|\u306a\u304b\u3063|\u307e\u305b\u3093|\uc548\s|\uc54a|\ubabb|\uc5c6",
    re.IGNORECASE,
)
_ONLY_LOOKS_SO = re.compile(
    r"\bnot\s+(?:only|just|bad)\b|\bno\s+(?:doubt|problem|wonder|worries)\b|\bcan['\u2019]t\s+(?:wait|complain|help)\b|\bwhy\s+not\b"
    r"|\bnothing\s+but\b|\bcouldn['\u2019]t\s+be\s+(?:happier|better|prouder)\b|\bnever\s+(?:been|felt)\s+\w+er\b|\bor\s+not\b|\bno\s+less\b",
    re.IGNORECASE,
)


def denies(text: str) -> bool:
    """Return whether a clause holds a word of denial."""
    return bool(_DENIES.search(_ONLY_LOOKS_SO.sub(" ", text)))


def clauses(text: str) -> list[str]:
    """Return the clauses of a text, in order, without what divides them."""
    return [clause for part in _CLAUSE_END.split(text) if (clause := part.strip())]
