"""The values that the parts of the cascade exchange: contexts with their quotes, requests to models and their answers, drafts.

The cascade sees neither memory nor compaction: who builds a `Brief` copies what it needs into these values.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

__all__ = [
    "Brief",
    "ChatRequest",
    "Completion",
    "Draft",
    "Message",
    "Quote",
    "RelayRequest",
    "TimeSaid",
    "Usage",
    "WireProtocol",
]

WireProtocol = Literal["chat", "responses", "anthropic"]
Grain = Literal["day", "weekend", "week", "month", "season", "year"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeSaid:
    """A time that a quote speaks of, resolved: its meaning in words and how exact it is."""

    meaning: str
    grain: Grain


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """One citable line of the context: mark `n`, the verbatim words, who said them when, and how relevant they are.

    `header` is the header of the table whose row the words are; "" for other lines.
    """

    n: int
    turn_id: str
    session_id: str
    speaker: str
    said_at: datetime
    text: str
    score: float
    times: tuple[TimeSaid, ...]
    header: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """A question and all that a tier may use to answer it; not `complete` where it asks for more than the budget holds."""

    question: str
    asked_at: datetime
    text: str
    tokens: int
    budget: int
    quotes: tuple[Quote, ...]
    answerable: float
    complete: bool = True

    @classmethod
    def without_evidence(cls, question: str, *, asked_at: datetime, budget: int = 0) -> "Brief":
        """Return the brief of a request that is answered from nothing remembered."""
        return cls(question=question, asked_at=asked_at, text="", tokens=0, budget=budget, quotes=(), answerable=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of a chat request."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest:
    """What is asked of a model. `schema` is a JSON schema as text; `sample` distinguishes several draws of one request.

    `without` names parameters that the server refused a moment ago, and that are left out this time.
    """

    messages: tuple[Message, ...]
    max_tokens: int
    temperature: float = 0.0
    schema: str | None = None
    sample: int = 0
    without: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens that a call was billed for; cached ones are part of the prompt's, reasoning ones of the completion's.

    `estimated`: the server did not report them all, and some were counted here.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    estimated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """What a model answered: `model` is the one that the server names, `confidence` the mean probability of the reply's tokens.

    `tokens` are those of the reply with their log-probabilities, where the server reports them.
    """

    text: str
    model: str
    finish_reason: str
    usage: Usage
    reasoning: str = ""
    confidence: float | None = None
    tokens: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayRequest:
    """A request that is passed on whole: in which protocol, its body (the model's name is filled in), and what goes with it.

    `path` is another one than that of the protocol's answers.
    """

    protocol: WireProtocol
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    path: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A tier's candidate answer; `citations` are marks of the brief's quotes. `abstains`: it says that the context has no answer.

    `finish_reason` and `returned_model` are what the server reported. `confidence` is the geometric mean of the probabilities of
    the answer's own tokens, `least_confidence` the least of them; None where the server reports none. `parsed` is false for an
    answer not in the form that was asked for, and `attributed` says that its citations were found by us.
    """

    answer: str
    citations: tuple[int, ...]
    abstains: bool = False
    finish_reason: str = "stop"
    returned_model: str = ""
    confidence: float | None = None
    least_confidence: float | None = None
    parsed: bool = True
    attributed: bool = False
