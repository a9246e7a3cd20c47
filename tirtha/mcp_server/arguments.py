"""The arguments of the tools. Types are strict and unknown arguments are errors, so that a typo never passes silently.

Their descriptions are read by models, with every list of tools: each says what a model needs to choose a value, and no more.
"""

import json
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from tirtha.http.schemas.fields import Budget, In, ItemId, Moment, OwnerId, Prose

__all__ = ["AskArguments", "ForgetArguments", "ListArguments", "RecallArguments", "RememberArguments", "TurnArgument"]

_RECALL_TOKENS = 1_000  # some twenty quoted lines


def _unpacked(value: object) -> object:
    """Read a list that was sent as a text of JSON: some clients wrap what is not a text so."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value  # and what is wrong with it is reported as of any other value


class _Owned(In):
    user_id: Annotated[
        OwnerId | None, Field(description="Whose memory. Leave it out unless a tool says that it is needed.")
    ] = None
    agent_id: Annotated[OwnerId | None, Field(description="Which agent's memory of the user. Usually left out.")] = None


class TurnArgument(In):
    """One message of a conversation."""

    role: Literal["user", "assistant", "system", "tool"]
    text: Annotated[Prose, Field(description="What was said, word for word.")]
    speaker: Annotated[OwnerId | None, Field(description="The speaker's name, if it is known.")] = None
    said_at: Annotated[Moment | None, Field(description="ISO 8601 with a zone; default now.")] = None
    id: Annotated[ItemId | None, Field(description="An id of your own: the same turn sent again is stored once.")] = (
        None
    )


_Turns = Annotated[list[TurnArgument], Field(min_length=1)]


class RememberArguments(_Owned):
    """Either a text that the user said, or turns of a conversation."""

    text: Annotated[Prose | None, Field(description="One thing that the user said, in their own words.")] = None
    turns: Annotated[
        _Turns | None,
        BeforeValidator(_unpacked, json_schema_input_type=_Turns | None),
        Field(description="Or several messages, in the order they were said."),
    ] = None
    session_id: Annotated[
        ItemId | None,
        Field(description="The conversation they belong to: what an earlier call returned. Default a new one."),
    ] = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if (self.text is None) == (self.turns is None):
            raise ValueError("give either text or turns")
        return self

    def remembered(self) -> list[TurnArgument]:
        """Return the turns to remember."""
        return self.turns or [TurnArgument(role="user", text=self.text or "")]


class RecallArguments(_Owned):
    """A question."""

    question: Annotated[Prose, Field(description="A question or topic in plain words, with its names and dates.")]
    budget: Annotated[Budget, Field(description="Tokens that the lines may take.")] = _RECALL_TOKENS


class AskArguments(_Owned):
    """A question."""

    question: Annotated[Prose, Field(description="The question, complete in itself.")]


class ForgetArguments(_Owned):
    """What to forget: a turn of a session, a session, or everything of the user."""

    session_id: Annotated[ItemId | None, Field(description="The conversation to forget.")] = None
    turn_id: Annotated[ItemId | None, Field(description="Only this turn of the conversation.")] = None
    everything: Annotated[bool, Field(description="Instead of these: all that is remembered of the user.")] = False
    confirm: Annotated[
        bool, Field(description="True once the user has said yes to forgetting exactly this. It cannot be undone.")
    ] = False

    @model_validator(mode="after")
    def _names_one_thing(self) -> Self:
        if self.turn_id is not None and self.session_id is None:
            raise ValueError("turn_id needs session_id: a turn is named within its session")
        if self.everything == (self.session_id is not None):
            raise ValueError("name what to forget: session_id, session_id with turn_id, or everything: true")
        return self


class ListArguments(_Owned):
    """A page of the sessions."""

    limit: Annotated[int, Field(ge=1, le=1_000)] = 50
    cursor: Annotated[str | None, Field(min_length=1, description="`next` of the page before.")] = None
