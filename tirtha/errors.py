"""What the face itself refuses; the engine's own errors keep their types.

FaceFault
├── TooLarge        a request above a limit, with both numbers
├── Forbidden       the caller lacks a right
├── OtherUser       the key is bound to another user than the request names
├── TenantWide      the key is bound to a user, and the request acts on the tenant as a whole
├── OtherTenant     the request names a tenant that is not the key's
├── KeyMissing      the request shows no key, and every request needs one
├── KeyRefused      the request shows a key that is not good
├── NotFromHere     no key is made, and the request comes from another machine
├── UnknownKey      there is no such key
├── PepperUnusable  the file of the pepper cannot be read or written
├── BadCursor       what was sent as a cursor is none of this listing
├── SessionNeeded   a turn's id alone does not say which turn is meant
├── NotAnExport     what is to be imported is no export
├── ExportIsNewer   a later version's format
├── ExportBroken    an export that is cut off or was altered
├── WrongOwner      an export that cannot become this user's
├── NotLoopback     no key is made, and the address is not loopback
├── NotReady        turns cannot be stored and found just now
│   └── NotAudited  they can, and what is done cannot be noted in the audit log
├── NotOpened       the engine could not be opened here
├── SettingsInvalid settings are wrong, each named by its flag, variable or file
├── UnknownModel    a chat names a model that no tier has
├── NoTier          a chat needs a model, and none is configured or allowed
├── ProtocolMissing the tier speaks another protocol than the endpoint can ask it in
├── CapReached      only models that cost money could answer, and today's money is spent
├── MemoryNeeded    a conversation is to be compacted, and no user is named whose memory could hold what leaves it
├── BadChat         what was sent to a chat endpoint cannot be used
├── UnknownResponse there is no stored response of that id
├── NotReplayable   a decision cannot be replayed, or not on these recordings
├── BadLabels       labels of decisions cannot be certified from
└── Shadowed        another package hides one of ours
"""

from collections.abc import Sequence
from pathlib import Path

__all__ = [
    "BadChat",
    "BadCursor",
    "BadLabels",
    "CapReached",
    "ExportBroken",
    "ExportIsNewer",
    "FaceFault",
    "Forbidden",
    "KeyMissing",
    "KeyRefused",
    "MemoryNeeded",
    "NoTier",
    "NotAnExport",
    "NotAudited",
    "NotFromHere",
    "NotLoopback",
    "NotOpened",
    "NotReady",
    "NotReplayable",
    "OtherTenant",
    "OtherUser",
    "PepperUnusable",
    "ProtocolMissing",
    "SessionNeeded",
    "SettingsInvalid",
    "Shadowed",
    "TenantWide",
    "TooLarge",
    "UnknownKey",
    "UnknownModel",
    "UnknownResponse",
    "WrongOwner",
]


class FaceFault(Exception):
    """The root of this package's errors."""


class TooLarge(FaceFault):
    """`what` (at `at` in the request) has `size` `unit`; `limit` are allowed."""

    def __init__(self, *, at: str, what: str, size: int, limit: int, unit: str) -> None:
        self.at = at
        self.what = what
        self.size = size
        self.limit = limit
        self.unit = unit
        super().__init__(f"{what} has {size:,} {unit}; at most {limit:,} are allowed")


class Forbidden(FaceFault):
    """The caller lacks the right `right`."""

    def __init__(self, right: str) -> None:
        self.right = right
        super().__init__(f"this needs the right {right!r}, which the key does not have")


class OtherUser(FaceFault):
    """The key is bound to a user, and the request names another one."""

    def __init__(self) -> None:
        super().__init__(
            "this key is bound to one user, and the request names another: name that user, or use another key"
        )


class TenantWide(FaceFault):
    """The key is bound to a user, and the request acts on the tenant as a whole."""

    def __init__(self) -> None:
        super().__init__(
            "this concerns the tenant as a whole, and the key is bound to one user: use a key that is not bound"
        )


