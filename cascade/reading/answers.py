"""Answers: JSON as asked for, anywhere in a reply and in any fence, or plain text with marks such as [2]; and what they rest on.

Of several JSON answers the last complete one counts. Marks are numbers in square or lenticular brackets, alone, in lists and
spans, with "line" before them, and the ids of turns; what else stands in brackets is text. Round brackets are no marks. Lenient in
form only: what an answer claims is for the guards to judge.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cascade.claims import terms_and_numbers
from cascade.model import Brief, Completion, Draft
from cascade.reading.abstentions import lacks_answer
from cascade.reading.certainty import certainty_of
from cascade.reading.syntax import answer_object, is_json
from cascade.reading.thoughts import FENCE_LINES, after_label, has_words, spoken, unwrapped
from language import split_sentences

__all__ = ["read_draft", "sound"]

_SPAN = 20  # lines that "1-20" may name at most
_FEWEST_OF_A_YEAR = 1_000  # a number in brackets from here on is a mark only of a line that there is
_BRACKETS = re.compile(
    r"\s*\\?(?:\[(?P<square>[^\[\]\n]{1,120}?)\\?\](?:\((?:https?:|#)[^()\s]*\))?"
    r"|[【\uff3b](?P<other>[^【】\uff3b\uff3d\n]{1,120})[】\uff3d])"
)
_NUMBER = re.compile(
    r"(?:(?:lines?|sources?|refs?|marks?|quotes?|memory|no\.?|n)\s*:?\s*)?[#^]?\s*(\d{1,6})\.?(?:†.*)?", re.IGNORECASE
)
_FROM_TO = re.compile(r"(?:lines?\s*)?(\d{1,6})\s*(?:-|\u2013|—|to)\s*(\d{1,6})", re.IGNORECASE)
_BETWEEN = re.compile(r"\s*[,;&]\s*|\s+and\s+")
_SOURCES = re.compile(
    r"(?:^|\n)[ \t>*_(-]*(?:(?:my|the) )?(?:sources?|citations?|references?|refs?|evidence|cited(?: lines?)?|lines?(?: cited)?)"
    r"[ \t*_]*:[ \t*_]*(?P<marks>(?:[\[\]【】(),;&\s\d\u2013-]|and|lines?|none|null)*)[*_.)\s]*\Z",
    re.IGNORECASE,
)
_LISTED = re.compile(  # a list of the lines themselves, each with its mark
    r"\n[ \t*_#]*(?:sources?|citations?|references?)[ \t*_]*:?[ \t*_]*(?P<lines>(?:\n\s*(?:[-*]\s*)?\[\d{1,6}\][^\n]*)+)\s*\Z",
    re.IGNORECASE,
)
_FOOTNOTES = re.compile(r"(?:\n\s*\[\^?\d{1,6}\]:[^\n]*)+\s*\Z")  # what the marks "[^1]" stand for
_BOXED = re.compile(r"\${0,2}\\f?box(?:ed)?\{\s*(?:\\text\w*\{)?([^{}]*)\}+\${0,2}")
_QUOTED_LINES = re.compile(r"(?:[ \t]*>[^\n]*(?:\n|\Z))+")
_EMPTY_STRESS = re.compile(r"\s*(?:\*\*\s*\*\*|(?<!\w)__\s*__)")
_LEFT_OVER = re.compile(  # brackets and commas that stood around marks
    r"\s*[(\[]\s*(?:see|cf\.?|from|sources?:?|lines?:?)?[\s,;]*[)\]]|(?:\s*[,;])+(?=\s*(?:[.!?]|\Z))", re.IGNORECASE
)
_BEGUN = re.compile(r"^[{]|^\[\s*\{|\{\s*[\"'“”]?answer\b", re.IGNORECASE)  # JSON that is none
_CITED_AS = ("citations", "citation", "cites", "sources", "lines", "references")
_NUMBERED_AS = (
    "line",
    "n",
    "id",
    "mark",
    "number",
    "index",
    "citation",
    "source",
    "ref",
    "turn_id",
    "lines",
    "citations",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """An answer as it was read: None for "there is none"; whether it has a form we know."""

    answer: str | None
    cited: tuple[int, ...] = ()
    parsed: bool = True


def read_draft(completion: Completion, brief: Brief) -> Draft:
    """Read an answer to `brief`. Never raises: what cannot be read is a draft that is not `parsed`."""
    read = _read(spoken(completion.text), _Marks(brief))
    abstains = read.parsed and (read.answer is None or lacks_answer(read.answer))
    text = "" if read.answer is None else sound(read.answer).strip()
    citations = tuple(dict.fromkeys(read.cited))
    found = _resting_on(text, brief) if text and not abstains and not citations else ()
    sure = certainty_of(completion.tokens, text)
    return Draft(
        answer=text,
        citations=citations or found,
        abstains=abstains,
        finish_reason=completion.finish_reason,
        returned_model=completion.model,
        confidence=sure.mean if sure else completion.confidence,
        least_confidence=sure.least if sure else None,
        parsed=read.parsed,
        attributed=bool(found),
    )


def sound(text: str) -> str:
    """Return `text` with halves of surrogate pairs replaced: JSON may spell them, and nothing can store them."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _read(said: str, marks: "_Marks") -> _Read:
    said = unwrapped(said)
    found = answer_object(said)
    if found is not None:
        return _from_json(found, said, marks)
    bare = FENCE_LINES.sub("", said).strip()
    if not has_words(bare) or is_json(bare) or _BEGUN.search(bare):
        return _Read(answer=bare, parsed=False)
    return _from_text(bare, marks)


