"""Whether a request asks for work or advice ("write ...", "how should I ..."), and not for a fact ("when did I ...?").

By tables of phrases of eleven languages (`work.toml`), sentence by sentence: one that asks for what was said or has happened
asks for a fact, whatever else it holds, unless it begins as work does. A text that neither asks nor begins so asks for no work.
"""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from language.identification import language_of
from language.segmentation.passages import split_sentences

__all__ = ["asks_for_work", "asks_what_was_said"]

_LEAD = r"^[\W_]*"
_UNSPACED = frozenset({"zh", "ja", "ko"})
_READ_CHARS = 4_000  # of a long message: what is asked stands at its beginning or its end
_SAID = re.compile(
    r"\b(?:did|have|had|has) (?:i|we|you)(?: ever| already)?"
    r" (?:say|said|tell|told|mention|ask|talk|discuss|bring|brought|recommend|suggest)"
    r"|\b(?:i|we|you)(?:'ve| have| had)? (?:said|told|mentioned|asked|talked|discussed|brought up|recommended|suggested)\b"
    r"|\b(?:remember|remind|recall)\b|\bour (?:conversations?|chats?|discussions?)\b",
    re.IGNORECASE,
)
_INTRODUCTION = re.compile(
    r"^[^?]{0,400}?(?:,|\bso\b|\band\b|\bbut\b|:)\s*(?=(?:can|could|would|will|how|what|which|should|where|help|please|any)\b)",
    re.IGNORECASE,
)


def asks_for_work(text: str) -> bool:
    """Return whether any sentence of `text` asks for work or advice, and for no fact."""
    read = text if len(text) <= _READ_CHARS else f"{text[: _READ_CHARS // 2]}\n{text[-_READ_CHARS // 2 :]}"
    known = language_of(read)
    return any(_asks(sentence, known) for sentence in split_sentences(read))


def asks_what_was_said(text: str) -> bool:
    """Return whether `text` asks for what was said, and by whom, rather than for what is so. English only."""
    return bool(_SAID.search(text))


def _asks(sentence: str, known: str | None) -> bool:
    patterns = _patterns_of(language_of(sentence) or known)
    asked = _INTRODUCTION.sub("", sentence)
    if patterns["recalls"].search(asked):
        return False
    return bool(
        patterns["opening"].search(asked) or patterns["opening"].search(sentence) or patterns["work"].search(asked)
    )


@cache
def _patterns_of(language: str | None) -> dict[str, re.Pattern[str]]:
    """Return the pattern of each group of phrases in a language; where it is not known, in any."""
    tables: dict[str, dict[str, list[str]]] = tomllib.loads(
        files("language.requests").joinpath("work.toml").read_text("utf-8")
    )
    chosen = {language: tables[language]} if language in tables else tables
    return {
        "opening": _joined(chosen, "opening", lead=_LEAD),
        "work": _joined(chosen, "work"),
        "recalls": _joined(chosen, "recalls"),
    }


def _joined(
    tables: Mapping[str | None, Mapping[str, list[str]]] | Mapping[str, Mapping[str, list[str]]],
    name: str,
    lead: str = "",
) -> re.Pattern[str]:
    phrases = []
    for language, table in tables.items():
        start, end = ("", "") if language in _UNSPACED else (lead or r"(?<!\w)", r"(?!\w)" if not lead else "")
        phrases.append(f"{lead if language in _UNSPACED else start}(?:{'|'.join(table[name])}){end}")
    return re.compile("|".join(phrases), re.IGNORECASE)
