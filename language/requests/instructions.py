"""What a clause has of a standing instruction or preference: "always show types", "I prefer few dependencies", "call me Sam".

Cues of eleven languages, by tables of phrases (`instructions.toml`), without grammar. A clause ends where another thing begins: "I
prefer few dependencies, can you help me with the cache?" is a preference, and a request. What the writer does not say for himself
is left out before: quotations, pasted texts, programs, tables. Which cues make an instruction is not known here; that is fitted
(`memory.recall.standing.recognition`).
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

from language.identification import language_of
from language.polarity import denies
from language.segmentation.blocks import blocks_of, in_code
from language.segmentation.passages import Passage, header_of
from language.words import content_terms, stems

__all__ = [
    "CUES",
    "INSTRUCTIONS_VERSION",
    "Clause",
    "address_of",
    "clauses_with_cues",
    "condition_of",
    "own_words",
    "subject_terms",
]

INSTRUCTIONS_VERSION = (
    "1"  # of the cues and the model over them: another one means that what was recognised is made anew
)
_STRONG = ("imperative", "always", "condition", "obliges", "prefers", "likes", "dislikes", "diet", "address")
_BESIDE = ("form", "answers", "request", "once", "habit", "past", "others")
CUES = (
    *_STRONG, *_BESIDE, "asks", "asks_beside", "says_i", "directs_always", "directs_form", "directs_when", "directs_once",
    "obliges_always", "address_once", "likes_form", "long",
)  # fmt: skip
_UNSPACED = frozenset({"zh", "ja", "ko"})
_LONG_WORDS = 40
_BLANK = "\0"
_LONG_TURN = 1_200  # characters; behind its first paragraph, so long a message is mostly something pasted
_MOST_OF = 0.5
_KEPT = 4_096  # short texts of instructions, whose subjects are kept

_QUOTED = re.compile(
    r"\"[^\"\n]{8,}\"|\u201c[^\u201d\n]{8,}\u201d|\u00ab[^\u00bb\n]{8,}\u00bb|\u201e[^\u201c\u201d\n]{8,}[\u201c\u201d]"
    r"|(?<!\w)'[^'\n]{12,}'(?!\w)|\u2018[^\u2019\n]{12,}\u2019(?!\w)|[\u300c\u300e][^\u300d\u300f\n]{4,}[\u300d\u300f]|`[^`\n]+`"
)
_OWN_LABELS = (
    r"(?i:note|rules?|reminder|remember|p\.?s|also|important|please|fyi|preferences?|style|format|tone|units?)"
)
_QUOTED_LINE = re.compile(
    rf"^[ \t]*(?:>|\[\d+\]\s|(?!{_OWN_LABELS}:)(?:[A-Z][\w.]*(?: [A-Z][\w.]*)?|user|assistant|system|human|ai):\s).*$",
    re.MULTILINE,
)
_INTRODUCES = re.compile(r"^(?P<said>[^\n]*[:\uff1a])[ \t]*\n(?P<after>[\s\S]+)\Z", re.MULTILINE)
_PARAGRAPH_END = re.compile(r"\n[ \t]*\n|\n[ \t]*(?:```|~~~)")
_CONDITION = re.compile(
    r"\b(?:when(?:ever)?|if|any ?time|every time|each time)\s+(?:i|we)(?:'m| am)?\s+(?:ask|inquire|talk)\w*\s+"
    r"(?:(?:you\s+)?(?:about|for|to)\s+)?(?P<subject>[^,.!?;]{3,120})",
    re.IGNORECASE,
)
_ENDS_ASKING = ("?", "\uff1f")

_WORDING = ("always", "obliges", "prefers", "likes", "dislikes", "diet", "answers")
# Verbs and other words that direct, and say nothing of what is directed.
_GENERIC = frozenset(
    stems(
        """use give write answer reply respond include add show provide keep make put do avoid stop skip omit eat drink have want
        need like love hate prefer please actually thing ever not no instead anymore longer always never time whenever every ask
        again okay fine back now""".split()
    )
)
_SLOTS = {
    "pronouns": re.compile(r"pronoun|\b(?:he|she|they)[/ ]", re.IGNORECASE),
    "form": re.compile(
        r"duz|siez|tuto|tut\u00e9|vouvo|\bdel (?:tu|lei)\b|\u043d\u0430 (?:\u00ab)?\u0442\u044b|\ubc18\ub9d0|\uc874\ub313\ub9d0",
        re.IGNORECASE,
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """A clause `[start, end)` of a text that may say what its writer wants always, and its value of each of `CUES`."""

    start: int
    end: int
    cues: Mapping[str, float]


def own_words(text: str) -> str:
    """Return `text`, at its own length, with what the writer does not say for himself blanked out.

    That is quotations, quoted lines, what follows an announcing line ("Translate this:"), and all but the first paragraph of a long
    message.
    """
    if len(text) > _LONG_TURN and (end := _PARAGRAPH_END.search(text)):
        text = text[: end.start()] + _BLANK * (len(text) - end.start())
    announced = _INTRODUCES.search(text)
    if announced and not _pattern_of("own_rules").search(announced["said"]):
        text = text[: announced.start("after")] + _BLANK * len(announced["after"])
    for pattern in (_QUOTED, _QUOTED_LINE, _reports()):
        text = pattern.sub(lambda match: _BLANK * len(match[0]), text)
    return text


def clauses_with_cues(text: str, passages: Sequence[Passage]) -> list[Clause]:
    """Return the clauses of these passages of `text` that have a cue of an instruction or a preference, in order."""
    found: list[Clause] = []
    own = own_words(text).replace("\u2019", "'")  # of equal length
    known = language_of(text[:_LONG_TURN])
    for passage in passages:
        said = own[passage.start : passage.end]
        if said.count(_BLANK) > _MOST_OF * len(said) or in_code(text, passage.start) or header_of(text, passage):
            continue
        if not any(block.kind == "prose" for block in blocks_of(said)):
            continue
        patterns = _patterns_of(known or language_of(said))
        asks = said.rstrip().endswith(_ENDS_ASKING)
        spans = list(_split(said))
        asking = [bool(_asks().match(said[start:end])) for start, end in spans]
        for place, (start, end) in enumerate(spans):
            strong = {name: float(bool(patterns[name].search(said[start:end]))) for name in _STRONG}
            if any(strong.values()):
                last_asks = asks and place == len(spans) - 1
                beside = any(asking[:place]) or any(asking[place + 1 :]) or (asks and not last_asks)
                cues = _cues(said[start:end], patterns, strong, asks=asking[place] or last_asks, beside=beside)
                found.append(Clause(start=passage.start + start, end=passage.start + end, cues=cues))
    return found


@lru_cache(maxsize=_KEPT)
def subject_terms(text: str) -> frozenset[str]:
    """Return the terms that say what an instruction is about, without those that say that it is one."""
    patterns, text = _patterns_of(language_of(text)), text.replace("\u2019", "'")
    for name in _WORDING:
        text = patterns[name].sub(" ", text)
    return frozenset(content_terms(text)) - _GENERIC


def condition_of(text: str) -> str | None:
    """Return what requests an instruction says that it is for ("when I ask about API errors": "API errors"); None if it does not.

    English only.
    """
    said = _CONDITION.search(text.replace("\u2019", "'"))
    return said["subject"].strip() if said else None


@lru_cache(maxsize=_KEPT)
def address_of(text: str) -> str | None:
    """Return what of addressing the user an instruction settles: the name, the pronouns or the form; None where it settles none."""
    if denies(text) or not _patterns_of(language_of(text))["address"].search(text.replace("\u2019", "'")):
        return None
    return next((slot for slot, pattern in _SLOTS.items() if pattern.search(text)), "name")


def _split(said: str) -> Iterator[tuple[int, int]]:
    start = 0
    for boundary in _boundary().finditer(said):
        if said[start : boundary.start()].strip():
            mark = boundary[0].strip()
            end = boundary.start() + (
                boundary[0].index(mark) + len(mark) if mark and mark[0] in "!?\u3002\uff01\uff1f" else 0
            )
            yield start, end
            start = boundary.end()
    if said[start:].strip():
        yield start, len(said.rstrip())


def _cues(
    clause: str, patterns: Mapping[str, re.Pattern[str]], strong: Mapping[str, float], *, asks: bool, beside: bool
) -> dict[str, float]:
    found = {**strong, **{name: float(bool(patterns[name].search(clause))) for name in _BESIDE}}
    formed = found["form"] or found["answers"]
    return {
        **found,
        "asks": float(asks),
        "asks_beside": float(beside),
        "says_i": float(bool(_pattern_of("says_i", "says_i_unspaced").search(clause))),
        "directs_always": found["imperative"] * found["always"] * (1 - found["once"]),
        "directs_form": found["imperative"] * float(bool(formed)) * (1 - found["request"]),
        "directs_when": found["condition"] * max(found["imperative"], found["always"], found["obliges"]),
        "directs_once": found["imperative"] * found["once"] * (1 - found["always"]),
        "obliges_always": found["obliges"] * found["always"],
        "address_once": found["address"] * found["once"],
        "likes_form": found["likes"] * float(bool(formed)),
        "long": float(len(clause.split()) > _LONG_WORDS),
    }


@cache
def _tables() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads(files("language.requests").joinpath("instructions.toml").read_text("utf-8"))


def _any_of(name: str) -> str:
    return f"(?:{'|'.join(_tables()['clauses'][name])})"


@cache
def _pattern_of(spaced: str, unspaced: str = "") -> re.Pattern[str]:
    other = f"|{_any_of(unspaced)}" if unspaced else ""
    return re.compile(rf"(?<!\w){_any_of(spaced)}(?!\w){other}", re.IGNORECASE)


@cache
def _asks() -> re.Pattern[str]:
    return re.compile(
        rf"^\W*(?:{_any_of('joins')}\s+)?(?:{_any_of('asking')}|{_any_of('asking_after_comma')})", re.IGNORECASE
    )


@cache
def _reports() -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){_any_of('reports')}\b[^.!?\n]{{0,30}}[:,]\s[^\n]*", re.IGNORECASE)


@cache
def _boundary() -> re.Pattern[str]:
    """Return what ends a clause: before a request, a question, a reason, or another thing that the writer says of himself."""
    joins, own = _any_of("joins"), rf"{_any_of('self')}(?!\w)"
    ends = (
        rf",\s+(?={_any_of('asking_after_comma')})",
        r"\s*[;!?\u3002\uff01\uff1f\uff1b]+\s*",
        r"\s[-\u2013\u2014]+\s",
        rf",?\s+(?:{joins}\s+(?:also\s+)?)?(?={_any_of('asking')})",
        rf",?\s+{joins}\s+(?={own})",
        rf",\s+(?={own}(?! ask))",
        r",\s+(?:considering|given(?: that)?|since|because|as)\s+",
    )
    return re.compile("|".join(ends), re.IGNORECASE)


@cache
def _patterns_of(language: str | None) -> dict[str, re.Pattern[str]]:
    """Return the pattern of each group of cues in a language; where it is not known, in any."""
    tables = _tables()
    chosen = [language] if language in tables else [one for one in tables if one != "clauses"]
    return {
        name: re.compile("|".join(_pattern(name, one, tables[one]) for one in chosen if one), re.IGNORECASE)
        for name in (*_STRONG, *_BESIDE)
    }


def _pattern(name: str, language: str, table: Mapping[str, Sequence[str]]) -> str:
    start, end, gap = (
        ("", "", r"[\s,:\u3001\uff0c]*") if language in _UNSPACED else (r"(?<!\w)", r"(?!\w)", r"[\s,:.!-]+")
    )
    phrases = "|".join(table[name])
    if name != "imperative":
        return f"{start}(?:{phrases}){end}"
    condition = rf"(?:(?:{'|'.join(table['condition'])})[^,\uff0c\u3001]{{0,60}}[,\uff0c\u3001]\s*)?"
    return rf"^[\W_]*(?:(?:{'|'.join(table['opener'])}){gap})*{condition}(?:{phrases}){end}"
