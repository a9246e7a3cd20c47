"""Whom a chat request is for, and which conversation it belongs to, by its key, its headers and its body.

No memory is ever shared by accident: with a key of several users a request that names no user has no memory.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from fastapi import Request
from pydantic import TypeAdapter, ValidationError

from tirtha.caller import Caller
from tirtha.errors import BadChat, OtherUser
from tirtha.http.dependencies import named_in_header
from tirtha.http.errors import why
from tirtha.http.schemas.fields import ItemId, OwnerId

__all__ = ["Named", "is_task", "named"]

_OWNER: TypeAdapter[str] = TypeAdapter(OwnerId)
_SESSION: TypeAdapter[str] = TypeAdapter(ItemId)
_DEFAULT_USER = "default"  # on loopback, while there are no keys
_OF_PROXIES = "X-OpenWebUI-User-Id"  # believed from a key that is marked as a trusted proxy's


class Named:
    """The user whom a request names, the one whom it is for, and the session; None where there is none.

    They differ on loopback, while there are no keys: a request that names no user is the default user's there.
    """

    def __init__(self, named_user: str | None, user_id: str | None, session_id: str | None) -> None:
        self.named_user = named_user
        self.user_id = user_id
        self.session_id = session_id


def named(request: Request, caller: Caller, body: Mapping[str, Any], *, metadata_user: object = None) -> Named:
    """Return whom and which conversation a request is for.

    Args:
        request: its headers are read.
        caller: a key that is bound to a user names that user.
        body: the request's JSON.
        metadata_user: whom its metadata names, where an API has that.

    Raises:
        OtherUser: a user is named who is not the key's.
        BadChat: a name is no valid one.
    """
    user = _user(request, caller, body, metadata_user)
    default = _DEFAULT_USER if caller.key_id is None else None
    return Named(user, default if user is None else user, _session(request, body))


def is_task(request: Request) -> bool:
    """Return whether the chat's interface says that it asks for itself."""
    return bool(request.headers.get("x-tirtha-task", "").strip())


def _user(request: Request, caller: Caller, body: Mapping[str, Any], metadata_user: object) -> str | None:
    given: list[tuple[str, object]] = [("X-Tirtha-User", _header(request, "X-Tirtha-User"))]
    if caller.trusted_proxy:
        given.append((_OF_PROXIES, _header(request, _OF_PROXIES)))
    given += [(name, body.get(name)) for name in ("safety_identifier", "user")]
    given.append(("metadata.user_id", metadata_user))
    users = [_read(_OWNER, at, value) for at, value in given if value not in (None, "")]
    if caller.user_id is not None:
        if any(user != caller.user_id for user in users):
            raise OtherUser
        return caller.user_id
    return users[0] if users else None


def _session(request: Request, body: Mapping[str, Any]) -> str | None:
    return next((_read(_SESSION, at, value) for at, value in _sessions(request, body) if value not in (None, "")), None)


def _sessions(request: Request, body: Mapping[str, Any]) -> Iterable[tuple[str, object]]:
    """Yield what names a session, in the order of what counts first."""
    conversation, metadata = body.get("conversation"), body.get("metadata")
    yield "X-Tirtha-Session", _header(request, "X-Tirtha-Session")
    yield "conversation", conversation.get("id") if isinstance(conversation, Mapping) else conversation
    yield "X-OpenWebUI-Chat-Id", _header(request, "X-OpenWebUI-Chat-Id")
    yield "metadata.session_id", metadata.get("session_id") if isinstance(metadata, Mapping) else None


def _header(request: Request, name: str) -> str | None:
    """Return the value of a header. Raises BadChat."""
    try:
        return named_in_header(request, name)
    except ValueError as fault:
        raise BadChat(name, str(fault)) from None


def _read(kind: TypeAdapter[str], at: str, value: object) -> str:
    """Check a name. Raises BadChat."""
    try:
        return kind.validate_python(value, strict=True)
    except ValidationError as fault:
        raise BadChat(at, why(dict(fault.errors()[0]))) from None
