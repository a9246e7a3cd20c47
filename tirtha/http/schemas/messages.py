"""A turn as callers send it: in our own words, or as a message of the OpenAI API.

Of a message, what was said is kept as the turn's text: the words of all parts, refusals, transcripts, and which tool was called
with what. Images, audio and files are named, and their bytes are never kept. What the SDK's message types carry beside that
(`annotations`, ids of calls, a model's reasoning) is accepted and left out. Fields: openai-python 3, `types/chat` and
`types/responses`.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self, cast

from pydantic import (
    BeforeValidator,
    Field,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    field_validator,
    model_validator,
)

from memory import NewTurn
from memory.model import Role
from tirtha.http.schemas.fields import In, ItemId, Moment, OwnerId, Prose, Words, as_text
from tirtha.visible import is_blank

__all__ = ["TurnIn"]

_TEXTS = ("text", "input_text", "output_text")
_IMAGES = ("image_url", "input_image", "image_file")
_FILES = ("file", "input_file")
# What each type of part cannot be without. An image or a file of the Responses API is given in one of several ways.
_NEEDED = {
    **dict.fromkeys(_TEXTS, ("text",)),
    "refusal": ("refusal",),
    "image_url": ("image_url",),
    "image_file": ("image_file",),
    "input_image": ("image_url", "file_id"),
    "input_audio": ("input_audio",),
    "file": ("file",),
    "input_file": ("filename", "file_id", "file_data", "file_url"),
}
_OTHER_ROLES: dict[object, Role] = {"developer": "system", "function": "tool"}

_Ignored = object  # accepted as SDKs send it, and left out


def _role(value: object) -> object:
    return _OTHER_ROLES.get(value, value) if isinstance(value, str) else value


class _File(In):
    filename: Words | None = None
    file_id: Words | None = None
    file_data: _Ignored = None


class _Part(In):
    """A part of a message's content, of Chat Completions or of the Responses API."""

    type: Literal[
        "text",
        "input_text",
        "output_text",
        "refusal",
        "image_url",
        "input_image",
        "image_file",
        "input_audio",
        "file",
        "input_file",
    ]
    text: Words | None = None
    refusal: Words | None = None
    file: _File | None = None
    filename: Words | None = None
    file_id: Words | None = None
    image_url: _Ignored = None
    image_file: _Ignored = None
    input_audio: _Ignored = None
    file_data: _Ignored = None
    file_url: _Ignored = None
    detail: _Ignored = None
    annotations: _Ignored = None
    logprobs: _Ignored = None
    cache_control: _Ignored = None
    prompt_cache_breakpoint: _Ignored = None

    @model_validator(mode="after")
    def _has_what_its_type_needs(self) -> Self:
        needed = _NEEDED[self.type]
        if all(getattr(self, name) is None for name in needed):
            raise ValueError(f"a part of type {self.type} needs {' or '.join(needed)}")
        return self

    def words(self) -> str:
        """Return what was said in the part, or name what was shown."""
        if self.type in _TEXTS:
            return self.text or ""
        if self.type == "refusal":
            return self.refusal or ""
        if self.type in _IMAGES:
            return "[image]"
        if self.type in _FILES:
            file = self.file or self
            name = " ".join((file.filename or file.file_id or "").split())
            return f"[file: {name}]" if name else "[file]"
        return "[audio]"


class _Called(In):
    name: Prose
    arguments: Words
    parsed_arguments: _Ignored = None

    def words(self) -> str:
        """Return the call as programs write one."""
        return f"[tool call: {self.name}({self.arguments})]"


class _Custom(In):
    name: Prose
    input: Words

    def words(self) -> str:
        """Return the call as programs write one."""
        return f"[tool call: {self.name}({self.input})]"


class _ToolCall(In):
    type: Literal["function", "custom"] = "function"
    function: _Called | None = None
    custom: _Custom | None = None
    id: Words | None = None
    index: _Ignored = None

    @model_validator(mode="after")
    def _has_what_its_type_needs(self) -> Self:
        if getattr(self, self.type) is None:
            raise ValueError(f"a tool call of type {self.type} needs {self.type}")
        return self

    def words(self) -> str:
        """Return the call as programs write one."""
        return "\n".join(call.words() for call in (self.function, self.custom) if call is not None)


