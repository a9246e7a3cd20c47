"""What a chat endpoint asks of the operation, and what it gets: values, and the port of a conversation in a wire format."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any, Literal, Protocol

from cascade import Decision, MaxTier
from cascade.model import RelayRequest, WireProtocol
from cascade.storage.ledger import Owner

__all__ = [
    "CASCADE",
    "Begun",
    "Changes",
    "ChatAsked",
    "ChatOutcome",
    "ChatTurn",
    "Correction",
    "MemoryUse",
    "Prompt",
    "call_text",
]

CASCADE = "tirtha"  # the model that is the cascade: the cheapest tier that can answer
MemoryUse = Literal["none", "off", "empty", "added"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatTurn:
    """A message of a conversation as memory knows it."""

    role: Literal["user", "assistant", "tool"]
    text: str
    speaker: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A second draft is asked for: the first one, and what was wrong with it."""

    answer: str
    feedback: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What a prompt is sent with: without the turns before `first`, with `notes` in front of the last message of the user."""

    first: int = 0
    notes: str = ""
    correction: Correction | None = None


class Prompt(Protocol):
    """A conversation as its client sent it, in the wire format of an endpoint."""

    @property
    def protocols(self) -> Sequence[WireProtocol]:
        """The protocols that it can be written in."""

    @property
    def turns(self) -> Sequence[ChatTurn]:
        """What was said, oldest first, without instructions."""

    @property
    def size(self) -> int:
        """The characters of all that is sent, and more than its tokens: it is only counted where that may not fit."""

    def around_tokens(self) -> int:
        """Count the tokens of what is sent beside the turns: instructions, tools, schemas."""

    def turn_tokens(self) -> Sequence[int]:
        """Count the tokens that each turn takes of a prompt."""

    @property
    def answer_tokens(self) -> int | None:
        """The tokens that the client allows an answer; None if it does not say."""

    def request(self, protocol: WireProtocol, changes: Changes, *, stream: bool) -> RelayRequest:
        """Return the request to a tier that speaks `protocol`, one of `protocols`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatAsked:
    """A conversation to answer.

    Without `user_id` there is no memory. Without `session_id` the session is found by what was said. `whole`: the conversation is
    sent from its beginning (or the last part of it), and not only what is new. `task`: the chat's interface asks for itself, for a
    title, say. `window` bounds the prompt's tokens, where the model's own window is wider.
    """

    prompt: Prompt
    model: str
    user_id: str | None = None
    agent_id: str | None = None
    session_id: str | None = None
    whole: bool = True
    task: bool = False
    budget: int | None = None
    remember: bool = True
    recall: bool = True
    max_tier: MaxTier = "frontier"
    time_zone: tzinfo | None = None
    window: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """What is known before the first word of an answer: the decision's id, the session, and what memory had to do with it.

    `owner` is whose the decision is, and `forgettings` how often something of theirs had been forgotten by then.

    `tokens_added` are those of the notes.
    """

    decision_id: str
    session_id: str | None
    memory: MemoryUse
    tokens_added: int
    owner: Owner
    forgettings: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatOutcome:
    """How a chat request ended. `verified` is None where nothing of the answer rests on memory, so that nothing was checked.

    `tokens_saved` is what the user's whole memory would have taken of the prompt, less the notes: an estimate, at four characters a
    token.
    """

    begun: Begun
    decision: Decision
    verified: bool | None
    tokens_saved: int = 0
    response: Mapping[str, Any] = field(default_factory=dict)
    protocol: WireProtocol = "chat"


def call_text(name: str, arguments: str) -> str:
    """Return a call of a tool as it is remembered: alike from a model's answer and from the client that sends it back."""
    return f"[tool call: {name}({arguments})]"
