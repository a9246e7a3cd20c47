"""What callers may send. Types are strict and unknown fields are errors, so that a typo never passes silently."""

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, JsonValue, StringConstraints, ValidationInfo, field_validator, model_validator
from pydantic.config import JsonDict

from cascade import CodeTask
from tirtha.http.schemas.fields import Budget, In, ItemId, Moment, OwnerId, Prose
from tirtha.http.schemas.messages import TurnIn
from tirtha.operations.as_of import AsOf
from tirtha.operations.ask import AskRequest
from tirtha.operations.code import CodeRequest
from tirtha.operations.context import ContextRequest
from tirtha.operations.forget import ForgetRequest
from tirtha.operations.recall import RecallRequest
from tirtha.operations.remember import RememberRequest

__all__ = [
    "AgentQuery",
    "AskIn",
    "BulkLine",
    "ContextIn",
    "ForgetIn",
    "OwnerQuery",
    "RecallIn",
    "RememberIn",
    "TurnQuery",
]


class _Owned(In):
    user_id: OwnerId
    agent_id: OwnerId | None = None


class RememberIn(_Owned):
    """POST /v1/remember."""

    session_id: ItemId | None = None
    turns: Annotated[list[TurnIn], Field(min_length=1)]
    wait: Literal["durable", "indexed"] = "durable"

    def request(self) -> RememberRequest:
        """Return the request as the operation takes it."""
        return RememberRequest(
            user_id=self.user_id,
            agent_id=self.agent_id,
            session_id=self.session_id,
            turns=[turn.turn() for turn in self.turns],
            wait=self.wait,
            text_fields=[turn.text_field for turn in self.turns],
        )


class BulkLine(TurnIn, _Owned):
    """One line of an NDJSON bulk: a turn with its owner and session."""

    session_id: ItemId | None = None


class _AskingIn(_Owned):
    question: Prose
    asked_at: Moment | None = None
    as_of: AsOf = None


class ContextIn(_AskingIn):
    """POST /v1/context, of one session, or of all but one."""

    budget: Budget | None = None
    session_id: ItemId | None = None
    exclude_session_id: ItemId | None = None

    @model_validator(mode="after")
    def _leaves_something_to_ask_about(self) -> Self:
        if self.session_id is not None and self.session_id == self.exclude_session_id:
            raise ValueError("exclude_session_id must not be the session that is asked about")
        return self

    def request(self) -> ContextRequest:
        """Return the request as the operation takes it."""
        return ContextRequest(
            user_id=self.user_id,
            agent_id=self.agent_id,
            question=self.question,
            budget=self.budget,
            asked_at=self.asked_at,
            as_of=self.as_of,
            session_id=self.session_id,
            exclude_session_id=self.exclude_session_id,
        )


class RecallIn(_AskingIn):
    """POST /v1/recall."""

    limit: Annotated[int, Field(ge=1, le=100)] = 10

    def request(self) -> RecallRequest:
        """Return the request as the operation takes it."""
        return RecallRequest(
            user_id=self.user_id,
            agent_id=self.agent_id,
            question=self.question,
            asked_at=self.asked_at,
            as_of=self.as_of,
            limit=self.limit,
        )


_NEEDED = {"memory": ("user_id",), "code": ("entry_point", "tests")}
_UNWANTED = {"memory": ("entry_point", "tests"), "code": ("budget", "asked_at", "as_of", "session_id")}
_WRITERS = ("local", "frontier")


def _shape(task: str, *, usual: bool) -> JsonDict:
    """Describe in the schema what the model's validator says: what a task cannot be without, and what it has no place for."""
    there: JsonDict = {name: {"not": {"type": "null"}} for name in _NEEDED[task]}
    absent: JsonDict = {name: {"type": "null"} for name in _UNWANTED[task]}
    if task == "code":
        there["max_tier"] = {"enum": [*_WRITERS]}
    required: list[JsonValue] = [*_NEEDED[task], *([] if usual else ["task"])]
    return {"properties": {"task": {"const": task}, **there, **absent}, "required": required}