class OtherTenant(FaceFault):
    """The request names a tenant that is not the key's; whether there is one is not disclosed."""

    def __init__(self) -> None:
        super().__init__("this key manages its own tenant only; a key of the tenant 'default' may name others")


class KeyMissing(FaceFault):
    """The request shows no key, and every request needs one."""

    def __init__(self) -> None:
        super().__init__("an API key is needed: send it as `Authorization: Bearer trt_...`")


class KeyRefused(FaceFault):
    """The request shows a key that is not good, as `reason` says."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"the API key is not valid: {reason}")


class NotFromHere(FaceFault):
    """No key is made, so only this machine is served; `sign` is what shows that the request comes from another one."""

    def __init__(self, sign: str) -> None:
        self.sign = sign
        super().__init__(
            f"no API key is made, so only requests of this machine are answered, and {sign} says that this one comes from "
            "elsewhere; make a key with `tirtha keys create NAME`, and send it with every request"
        )


class UnknownKey(FaceFault):
    """There is no key with the id `key_id`, or it is another tenant's."""

    def __init__(self, key_id: str) -> None:
        self.key_id = key_id
        super().__init__(f"there is no key {key_id!r}: `tirtha keys list` shows their ids")


class PepperUnusable(FaceFault):
    """The file of the pepper at `path` cannot be used, for the reason `why`; no key can be checked or made."""

    def __init__(self, path: Path, why: str) -> None:
        self.path = path
        self.why = why
        super().__init__(
            f"the pepper {path} cannot be used: {why}; correct that, or set TIRTHA_PEPPER_FILE to another file"
        )


class BadCursor(FaceFault):
    """A cursor cannot be used, for the reason `why`."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(f"cursor {why}")


class SessionNeeded(FaceFault):
    """Several sessions of the scope have a turn `turn_id`, and none was named."""

    def __init__(self, turn_id: str) -> None:
        self.turn_id = turn_id
        super().__init__(f"more than one session has a turn {turn_id!r}: name the session with session_id")


class NotLoopback(FaceFault):
    """The server was configured to listen where others could reach it, and nothing would ask them for a key, as `why` says."""

    def __init__(self, host: str, why: str) -> None:
        self.host = host
        self.why = why
        super().__init__(
            f"refusing to listen on {host}: {why}, so only loopback (127.0.0.1) is allowed; "
            "make a key first, with `tirtha keys create NAME`"
        )


class NotOpened(FaceFault):
    """The engine could not be opened in this process; the message is the engine's own."""


class NotReady(FaceFault):
    """Turns cannot be stored and found just now, because of `reason`."""

    def __init__(self, reason: str, *, sentence: str | None = None) -> None:
        self.reason = reason
        super().__init__(sentence or f"turns cannot be stored just now: {reason}")


class NotAudited(NotReady):
    """What is done cannot be noted in the audit log, because of `reason`; it is done all the same."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, sentence=f"what is done cannot be noted in the audit log just now: {reason}")


class SettingsInvalid(FaceFault):
    """Settings are wrong; `wrong` says of each where it was set and why it cannot be."""

    def __init__(self, wrong: Sequence[str]) -> None:
        self.wrong = tuple(wrong)
        super().__init__(f"The settings are not valid. {'; '.join(wrong)}.")


class NotReplayable(FaceFault):
    """A decision cannot be replayed, or not on these recordings, for the reason `why`."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


class BadLabels(FaceFault):
    """Labels of decisions cannot be certified from, for the reason `why`."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


class Shadowed(FaceFault):
    """A package of the same name as one of ours comes first on the import path."""

    def __init__(self, *, package: str, found: Path, ours: Path) -> None:
        self.package = package
        self.found = found
        self.ours = ours
        super().__init__(
            f"the package {package!r} is imported from {found}, not from Tirtha ({ours}); "
            "start the console script `tirtha` from a folder that has no package of that name, without PYTHONPATH"
        )


class NotAnExport(FaceFault):
    """What was sent to be imported is no export of Tirtha, for the reason `why`."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(
            f"this is no export of Tirtha: {why}; send a file that `tirtha export` or GET /v1/export wrote"
        )