class _Audio(In):
    id: Words | None = None
    transcript: Words | None = None
    data: _Ignored = None
    expires_at: _Ignored = None

    def words(self) -> str:
        """Return what was said, if that is known."""
        return "[audio]" if is_blank(self.transcript or "") else str(self.transcript)


def _parts(value: object, parts: ValidatorFunctionWrapHandler) -> list[_Part] | None:
    """Read a content, which is a string or a list of parts, as parts. The places of faults are those in the request."""
    if isinstance(value, str):
        return [_Part(type="text", text=as_text(value))]
    if value is not None and not isinstance(value, list):
        raise ValueError("must be a string or a list of parts")
    return cast("list[_Part] | None", parts(value))


class TurnIn(In):
    """One turn to remember: with `text`, or with the fields of an OpenAI message. `text` is checked last, against all others."""

    id: ItemId | None = None
    role: Annotated[Role, BeforeValidator(_role, json_schema_input_type=Role | Literal["developer", "function"])]
    speaker: OwnerId | None = None
    name: OwnerId | None = None
    said_at: Moment | None = None
    tool_calls: list[_ToolCall] | None = None
    function_call: _Called | None = None
    refusal: Words | None = None
    audio: _Audio | None = None
    tool_call_id: Words | None = None
    type: Literal["message"] | None = None
    status: _Ignored = None
    phase: _Ignored = None
    annotations: _Ignored = None
    parsed: _Ignored = None
    reasoning: _Ignored = None
    reasoning_content: _Ignored = None
    content: Annotated[list[_Part] | None, WrapValidator(_parts, json_schema_input_type=str | list[_Part] | None)] = (
        None
    )
    text: Annotated[Prose | None, Field(validate_default=True)] = None

    @field_validator("name", mode="after")
    @classmethod
    def _one_speaker(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None and info.data.get("speaker") is not None:
            raise ValueError("stands beside speaker, which says the same; give one of the two")
        return value

    @field_validator("content", mode="after")
    @classmethod
    def _content_says_something(cls, value: list[_Part] | None, info: ValidationInfo) -> list[_Part] | None:
        if value is None or not info.data.keys() >= _WITHOUT_CONTENT:
            return value  # there may be a text; or what stands beside it is wrong, and reported already
        if all(is_blank(part.words()) for part in value) and not _said_beside(info.data):
            raise ValueError("must not be blank, unless tool_calls, function_call, refusal or audio stand beside it")
        return value

    @field_validator("text", mode="after")
    @classmethod
    def _text_or_content(cls, value: str | None, info: ValidationInfo) -> str | None:
        if not {*_WITHOUT_CONTENT, "content"} <= info.data.keys():
            return value
        if value is not None and info.data["content"] is not None:
            raise ValueError("stands beside content; give one of the two")
        if value is None and info.data["content"] is None and not _said_beside(info.data):
            raise ValueError("is required, or content in place of it")
        return value

    @property
    def text_field(self) -> str:
        """The field that the turn's text was sent in."""
        if self.text is not None:
            return "text"
        return "tool_calls" if self.content is None and self.tool_calls else "content"

    def turn(self) -> NewTurn:
        """Return the turn as memory takes it."""
        beside = {name: getattr(self, name) for name in _WITHOUT_CONTENT}
        said = [self.text or "", *(part.words() for part in self.content or ()), *_said_beside(beside)]
        text = "\n".join(words for words in said if not is_blank(words))
        return NewTurn(id=self.id, role=self.role, speaker=self.speaker or self.name, text=text, said_at=self.said_at)


_WITHOUT_CONTENT = frozenset({"tool_calls", "function_call", "refusal", "audio"})


def _said_beside(fields: Mapping[str, Any]) -> list[str]:
    """Return what a message says beside its content, from its validated fields."""
    calls = [call for call in (fields["function_call"], *(fields["tool_calls"] or ())) if call is not None]
    audio = fields["audio"]
    said = [fields["refusal"] or "", audio.words() if audio is not None else "", *(call.words() for call in calls)]
    return [words for words in said if not is_blank(words)]