class AskIn(In):
    """POST /v1/ask. `session_id` is the conversation the question belongs to; `max_tier` the most expensive tier allowed.

    A code task (`task: code`) needs `entry_point` and `tests` instead of a user.
    """

    model_config = ConfigDict(json_schema_extra={"anyOf": [_shape("memory", usual=True), _shape("code", usual=False)]})

    task: Literal["memory", "code"] = "memory"
    user_id: OwnerId | None = None
    agent_id: OwnerId | None = None
    question: Prose
    budget: Budget | None = None
    asked_at: Moment | None = None
    as_of: AsOf = None
    session_id: ItemId | None = None
    max_tier: Literal["extractive", "local", "frontier"] = "frontier"
    stream: bool = False
    entry_point: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")] | None = None
    tests: Annotated[Prose, StringConstraints(max_length=100_000)] | None = None

    @model_validator(mode="after")
    def _has_what_its_task_needs(self) -> Self:
        missing = [name for name in _NEEDED[self.task] if getattr(self, name) is None]
        stray = [name for name in _UNWANTED[self.task] if getattr(self, name) is not None]
        if missing or stray:
            faults = [f"{name} is needed" for name in missing] + [f"{name} does not belong there" for name in stray]
            raise ValueError(f"for a {self.task} task: {'; '.join(faults)}")
        if self.task == "code" and self.max_tier not in _WRITERS:
            raise ValueError("for a code task: max_tier must be local or frontier, since only models write programs")
        return self

    def request(self, *, use_cache: bool) -> AskRequest:
        """Return the question as the operation takes it."""
        return AskRequest(
            user_id=self.user_id or "",
            agent_id=self.agent_id,
            question=self.question,
            budget=self.budget,
            asked_at=self.asked_at,
            as_of=self.as_of,
            session_id=self.session_id,
            max_tier=self.max_tier,
            use_cache=use_cache,
        )

    def code_request(self, *, use_cache: bool) -> CodeRequest:
        """Return the code task as the operation takes it."""
        task = CodeTask(question=self.question, entry_point=self.entry_point or "", tests=self.tests or "")
        return CodeRequest(
            task=task, user_id=self.user_id, agent_id=self.agent_id, max_tier=self.max_tier, use_cache=use_cache
        )


class ForgetIn(_Owned):
    """POST /v1/forget: a turn of a session, a session, or, without either, everything of the user.

    With `kind`, the turn stays, and its standing instructions are switched off.
    """

    turn_id: ItemId | None = None
    session_id: Annotated[ItemId | None, Field(validate_default=True)] = None
    kind: Annotated[Literal["instruction"] | None, Field(validate_default=True)] = None

    @field_validator("session_id")
    @classmethod
    def _names_the_turns_session(cls, session_id: str | None, read: ValidationInfo) -> str | None:
        if session_id is None and read.data.get("turn_id") is not None:
            raise ValueError("is required with turn_id: a turn is named within its session")
        return session_id

    @field_validator("kind")
    @classmethod
    def _is_of_a_turn(cls, kind: str | None, read: ValidationInfo) -> str | None:
        if kind is not None and read.data.get("turn_id") is None:
            raise ValueError("needs turn_id: instructions are switched off by the turn that tells them")
        return kind

    def request(self) -> ForgetRequest:
        """Return the request as the operation takes it."""
        return ForgetRequest(
            user_id=self.user_id, agent_id=self.agent_id, session_id=self.session_id, turn_id=self.turn_id
        )


class OwnerQuery(_Owned):
    """Whose memory, in a query string."""

    model_config = ConfigDict(extra="forbid", strict=False)


class TurnQuery(OwnerQuery):
    """Whose turn, and of which session; with `kind`, the standing instructions that it gives."""

    session_id: ItemId
    kind: Literal["instruction"] | None = None


class AgentQuery(In):
    """Which agent's memory of a user; all of the user's if it is left out."""

    agent_id: OwnerId | None = None
