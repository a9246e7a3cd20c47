"""Silence: a reply without an answer in it. It is empty, all thoughts, cut off before it said anything, withheld, or a refusal.

A model that says nothing has not said that the context lacks the answer: silence is no abstention. Refusals are known by English
phrases ("I can't help with that", "as an AI I am unable to") and the commonest ones of other languages. One that goes on to
answer, or cites a line, is none.
"""

import re
from dataclasses import dataclass
from typing import Final

from cascade.model import Completion
from cascade.reading.abstentions import APOLOGY, lacks_answer, plain_sentences
from cascade.reading.other_languages import refuses_elsewhere
from cascade.reading.syntax import answer_object, is_json
from cascade.reading.thoughts import FENCE_LINES, after_label, has_words, spoken, unwrapped

__all__ = ["CUT_OFF", "Silence", "refuses", "silence"]

CUT_OFF: Final = frozenset({"length", "max_tokens"})  # how a reply ends that reached its limit
_WITHHELD = frozenset({"content_filter", "refusal", "safety", "blocked"})
_FINISHED = frozenset({"", "stop", "eos", "end_turn"})
_LONGEST_REFUSAL = 500
_BEGUN = re.compile(
    r"\s*[{\[]|.*\{\s*\"?answer", re.DOTALL | re.IGNORECASE
)  # JSON, of a reply that has no whole object

_AS_AI = r"as an? (?:\w+ )?(?:(?:ai|artificial intelligence|language model|chatbot|assistant|model)\b ?)+(?:\w+ (?:by|at) \w+ ?)?"
_AM_AI = (
    r"i(?:'m| am) (?:just |only |merely )?(?:an?|programmed|designed)\b[^,.]{0,60}?\b(?:ai|language model|assistant)\b"
    r"[^,.]{0,60}?"
)
_OPENING = re.compile(
    rf"(?:(?:{APOLOGY}|{_AS_AI}|{_AM_AI})(?:\s+for [^,.]{{1,40}})?[,.:]?\s*(?:but|however|and)?,?\s*)+", re.IGNORECASE
)
_APOLOGISES = re.compile(APOLOGY, re.IGNORECASE)
_I_CANNOT = (
    r"(?:i (?:can ?not|can't|could not|won't|will not|must decline|have to decline|decline|refuse|would rather not|may not)"
    r"|i(?:'m| am) (?:unable|not able|not allowed|not permitted|not comfortable|not going)"
    r"|i'd rather not|i (?:do not|don't) feel comfortable|i must respectfully decline)(?: be able)?(?: to)?"
)
# What a model says that it will not do, after an apology; and without one, where it could be somebody's own words.
_ANY_DEED = (
    r"(?:help|assist|answer|comply|fulfil|fulfill|provide|respond|discuss|do|continue|share|engage|disclose|give|offer|support"
    r"|participate|process|complete|talk|generate|create|write|produce|reveal|comment|tell|access)\w*"
)
_ANY_MORE = r"(?:(?!\b(?:but|however|though|here)\b).)*"
_OUR_DEED = (
    r"(?:(?:help|assist)(?: you)?(?: (?:with|in) (?:that|this|it|your|the request|such|these|those|any).*)?"
    r"|answer(?:ing)? (?:that|this|it|your|the question|such|questions).*|compl(?:y|ying).*"
    r"|(?:fulfil|fulfill|process|complete) (?:that|this|your|the|such) request.*"
    r"|(?:provide|share|disclose|give|offer|reveal|sharing|providing)(?: you)?(?: with)? "
    r"(?:that|this|it|(?:(?:any|that|this|such|the|kind|type|sort|of) )*(?:\w+ ){0,2}"
    r"(?:information|details|data|advice|content)\b.*"
    r"|(?:someone|somebody|anyone|a person|people|individual|other)(?:'?s|s'|')?(?: else's)?\b.*)"
    r"|(?:discuss|talk about|respond to|engage (?:in|with)|continue with|participate in) (?:that|this|such|your|the request).*"
    r"|do (?:that|this|so))"
)
_REFUSES_POLITELY = re.compile(
    rf"(?:(?:{_I_CANNOT}|can ?not|can't|unable to) {_ANY_DEED}{_ANY_MORE}|(?:i )?(?:can ?not|can't|won't))",
    re.IGNORECASE,
)
_REFUSES_PLAINLY = re.compile(
    rf"{_I_CANNOT} {_OUR_DEED}|i (?:must |have to )?(?:respectfully )?(?:decline|refuse)"
    r"|(?:this|that|your|the) (?:request|question|prompt|content) (?:violates|goes against|is not allowed|was flagged|was blocked"
    r"|has been (?:blocked|flagged))\b.*|request (?:refused|denied|rejected|blocked)"
    r"|(?:i would|i'd) (?:rather|prefer) not(?: to)? (?:answer|say|discuss|comment|respond|share)\b.*"
    r"|my (?:guidelines|policies|rules|instructions) (?:prevent|forbid|do not allow).*"
    r"|it (?:would|is)(?: not be| not| be)? (?:in)?appropriate (?:for me )?to \w+.*",
    re.IGNORECASE,
)
_ANSWERS_TOO = re.compile(r"```|~~~|[\[【]\d|\bdef \w")  # a block of code, or a mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """Why a model said nothing; `lasting` if the same request would most likely meet with it again, on any server."""

    reason: str
    lasting: bool


def silence(completion: Completion) -> Silence | None:
    """Return why a completion has no answer in it, None if it has one (or an abstention, which is said as well)."""
    finish = completion.finish_reason
    if finish.lower() in _WITHHELD:
        return Silence(reason=finish, lasting=True)
    said = unwrapped(spoken(completion.text))
    if not has_words(after_label(said)) and not is_json(said):
        return Silence(reason=_how(completion), lasting=finish not in _FINISHED)
    found = answer_object(said)
    answer = found["answer"] if found else None
    if refuses(said) or (found and isinstance(answer, str) and not found.get("citations") and refuses(answer)):
        return Silence(reason="a refusal", lasting=True)
    if isinstance(answer, str) and not has_words(spoken(answer)):
        return Silence(reason="an empty answer", lasting=True)
    if found is None and finish in CUT_OFF and _BEGUN.match(FENCE_LINES.sub("", said)):
        return Silence(reason=finish, lasting=True)
    return None


def refuses(text: str) -> bool:
    """Whether `text` says that the model will not answer, for no other reason than itself or its rules."""
    if len(text) > _LONGEST_REFUSAL or _ANSWERS_TOO.search(text) or lacks_answer(text):
        return False
    if refuses_elsewhere(text):
        return True
    first, *others = plain_sentences(text)
    if _OPENING.fullmatch(f"{first} ") and others:
        first = f"{first}, {others[0]}"
    opening = _OPENING.match(first)
    if opening:
        rest = first[opening.end() :].strip(" ,")
        return bool(_REFUSES_POLITELY.fullmatch(rest) if rest else _APOLOGISES.fullmatch(first))
    return bool(_REFUSES_PLAINLY.fullmatch(first))


def _how(completion: Completion) -> str:
    if completion.finish_reason not in _FINISHED:
        return completion.finish_reason
    return "nothing said aloud" if completion.text.strip() or completion.reasoning else "an empty reply"
