"""The dialect of a server: which parameters it takes, and which of them an error of status 400 or 422 is about.

An error's text is read for nothing else. It is judged by what it names; one that names nothing and says nothing may be about the
JSON schema, which is what servers most often lack.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from cascade.model import ChatRequest

__all__ = ["Dialect", "refused_parameter"]

_SCHEMA = "response_format"
_LIMITS = ("max_tokens", "max_completion_tokens")
_NAMES = {
    _SCHEMA: re.compile(
        r"response[ _-]?format|json[ _-]?(?:schema|mode|object)|guided|structured|grammar"
        r"|\btext\.format\b|output[ _](?:config|format)",  # as the other protocols call it
        re.IGNORECASE,
    ),
    "logprobs": re.compile(r"\b(?:top_)?log[ _-]?probs?\b", re.IGNORECASE),
    "temperature": re.compile(r"\btemperature\b", re.IGNORECASE),
    "max_tokens": re.compile(r"\bmax_tokens\b"),
    "max_completion_tokens": re.compile(r"\bmax_completion_tokens\b"),
}
# A limit is named by many errors that are about its value; these words say that the name itself is not known.
_UNKNOWN = re.compile(
    r"unsupported|not supported|unrecogni[sz]ed|unknown|unexpected|extra[ _](?:inputs?|fields?|forbidden)|not permitted"
    r"|not allowed|deprecated|\buse\W+max_(?:completion_)?tokens\b|\bdoes not (?:support|accept|exist)",
    re.IGNORECASE,
)
_ECHO = frozenset({"input", "ctx", "url", "id", "request_id", "failed_generation"})  # keys of what is no message
_EMPTY_WORDS = frozenset(
    "a an and be by can cannot code could error exception for from has have http in invalid is it malformed message of "
    "one or the this to try again went wrong something not was were with your request requests body payload json data "
    "parameter parameters param params argument arguments input inputs value values field fields option options "
    "bad badrequest badrequesterror unprocessable entity unsupported supported unknown unexpected validation valid "
    "validate failed failure process processed server client upstream provider returned response status type none null "
    "detail details litellm openai openaiexception openaierror vllm nginx html head title center hr h1 "
    "badrequestexception requestvalidationerror valueerror unprocessableentityerror contains please".split()
)
_QUOTED = re.compile(r"['\"]input['\"]\s*:")  # where a validation error begins to repeat the request
_READ = 2_000
_DEEPEST = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """Which parameters a server takes: a JSON schema, token probabilities, a temperature, an effort; and its name for the limit."""

    structured: bool = True
    logprobs: bool = False
    temperature: bool = True
    reasoning_effort: str | None = None
    limit_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"

    def parameters(self, request: ChatRequest) -> dict[str, Any]:
        """Return the parameters of a request."""
        said: dict[str, Any] = {self.limit_field: request.max_tokens}
        if self.temperature:
            said["temperature"] = request.temperature
        if self.logprobs:
            said["logprobs"] = True
        if self.reasoning_effort:
            said["reasoning_effort"] = self.reasoning_effort
        if self.structured and request.schema:
            named = {"name": "answer", "strict": True, "schema": json.loads(request.schema)}
            said[_SCHEMA] = {"type": "json_schema", "json_schema": named}
        return said

    def without(self, parameters: Collection[str]) -> "Dialect":
        """Return the dialect that leaves these parameters out; the limit of an answer goes by its other name instead."""
        limit = self.limit_field
        if limit in parameters:
            limit = "max_completion_tokens" if limit == "max_tokens" else "max_tokens"
        return replace(
            self,
            structured=self.structured and _SCHEMA not in parameters,
            logprobs=self.logprobs and "logprobs" not in parameters,
            temperature=self.temperature and "temperature" not in parameters,
            limit_field=limit,
        )

    def unlike(self, other: "Dialect") -> list[str]:
        """Name the settings, with this dialect's values, that would make the other one this one."""
        names = ("structured", "logprobs", "temperature", "limit_field")
        pairs = [(name, getattr(self, name), getattr(other, name)) for name in names]
        return [f"{name.upper()}={str(mine).lower()}" for name, mine, theirs in pairs if mine != theirs]


def refused_parameter(error: object, sent: Mapping[str, Any], *, before: Collection[str] = ()) -> str:
    """Return the parameter to leave out for an answer, by the body of an error; "" if it is about something else.

    `sent` are the parameters that were refused, `before` those that this request has given up already.
    """
    text = " ".join(_texts(error))[:_READ]
    named = [name for name, pattern in _NAMES.items() if pattern.search(text)]
    if _SCHEMA in named:
        return _SCHEMA if _SCHEMA in sent else ""
    if any(name in _LIMITS for name in named):
        return _refused_limit(text, named, sent, before)
    if named:
        return named[0] if len(named) == 1 and named[0] in sent else ""
    return _SCHEMA if _SCHEMA in sent and _says_nothing(text) else ""


def _refused_limit(text: str, named: Collection[str], sent: Mapping[str, Any], before: Collection[str]) -> str:
    """Return the limit's name if the error says that the name is not known, rather than that the value is too high."""
    own = next(name for name in _LIMITS if name in sent)
    alone = own in named and all(name in _LIMITS for name in named)
    return own if alone and _UNKNOWN.search(text) and not any(name in _LIMITS for name in before) else ""


def _texts(error: object, depth: int = 0) -> Iterator[str]:
    """Walk through the texts of an error's body, without what it repeats of the request."""
    match error:
        case str():
            yield re.sub(r"<[^>]*>", " ", _QUOTED.split(error[:_READ])[0])
        case dict() if depth < _DEEPEST:
            for key, value in error.items():
                if key not in _ECHO:
                    yield from _texts(value, depth + 1)
        case list() if depth < _DEEPEST:
            for value in error:
                yield from _texts(value, depth + 1)


def _says_nothing(text: str) -> bool:
    """Whether all of its words are of those that any error may hold."""
    return {word for word in re.findall(r"[^\W\d_]+", text.lower()) if len(word) > 1} <= _EMPTY_WORDS
