"""How near is an answer? Token F1 as LoCoMo's own code has it (Maharana et al., ACL 2024), and whether it holds the gold answer.

Multi-hop answers are compared part by part, open-domain ones up to the first semicolon; an unanswerable question is answered
rightly by an abstention. When an answer counts as right is for `rightness`.
"""

import re
import string
from collections import Counter
from functools import cache
from statistics import mean

import snowballstemmer

from eval.locomo.data import ADVERSARIAL

__all__ = ["answer_f1", "contains", "token_f1"]

_ARTICLES = re.compile(r"\b(?:a|an|the|and)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ABSTAINS = ("no information available", "not mentioned")
_MULTI_HOP, _OPEN = "multi-hop", "open-domain"


def token_f1(gold: str, answer: str) -> float:
    """Return the F1 of the two texts' stemmed tokens, articles and punctuation apart."""
    wanted, said = _stems(gold), _stems(answer)
    shared = sum((Counter(wanted) & Counter(said)).values())
    if not shared:
        return 0.0
    precision, recall = shared / len(said), shared / len(wanted)
    return 2 * precision * recall / (precision + recall)


def answer_f1(kind: str, gold: str, answer: str, *, abstained: bool) -> float:
    """Score an answer as LoCoMo's own code does its kind; `abstained` stands for its phrases of abstention."""
    if kind == ADVERSARIAL:
        return float(abstained or any(phrase in answer.lower() for phrase in _ABSTAINS))
    if kind == _MULTI_HOP:
        parts = [part.strip() for part in answer.split(",")]
        return mean(max(token_f1(wanted.strip(), part) for part in parts) for wanted in gold.split(","))
    return token_f1(gold.split(";", maxsplit=1)[0].strip() if kind == _OPEN else gold, answer)


def contains(gold: str, answer: str) -> bool:
    """Return whether an answer holds the gold one, its words in a row: case, articles, punctuation and spaces apart."""
    wanted = " ".join(_words(gold))
    return bool(wanted) and f" {wanted} " in f" {' '.join(_words(answer))} "


def _words(text: str) -> list[str]:
    return _ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split()


def _stems(text: str) -> list[str]:
    return [str(_stemmer().stemWord(word)) for word in _words(text)]


@cache
def _stemmer() -> snowballstemmer.stemmer:
    return snowballstemmer.stemmer("porter")
