"""What a client may say of memory in a chat request: the object `tirtha` in the body, which the SDKs send as `extra_body`."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from cascade import MaxTier
from tirtha.chat_api.named import Named
from tirtha.http.schemas.fields import Budget, In, OwnerId, Zone
from tirtha.operations.chat.asked import ChatAsked, Prompt

__all__ = ["ChatBody", "Options"]


_NAMES = ("safety_identifier", "user", "conversation", "metadata")


class Options(In):
    """How memory takes part in a chat; a field that is not known is an error, as everywhere."""

    budget: Annotated[Budget | None, Field(description="tokens of notes at most; the settings' by default")] = None
    remember: Annotated[bool, Field(description="whether the conversation is remembered")] = True
    recall: Annotated[bool, Field(description="whether what memory holds is put into the prompt")] = True
    max_tier: MaxTier = "frontier"
    agent_id: OwnerId | None = None
    time_zone: Annotated[Zone | None, Field(description="where the user is: `yesterday` is read on their clock")] = None
    window: Annotated[
        int | None, Field(ge=256, description="tokens that the prompt may take, where the model's window is wider")
    ] = None


class ChatBody(BaseModel):
    """What is read of every chat request. Anything else in it is passed on to the model's server."""

    model_config = ConfigDict(extra="allow", arbitrary_types_allowed=True)

    model: Annotated[str, Field(min_length=1, max_length=256)]
    stream: bool | None = None
    user: str | None = None
    safety_identifier: str | None = None
    metadata: dict[str, Any] | None = None
    tirtha: Options | None = None

    @property
    def options(self) -> Options:
        """What the client says of memory; the defaults where it says nothing."""
        return self.tirtha or Options()

    @property
    def names(self) -> dict[str, Any]:
        """What may name the user and the conversation."""
        return {name: getattr(self, name, None) for name in _NAMES}

    def asked(self, prompt: Prompt, whom: Named, *, task: bool) -> ChatAsked:
        """Return what is asked of the operation, with the client's options; `task`: its interface asks for itself."""
        options = self.options
        return ChatAsked(
            prompt=prompt,
            model=self.model,
            user_id=whom.user_id,
            agent_id=options.agent_id,
            session_id=whom.session_id,
            task=task,
            budget=options.budget,
            remember=options.remember,
            recall=options.recall,
            max_tier=options.max_tier,
            time_zone=options.time_zone,
            window=options.window,
        )

    def sent(self, *ours: str) -> dict[str, Any]:
        """Return the body as the client sent it, but for what is meant for us alone."""
        return self.model_dump(exclude_unset=True, exclude={"tirtha", *ours})
