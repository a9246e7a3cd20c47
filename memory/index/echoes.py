"""Recalled text that comes back: which passages of a turn only repeat what the memory already holds.

A context that was recalled often returns inside a later turn: the app pastes it into a prompt, the assistant quotes it. Indexed
again it would be a second "fact", dated wrongly, and the memory would feed on itself. The turn stays stored verbatim;
only its repeated passages are kept out of the index. Pure functions; the index answers which fingerprints it knows.

A passage is an echo when earlier words of the scope stand in it whole and
  - the turn is not the user's, or the line bears one of our citation marks; or
  - the user quotes it, or pastes a long sentence of it among other words. What a user says again in a turn of its own
    ("I live in Berlin") is new: it may inform.
"""

import re
from collections.abc import Iterator, Sequence, Set
from hashlib import blake2b

from language import Passage, analyse
from language.words import words
from memory.model import Turn

__all__ = ["fingerprint", "fresh", "suspicions"]

_MIN_WORDS = 4  # shorter sentences ("It was great.") recur by chance
_MIN_PASTED_WORDS = 7  # and a person's own, unmarked ones up to this length ("It was a fine day.")
_MARKED_LINE = re.compile(r"\s*\[\d+\]\s")
_HEADER_LINE = re.compile(r"\s*\d{1,2} [A-Z][a-z]+(?: \d{4})?\s*")
_MARK = re.compile(r"^\s*\[\d+\]\s[^:]{0,128}:\s*")
_RESOLVED_DATE = re.compile(r"\s\([^()]*\d{4}\)")
_QUOTED = re.compile(r"[\"“«„']([^\"”»“]{12,})[\"”»“']")


def fingerprint(text: str) -> str:
    """Return 32 hexadecimal digits that equal wordings share, whatever their case and punctuation."""
    return blake2b(" ".join(words(text)).encode(), digest_size=16).hexdigest()


def suspicions(turn: Turn, passage: Passage) -> frozenset[str]:
    """Return the fingerprints of earlier passages that would make this passage of `turn` an echo; empty if nothing would."""
    text = turn.text[passage.start : passage.end]
    marked = bool(_MARKED_LINE.match(_line_of(turn.text, passage)))
    if turn.role != "user" or marked:
        return frozenset(_fingerprints([text, *_embedded(text)]))
    quoted = frozenset(_fingerprints(_embedded(text)))
    alone = passage.start == 0 and passage.end == len(turn.text.rstrip())
    if alone or len(words(text)) < _MIN_PASTED_WORDS:
        return quoted
    dated = any(
        time.relative for time in analyse(text, turn.said_at.date()).times
    )  # another "yesterday" is another day
    return quoted if dated else quoted | {fingerprint(text)}


def fresh(turn: Turn, passages: Sequence[Passage], known: Set[str]) -> list[Passage]:
    """Keep the passages of `turn` that are no echo of the `known` fingerprints."""
    echoes = [passage for passage in passages if suspicions(turn, passage) & known]
    kept = [passage for passage in passages if passage not in echoes]
    if not echoes:
        return kept
    return [passage for passage in kept if not _HEADER_LINE.fullmatch(turn.text[passage.start : passage.end])]


def _line_of(text: str, passage: Passage) -> str:
    start = text.rfind("\n", 0, passage.start) + 1
    return text[start : passage.end]


def _embedded(text: str) -> Iterator[str]:
    """Return the parts of a sentence that may quote another: after a mark, after a colon, between quotation marks."""
    unmarked = _MARK.sub("", text)
    if unmarked != text:
        yield unmarked
    before, colon, after = unmarked.partition(": ")
    if colon and before:
        yield after
    for match in _QUOTED.finditer(unmarked):
        yield match.group(1)


def _fingerprints(texts: Iterator[str] | Sequence[str]) -> Iterator[str]:
    for text in texts:
        for variant in {text, _RESOLVED_DATE.sub("", text)}:
            if len(words(variant)) >= _MIN_WORDS:
                yield fingerprint(variant)
