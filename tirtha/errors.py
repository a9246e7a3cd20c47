"""What the face itself refuses; the engine's own errors keep their types.

FaceFault
├── TooLarge        a request above a limit, with both numbers
├── Forbidden       the caller lacks a right
├── BadCursor       what was sent as a cursor is none of this listing
├── SessionNeeded   a turn's id alone does not say which turn is meant
├── NotLoopback     no key is configured, and the address is not loopback
├── NotReady        turns cannot be stored and found just now
│   └── NotAudited  they can, and what is done cannot be noted in the audit log
├── NotOpened       the engine could not be opened here
├── SettingsInvalid settings are wrong, each named by its flag, variable or file
└── Shadowed        another package hides one of ours
"""

from collections.abc import Sequence
from pathlib import Path

__all__ = [
    "BadCursor",
    "FaceFault",
    "Forbidden",
    "NotAudited",
    "NotLoopback",
    "NotOpened",
    "NotReady",
    "SessionNeeded",
    "SettingsInvalid",
    "Shadowed",
    "TooLarge",
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
    """The server was told to listen where others could reach it, and nothing would ask them for a key."""

    def __init__(self, host: str) -> None:
        self.host = host
        super().__init__(
            f"refusing to listen on {host}: no API key is configured, so only loopback (127.0.0.1) is allowed; "
            "put an authenticating proxy in front of it to serve others"
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
    """Settings are wrong; `wrong` tells of each where it was said and why it cannot be."""

    def __init__(self, wrong: Sequence[str]) -> None:
        self.wrong = tuple(wrong)
        super().__init__(f"The settings are not valid. {'; '.join(wrong)}.")


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
