"""The trace that a request belongs to, as its headers name it: W3C Trace Context (https://www.w3.org/TR/trace-context-2/).

A header that is not as the specification says counts as none, as it says, too. Knows no request and no span.
"""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace

__all__ = ["TraceContext", "read_trace"]

_PARENT = re.compile(
    r"(?P<version>[0-9a-f]{2})-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})(?P<more>-.*)?"
)
_MEMBER = re.compile(r"[a-z0-9][a-z0-9_\-*/@]{0,255}=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]")
_KNOWN_FLAGS = 0b11  # sampled, and that the trace's id is random; the others are to be 0
_MOST_MEMBERS = 32
_LONG_MEMBER = 128  # what is longer goes first where the whole is too long
_LONGEST_STATE = 512  # what the specification asks to be passed on


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceContext:
    """A place in a trace: its id, the id of the span that calls, whether it is recorded (`flags`), and what vendors add."""

    trace_id: str
    span_id: str
    flags: int = 0
    state: str = ""

    @classmethod
    def made(cls) -> "TraceContext":
        """Begin a trace, which is not recorded."""
        return cls(trace_id=_fresh(16), span_id=_fresh(8))

    def child(self) -> "TraceContext":
        """Return another span of the same trace."""
        return replace(self, span_id=_fresh(8))

    @property
    def headers(self) -> dict[str, str]:
        """The headers of a request that is made from this place."""
        parent = {"traceparent": f"00-{self.trace_id}-{self.span_id}-{self.flags:02x}"}
        return parent | ({"tracestate": self.state} if self.state else {})


def read_trace(parents: Sequence[str], states: Sequence[str]) -> TraceContext | None:
    """Return what the headers `traceparent` and `tracestate` of a request say; None if they say nothing that is valid."""
    found = _PARENT.fullmatch(parents[0].strip(" \t")) if len(parents) == 1 else None
    if found is None or found["version"] == "ff" or (found["version"] == "00" and found["more"] is not None):
        return None
    if not int(found["trace"], 16) or not int(found["span"], 16):
        return None
    flags = int(found["flags"], 16) & _KNOWN_FLAGS
    return TraceContext(trace_id=found["trace"], span_id=found["span"], flags=flags, state=_state(states))


def _state(headers: Sequence[str]) -> str:
    """Join the members of `tracestate`, as many as are to be passed on; nothing of a header that is not valid."""
    members = [member.strip(" \t") for header in headers for member in header.split(",")]
    members = [member for member in members if member]
    keys = {member.partition("=")[0] for member in members}
    if len(keys) < len(members) or len(members) > _MOST_MEMBERS or not all(map(_MEMBER.fullmatch, members)):
        return ""
    if len(",".join(members)) > _LONGEST_STATE:
        members = [member for member in members if len(member) <= _LONG_MEMBER]
    while len(",".join(members)) > _LONGEST_STATE:
        members.pop()
    return ",".join(members)


def _fresh(size: int) -> str:
    """Return `size` random bytes as hexadecimal digits; all 0 would be no id."""
    return f"{secrets.randbits(8 * size) or 1:0{2 * size}x}"