def _from_json(found: Mapping[str, object], said: str, marks: "_Marks") -> _Read:
    answer = found["answer"]
    if isinstance(answer, list | tuple | dict | set | bool | bytes | complex):
        return _Read(answer=FENCE_LINES.sub("", said).strip(), parsed=False)
    cited = tuple(marks.cited(next((found[name] for name in _CITED_AS if name in found), None)))
    if answer is None:
        return _Read(answer=None, cited=cited)
    text = spoken(str(answer)) if isinstance(answer, str) else str(answer)
    rest, inline = marks.taken_out(text, only_known=True)
    return _Read(answer=rest, cited=(*cited, *inline)) if has_words(rest) else _Read(answer=text, cited=cited)


def _from_text(bare: str, marks: "_Marks") -> _Read:
    """Read plain text: what follows its last "Answer:", without marks, and without a last line of sources."""
    bare = re.sub(r"^[ \t]*> ?", "", bare, flags=re.MULTILINE) if _QUOTED_LINES.fullmatch(bare) else bare
    body = _FOOTNOTES.sub("", _BOXED.sub(r"\1", after_label(bare)))
    sources = _SOURCES.search(body) or _LISTED.search(body)
    named = _named(sources) if sources else []
    text, cited = marks.taken_out(body[: sources.start()] if sources else body, only_known=False)
    if not has_words(text):
        return _Read(answer=bare, cited=cited, parsed=False)
    return _Read(answer=_EMPTY_STRESS.sub("", text), cited=(*cited, *named))


def _named(sources: re.Match[str]) -> list[int]:
    """Return the numbers of a last line of sources, or of each line of a list of them."""
    groups = sources.groupdict()
    found = (
        re.findall(r"\n\W*(\d{1,6})", groups["lines"]) if "lines" in groups else re.findall(r"\d{1,6}", groups["marks"])
    )
    return [int(n) for n in found]


class _Marks:
    """The marks of a brief's lines, and the ids of their turns, which some models name instead."""

    def __init__(self, brief: Brief) -> None:
        self._turns = {quote.turn_id: quote.n for quote in brief.quotes}
        self._known = {quote.n for quote in brief.quotes}

    def taken_out(self, text: str, *, only_known: bool) -> tuple[str, tuple[int, ...]]:
        """Return `text` without its marks, and them; a bracket that holds anything else stays."""
        cited: list[int] = []

        def take(found: re.Match[str]) -> str:
            named = self._bracket(found["square"] or found["other"])
            if not named or (only_known and not self._known.issuperset(named)):
                return found[0]
            cited.extend(named)
            return ""

        rest = _BRACKETS.sub(take, text)
        return (_LEFT_OVER.sub("", rest) if cited else rest).strip(), tuple(cited)

    def cited(self, listed: object) -> Iterator[int]:
        """Read what an object names as its citations, however deep in lists."""
        waiting = [listed]
        while waiting:
            match waiting.pop():
                case bool() | None:
                    continue
                case int(n):
                    yield n
                case float(n) if n.is_integer():
                    yield int(n)
                case str(text):
                    yield from self._text(text)
                case list() | tuple() as several:
                    waiting.extend(reversed(several))
                case dict() as named:
                    waiting.extend(named[key] for key in _NUMBERED_AS if key in named)

    def _text(self, text: str) -> list[int]:
        bare = text.strip()
        if whole := re.fullmatch(r"(\d{1,6})\.0+", bare):
            return [int(whole[1])]
        quoted = re.match(r"[\[【](\d{1,6})[\]】]\s*\S", bare)
        if quoted and not re.match(r"[\[【\d\s,;\]】]+\Z", bare):
            return [int(quoted[1])]  # the line itself, with its mark
        named = self._bracket(bare.strip("[]【】() ."))
        return named or [int(n) for n in re.findall(r"\d{1,6}", bare)]

    def _bracket(self, inside: str) -> list[int]:
        """Return the lines that a bracket names; none if it holds anything else."""
        if inside.strip() in self._turns and not inside.strip().isdigit():
            return [self._turns[inside.strip()]]
        named: list[int] = []
        for part in _BETWEEN.split(inside.strip()):
            lines = self._part(part.strip())
            if not lines:
                return []
            named += lines
        return named

    def _part(self, part: str) -> list[int]:
        span = _FROM_TO.fullmatch(part)
        if span and 0 < int(span[2]) - int(span[1]) < _SPAN:
            return list(range(int(span[1]), int(span[2]) + 1))
        number = _NUMBER.fullmatch(part)
        if number and (
            int(number[1]) in self._known or (int(number[1]) < _FEWEST_OF_A_YEAR and part not in self._turns)
        ):
            return [int(number[1])]
        return [self._turns[part]] if part in self._turns else []


def _resting_on(answer: str, brief: Brief) -> tuple[int, ...]:
    """Find the lines that an answer without marks rests on: of each sentence the line that shares most with it."""
    chosen: list[int] = []
    for sentence in split_sentences(answer):
        wanted = terms_and_numbers(sentence)
        shares = {
            quote.n: len(wanted & terms_and_numbers(quote.text, *(t.meaning for t in quote.times)))
            for quote in brief.quotes
        }
        best = max(shares.values(), default=0)
        if best:
            chosen.append(next(n for n, share in shares.items() if share == best))
    return tuple(dict.fromkeys(chosen))
