"""Words and terms: lower-cased words; without stop words and stemmed (Snowball English), they are terms.

Scripts without spaces (Han, kana, Hangul, Thai) are read by character. The one stop list and the one stemmer of the house.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from threading import Lock

import snowballstemmer

__all__ = ["STOP_WORDS", "content_terms", "stem", "stems", "words"]

_SPACELESS = "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
_WORD = re.compile(rf"[{_SPACELESS}]|(?:(?![{_SPACELESS}])[^\W_])+(?:'(?:(?![{_SPACELESS}])[^\W_])+)*")
_ASCII_WORD = re.compile(r"[a-z0-9]+(?:'[a-z0-9]+)*")  # what _WORD finds in ASCII text, four times as fast
STOP_WORDS = frozenset(
    """a about after again all also am an and any are aren't as at be because been before being both but by can can't could
    couldn't did didn't do does doesn't doing don't each few for from further had hadn't has hasn't have haven't having he
    he's her here hers herself him himself his how i i'd i'll i'm i've if in into is isn't it it's its itself just let's me
    more most mustn't my myself nor now of off on once only or other our ours ourselves out over own same shan't she she's
    should shouldn't so some such than that that's the their theirs them themselves then there there's these they they're
    this that those through to too under until up very was wasn't we we're were weren't what what's when when's where where's
    which while who who's whom why why's will with won't would wouldn't you you're your yours yourself yourselves
    hey hi hello yeah yes wow oh ok okay thanks thank gonna wanna kinda really""".split()
)
_STEMMER = snowballstemmer.stemmer("english")
_STEMMER_IN_USE = Lock()  # a Snowball stemmer keeps the word it works on


def words(text: str) -> list[str]:
    """Return the words of `text`, lower-cased, in order."""
    lowered = text.lower().replace("\u2019", "'")
    found: list[str] = (_ASCII_WORD if lowered.isascii() else _WORD).findall(lowered)
    return found


def content_terms(text: str) -> tuple[str, ...]:
    """Return the stems of the words of `text` that carry content, in order, repetitions kept."""
    return stems(words(text))


def stems(said: Iterable[str]) -> tuple[str, ...]:
    """Return the stems of those of these lower-cased words that carry content, in order."""
    return tuple(filter(None, map(stem, said)))


@lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    """Return the stem of a lower-cased word; "" for a stop word."""
    if word in STOP_WORDS:
        return ""
    with _STEMMER_IN_USE:
        found: str = _STEMMER.stemWord(word.removesuffix("'s").replace("'", ""))
    return found