class ExportIsNewer(FaceFault):
    """An export's format is of `version`, and this Tirtha reads `known`; `written_by` is the Tirtha that wrote it."""

    def __init__(self, *, version: int, known: int, written_by: str) -> None:
        self.version = version
        self.known = known
        self.written_by = written_by
        super().__init__(
            f"the export is of version {version} of its format, written by Tirtha {written_by}, and this one reads up to "
            f"version {known}: import it with that Tirtha or a later one"
        )


class ExportBroken(FaceFault):
    """An export is not whole, for the reason `why`, at the line `line`; `stored` says what of it is stored all the same."""

    def __init__(self, *, line: int, why: str, stored: str) -> None:
        self.line = line
        self.why = why
        self.stored = stored
        super().__init__(
            f"the export is not whole: {why}; {stored} before that was seen. Send a whole copy of it: what is stored already "
            "stays, and is not stored twice"
        )


class WrongOwner(FaceFault):
    """An export cannot become the user `user_id`'s, for the reason `why`."""

    def __init__(self, *, user_id: str, why: str) -> None:
        self.user_id = user_id
        self.why = why
        super().__init__(f"the export cannot be imported as the user {user_id!r}: it {why}")


class UnknownModel(FaceFault):
    """A chat names the model `model`, and only those of `known` can be asked."""

    def __init__(self, model: str, known: Sequence[str]) -> None:
        self.model = model
        super().__init__(f"there is no model {model!r} here; there are: {', '.join(known)}")


class NoTier(FaceFault):
    """A chat needs a model: none is configured, or none that `max_tier` allows."""

    def __init__(self, max_tier: str | None = None) -> None:
        super().__init__(
            f"no model may answer with max_tier {max_tier!r}"
            if max_tier
            else "a chat needs a model, and none is configured: set TIRTHA_LOCAL_URL (or TIRTHA_LOCAL_GGUF), or "
            "TIRTHA_FRONTIER_URL with TIRTHA_FRONTIER_MODEL"
        )


class ProtocolMissing(FaceFault):
    """The tier's server speaks `protocol`, and this endpoint asks only servers that speak one of `wanted`."""

    def __init__(self, *, protocol: str, wanted: Sequence[str]) -> None:
        super().__init__(
            f"the model's server speaks {protocol!r}, and this endpoint passes requests on to one that speaks "
            f"{' or '.join(map(repr, wanted))}: set TIRTHA_LOCAL_PROTOCOL or TIRTHA_FRONTIER_PROTOCOL to what it speaks"
        )


class CapReached(FaceFault):
    """Only models that cost money could answer; `why` says which cap is reached."""

    def __init__(self, why: str) -> None:
        super().__init__(f"{why}, and no other may answer")


class BadChat(FaceFault):
    """What was sent to a chat endpoint cannot be used: at `at` in it, for the reason `why`."""

    def __init__(self, at: str, why: str) -> None:
        self.at = at
        self.why = why
        super().__init__(f"{at} {why}")


class UnknownResponse(FaceFault):
    """No stored response `response_id` belongs to the caller; whether another has one is not disclosed."""

    def __init__(self, response_id: str) -> None:
        super().__init__(f"there is no stored response {response_id!r}")


class MemoryNeeded(FaceFault):
    """A conversation is to be compacted, and no user is named whose memory could hold what leaves it."""

    def __init__(self) -> None:
        super().__init__(
            "what leaves a conversation must be remembered first, and no user is named whose memory that is: send the header "
            "X-Tirtha-User, or safety_identifier, or a key that is bound to a user"
        )
