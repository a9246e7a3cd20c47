"""An export that a client sends, on its way into the memory: cut into lines, each checked, and stored as they come.

Lines are read no faster than they are stored. So a client sees by its own progress how far the import is, and what it has not
sent when it goes away is not begun.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import anyio.lowlevel
from pydantic import ValidationError

from tirtha.caller import Caller
from tirtha.errors import ExportBroken, WrongOwner
from tirtha.http.bodies import BadBody, read_json
from tirtha.http.bulk import cut_lines
from tirtha.http.errors import located, why
from tirtha.operations.moving.importing import ImportRequest
from tirtha.operations.moving.lines import FileLine, Held, Report, Unreadable
from tirtha.service import Service
from tirtha.transfer.envelope import Header
from tirtha.transfer.reader import ExportReader, RawLine
from tirtha.transfer.records import RECORD

__all__ = ["Intake", "import_export"]

_LINES_AT_ONCE = 32  # read before other requests may be


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """How an export is taken in: as the user `user_id` instead of its own, and with `dry_run` without storing it."""

    user_id: str | None = None
    dry_run: bool = False


async def import_export(
    service: Service, caller: Caller, chunks: AsyncIterator[bytes], intake: Intake, *, max_line_bytes: int
) -> Report:
    """Import an export from its chunks; what was stored before an error stays.

    Raises:
        NotAnExport, ExportIsNewer, WrongOwner: of the header; nothing was stored.
        ExportBroken: the export turned out not to be whole.
        Forbidden, IndexBehind, StoreUnavailable, LedgerUnavailable: as the operation.
    """
    reader = ExportReader(cut_lines(chunks, max_line_bytes))
    header = await reader.header()
    if intake.user_id is not None and header.user_id is None:
        raise WrongOwner(user_id=intake.user_id, why="holds a whole tenant, and so many users")
    lines = _Lines(reader, header, user_id=intake.user_id, max_line_bytes=max_line_bytes)
    request = ImportRequest(lines=lines.read(), whole_tenant=header.holds == "tenant", dry_run=intake.dry_run)
    report = await service.import_lines(caller, request)
    if reader.broken:
        stored = "nothing was stored" if intake.dry_run else f"{report.stored_text} were stored"
        raise ExportBroken(line=reader.broken.line, why=reader.broken.why, stored=stored)
    return report


class _Lines:
    """The lines of an export as what they hold: of whom its header says, or, renamed, of `user_id`."""

    def __init__(self, reader: ExportReader, header: Header, *, user_id: str | None, max_line_bytes: int) -> None:
        self._reader = reader
        self._header = header
        self._user_id = user_id
        self._max_line_bytes = max_line_bytes

    async def read(self) -> AsyncIterator[FileLine]:
        """Yield the lines, those that cannot be read too."""
        async for line in self._reader.lines():
            if line.number % _LINES_AT_ONCE == 0:
                await anyio.lowlevel.checkpoint()
            yield FileLine(number=line.number, content=self._content(line))

    def _content(self, line: RawLine) -> Held | Unreadable:
        if line.size > self._max_line_bytes:
            too_long = f"has {line.size:,} bytes; at most {self._max_line_bytes:,} are allowed"
            return Unreadable(at="line", why=too_long)
        try:
            held = RECORD.validate_python(read_json(line.content)).held()
        except BadBody as fault:
            return Unreadable(at="line" if fault.at == "body" else fault.at, why=fault.why)
        except ValidationError as fault:
            first = fault.errors()[0]
            place = first["loc"][1:]  # without the kind of line
            return Unreadable(at=located(place) if place else "line", why=why(dict(first)))
        return self._owned(held)

    def _owned(self, held: Held) -> Held | Unreadable:
        """Hold a line to what the header says of all, and rename its user."""
        header = self._header
        if header.user_id is None:
            return held
        if held.user_id != header.user_id:
            return Unreadable(at="user_id", why="is not the user that the header names")
        if header.agent_id is not None and held.agent_id != header.agent_id:
            return Unreadable(at="agent_id", why="is not the agent that the header names")
        return held if self._user_id is None else replace(held, user_id=self._user_id)
