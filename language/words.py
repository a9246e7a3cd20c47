"""Words and terms: lower-cased words; search terms are their stems (Snowball), folded, without English stop words.

`words` reads scripts without spaces (Han, kana, Hangul, Thai) by character. Terms of such scripts are overlapping pairs of
characters, as in Lucene's `CJKBigramFilter`: a single character of Chinese is in every third sentence, a pair of them is nearly a
word. A term is a key to search by and is never shown, so it leaves out what people leave out when they type: accents, the vowel
points of Arabic and Hebrew, which form of alef it is. Words in Cyrillic are stemmed as Russian, in Devanagari as Hindi,
all others as English: a short text does not show its language. The one stop list and the stemmers of the house.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from threading import Lock
from unicodedata import normalize

import snowballstemmer

__all__ = ["STOP_WORDS", "TERMS_VERSION", "content_terms", "folded_stem", "stem", "stems", "words"]

TERMS_VERSION = (
    "3"  # of `content_terms`: another one means that stored terms are of no use, and every index is made anew
)

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
_OF_SCRIPT = (
    ("\u0400", "\u052f", snowballstemmer.stemmer("russian")),
    ("\u0900", "\u097f", snowballstemmer.stemmer("hindi")),
)  # from the first letter to the last of the script
_STEMMER_IN_USE = Lock()  # a Snowball stemmer keeps the word it works on

# Runs of scripts without spaces, for terms: Han with kana (a Japanese word mixes them), Hangul, Thai, Lao, Burmese, Khmer.
_RUNS = (
    "\u3005-\u3007\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff",
    "\uac00-\ud7af",
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e50-\u0e59",
    "\u0e81-\u0edf",
    "\u1000-\u1049\u1050-\u109f",
    "\u1780-\u17d3\u17dc-\u17e9",
)
_MARKS = (  # vowel signs and accents, which are letters of no kind for `re`, but stand inside words
    "\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc"
    "\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u0900-\u0963\u0971-\u0df3\u2044"
)
_LETTER = rf"(?![{''.join(_RUNS)}])[^\W_]"
_INSIDE = rf"(?:{_LETTER}|[{_MARKS}])"
_RUN_OR_WORD = re.compile(rf"({'|'.join(f'[{run}]+' for run in _RUNS)})|({_LETTER}{_INSIDE}*(?:'{_INSIDE}+)*)")
_LEFT_OUT = re.compile(
    r"(?<=[a-z\u0370-\u03ff])[\u0300-\u036f]+"  # accents of Latin and Greek letters
    r"|[\u0591-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed]"  # points of Hebrew and Arabic, the tatweel
)
_ALIKE = str.maketrans(
    {
        "\u00df": "ss",
        "\u00e6": "ae",
        "\u0153": "oe",
        "\u00f8": "o",
        "\u0111": "d",
        "\u00f0": "d",
        "\u00fe": "th",
        "\u0142": "l",
        "\u0131": "i",
        "\u0451": "\u0435",  # Polish l, Turkish i, Russian yo
        "\u0671": "\u0627",
        "\u0649": "\u064a",
        "\u0629": "\u0647",
        "\u06cc": "\u064a",
        "\u06a9": "\u0643",  # Arabic
        **{chr(zero + digit): str(digit) for zero in (0x660, 0x6F0, 0x966) for digit in range(10)},
    }
)
_UNSEEN = str.maketrans(dict.fromkeys("\u00ad\u200d\ufeff"))  # soft hyphens and joiners


def words(text: str) -> list[str]:
    """Return the words of `text`, lower-cased, in order."""
    lowered = text.lower().replace("\u2019", "'")
    found: list[str] = (_ASCII_WORD if lowered.isascii() else _WORD).findall(lowered)
    return found


def content_terms(text: str) -> tuple[str, ...]:
    """Return the search terms of `text`, in order, repetitions kept: what a question and a passage have in common if they match.

    A term of a script with spaces is the stem of a word, folded; stop words are none. A run of another script gives its pairs of
    characters, one that stands alone itself. Compatibility forms (full-width letters, ligatures) count as the plain ones (NFKC).
    """
    lowered = text.lower().replace("\u2019", "'")
    if lowered.isascii():
        return stems(_ASCII_WORD.findall(lowered))
    plain = normalize("NFKC", text.translate(_UNSEEN)).lower().replace("\u2019", "'")
    found: list[str] = []
    for run, word in _RUN_OR_WORD.findall(plain):
        if run:
            found += [run[place : place + 2] for place in range(len(run) - 1)] or [run]
        else:
            found.append(stem(word) if word.isascii() else folded_stem(word))
    return tuple(filter(None, found))


def stems(said: Iterable[str]) -> tuple[str, ...]:
    """Return the stems of those of these lower-cased words that carry content, in order."""
    return tuple(filter(None, map(stem, said)))


@lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    """Return the stem of a lower-cased word; "" for a stop word."""
    return "" if word in STOP_WORDS else _stemmed(word)


@lru_cache(maxsize=100_000)
def folded_stem(word: str) -> str:
    """Return the stem of a lower-cased word with letters beyond ASCII, without what is left out in typing; it is no stop word."""
    bare = _LEFT_OUT.sub("", normalize("NFD", word))
    return _stemmed(normalize("NFC", bare).translate(_ALIKE))


def _stemmed(word: str) -> str:
    stemmer = next((own for first, last, own in _OF_SCRIPT if first <= word[:1] <= last), _STEMMER)
    with _STEMMER_IN_USE:
        found: str = stemmer.stemWord(word.removesuffix("'s").replace("'", ""))
    return found
