"""What kind of answer a question asks for, and whether for several: by the question words of English, without a parse."""

import re

__all__ = ["KINDS", "asks_several", "kind_of"]

_PATTERNS = (
    ("how_many", r"\bhow (?:many|much|often)\b"),
    ("how_long", r"\bhow (?:long|old)\b"),
    ("when", r"\bwhen\b|\bwhat (?:date|day|month|year|time)\b|\bwhich (?:month|year|day)\b"),
    ("who", r"\bwho(?:m|se)?\b"),
    ("where", r"\bwhere\b|\b(?:what|which) (?:country|city|state|place)\b"),
    ("why", r"\bwhy\b"),
    ("which", r"\bwhich\b"),
    ("what", r"\bwhat\b|\bhow\b"),
    ("whether", r"^(?:is|are|was|were|did|does|do|has|have|had|can|could|would|will)\b"),
)
_KINDS = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _PATTERNS)
KINDS = (*(kind for kind, _ in _KINDS), "other")
_SEVERAL = re.compile(r"\b(?:what|which)\s+(?:\w+\s+){0,2}?(?!(?:does|is|was|has|his|its|this)\b)\w+s\b", re.IGNORECASE)


def kind_of(question: str) -> str:
    """Return which of `KINDS` a question is of."""
    return next((kind for kind, pattern in _KINDS if pattern.search(question.strip())), "other")


def asks_several(question: str) -> bool:
    """Return whether a question asks for more than one thing ("which cities ...")."""
    return bool(_SEVERAL.search(question))
