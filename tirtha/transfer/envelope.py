"""What stands around the lines of an export: the header, which says what it is, and the trailer, by which one knows it is whole.

The checksum is SHA-256 over the bytes between header and trailer, line breaks included. The header is left out of it, since it
holds the time of the export; what it says is checked by the lines that follow.
"""

import json
from datetime import UTC, datetime
from hashlib import sha256
from typing import Annotated, Final, Literal, Self

from pydantic import Field, ValidationError, model_validator

import tirtha
from tirtha.errors import ExportIsNewer, NotAnExport
from tirtha.http.schemas.fields import In, Moment, OwnerId
from tirtha.transfer.canonical import canonical_json, moment

__all__ = ["VERSION", "Checksum", "Header", "Trailer", "is_export"]

FORMAT: Final = "tirtha-export"
VERSION: Final = 1
_SHA256 = r"^[0-9a-f]{64}$"
_Count = Annotated[int, Field(ge=0)]


class Header(In):
    """The first line: whose memory it is, when it was exported, and by which Tirtha."""

    kind: Literal["header"] = "header"
    format: Literal["tirtha-export"] = FORMAT
    version: Literal[1] = VERSION
    holds: Literal["user", "tenant"]
    user_id: OwnerId | None
    agent_id: OwnerId | None
    exported_at: Moment
    tirtha: str

    @model_validator(mode="after")
    def _is_of_a_user_or_of_a_tenant(self) -> Self:
        if (self.holds == "user") != (self.user_id is not None) or (self.agent_id and self.user_id is None):
            raise ValueError("must name a user if it holds a user, and nobody if it holds a tenant")
        return self

    @classmethod
    def now(cls, *, user_id: str | None, agent_id: str | None) -> Self:
        """Return the header of an export that begins now."""
        holds: Literal["user", "tenant"] = "tenant" if user_id is None else "user"
        at = datetime.now(UTC)
        return cls(holds=holds, user_id=user_id, agent_id=agent_id, exported_at=at, tirtha=tirtha.__version__)

    @classmethod
    def read(cls, line: bytes) -> Self:
        """Read a first line. Raises NotAnExport, and ExportIsNewer for a version that is not known here."""
        read = _object(line)
        if read.get("format") != FORMAT:
            raise NotAnExport("its first line is no header of one")
        version = read.get("version")
        if isinstance(version, int) and version > VERSION:
            raise ExportIsNewer(version=version, known=VERSION, written_by=str(read.get("tirtha", "")))
        try:
            return cls.model_validate(read)
        except ValidationError as fault:
            first = fault.errors()[0]
            at = ".".join(str(step) for step in first["loc"]) or "line"
            raise NotAnExport(f"its header is not valid: {at} {first['msg'].removeprefix('Value error, ')}") from None

    def line(self) -> bytes:
        """Return the header as it is written, with its line break."""
        return canonical_json(self.model_dump() | {"exported_at": moment(self.exported_at)}) + b"\n"


class Trailer(In):
    """The last line: how many lines of each kind there are, and their checksum."""

    kind: Literal["trailer"] = "trailer"
    counts: dict[Literal["turn", "decision", "answer"], _Count]
    sha256: Annotated[str, Field(pattern=_SHA256)]

    @classmethod
    def read(cls, line: bytes) -> Self | None:
        """Read a last line; None if it is no trailer."""
        try:
            return cls.model_validate(_object(line))
        except ValidationError:
            return None

    def line(self) -> bytes:
        """Return the trailer as it is written, with its line break."""
        return canonical_json(self.model_dump()) + b"\n"


class Checksum:
    """The checksum of the lines so far, and their number."""

    def __init__(self) -> None:
        self._digest = sha256()
        self.lines = 0

    def add(self, line: bytes) -> None:
        """Take in a line, without its line break."""
        self._digest.update(line)
        self._digest.update(b"\n")
        self.lines += 1

    @property
    def sha256(self) -> str:
        """The checksum, in hexadecimal digits."""
        return self._digest.hexdigest()


def is_export(line: bytes) -> bool:
    """Return whether a file that begins with this line is an export of Tirtha, of whatever version."""
    return _object(line).get("format") == FORMAT


def _object(line: bytes) -> dict[str, object]:
    try:
        read = json.loads(line.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}
