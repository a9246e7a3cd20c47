"""What callers may ask for in a query string: pages of the listings, one turn, and what is exported or imported.

A query string holds text only, so numbers are read from it.
"""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from cascade.decision import Path
from cascade.storage.listing import DecisionCursor
from memory import TurnCursor
from tirtha.http.cursors import LONGEST_CURSOR
from tirtha.http.schemas.fields import ItemId, Moment, OwnerId, Prose, Zone
from tirtha.importers import SourceFile
from tirtha.operations.decisions import DecisionsRequest
from tirtha.operations.listing import (
    FoundSoFar,
    InstructionCursor,
    InstructionsRequest,
    SearchRequest,
    SessionsRequest,
    TurnRequest,
    TurnsRequest,
    UsersRequest,
)
from tirtha.operations.moving.exporting import ExportRequest
from tirtha.operations.moving.importing_files import FileRequest

__all__ = [
    "DecisionsQuery",
    "ExportQuery",
    "FileFormat",
    "ImportQuery",
    "MemoriesQuery",
    "SessionsQuery",
    "TurnLookup",
    "UsersQuery",
]

FileFormat = Literal[
    "auto",
    "chatgpt",
    "claude",
    "claude-code",
    "codex",
    "open-webui",
    "librechat",
    "mem0",
    "jsonl",
    "locomo",
    "longmemeval",
]


class _Query(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Paged(_Query):
    limit: Annotated[int, Field(ge=1, le=1_000)] = 100
    cursor: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_CURSOR)] | None = None


class UsersQuery(_Paged):
    """GET /v1/users."""

    def request(self, after: str | None) -> UsersRequest:
        """Return the request as the operation takes it."""
        return UsersRequest(limit=self.limit, after=after)


class SessionsQuery(_Paged):
    """GET /v1/sessions."""

    user_id: OwnerId
    agent_id: OwnerId | None = None

    def request(self, after: TurnCursor | None) -> SessionsRequest:
        """Return the request as the operation takes it."""
        return SessionsRequest(user_id=self.user_id, agent_id=self.agent_id, limit=self.limit, after=after)


class MemoriesQuery(_Paged):
    """GET /v1/memories: turns, oldest first, or, with `query`, best first; or standing instructions, newest first."""

    user_id: OwnerId
    agent_id: OwnerId | None = None
    session_id: ItemId | None = None
    query: Prose | None = None
    kind: Literal["turn", "instruction"] = "turn"

    @model_validator(mode="after")
    def _instructions_are_not_searched(self) -> Self:
        if self.kind == "instruction" and self.query is not None:
            raise ValueError("query is for turns: instructions are listed, newest first")
        return self

    def request(self, after: TurnCursor | None) -> TurnsRequest:
        """Return the request as the operation takes it that lists."""
        return TurnsRequest(
            user_id=self.user_id,
            agent_id=self.agent_id,
            session_id=self.session_id,
            limit=self.limit,
            after=after,
        )

    def instructions(self, after: InstructionCursor | None) -> InstructionsRequest:
        """Return the request as the operation takes it that lists instructions."""
        return InstructionsRequest(
            user_id=self.user_id,
            agent_id=self.agent_id,
            session_id=self.session_id,
            limit=self.limit,
            after=after,
        )

    def search(self, query: str, after: FoundSoFar | None) -> SearchRequest:
        """Return the request as the operation takes it that searches for `query`."""
        return SearchRequest(
            user_id=self.user_id,
            agent_id=self.agent_id,
            session_id=self.session_id,
            query=query,
            limit=self.limit,
            after=after,
        )


class TurnLookup(_Query):
    """GET /v1/memories/{turn_id}: whose turn, and, where others may have its id, of which session."""

    user_id: OwnerId
    agent_id: OwnerId | None = None
    session_id: ItemId | None = None

    def request(self, turn_id: str) -> TurnRequest:
        """Return the request as the operation takes it."""
        return TurnRequest(user_id=self.user_id, agent_id=self.agent_id, session_id=self.session_id, turn_id=turn_id)


class _OfAgent(_Query):
    user_id: OwnerId | None = None
    agent_id: OwnerId | None = None

    @model_validator(mode="after")
    def _an_agents_memory_is_of_a_user(self) -> Self:
        if self.agent_id is not None and self.user_id is None:
            raise ValueError("agent_id needs user_id: an agent's memory is of a user")
        return self


class DecisionsQuery(_Paged, _OfAgent):
    """GET /v1/decisions: of a user or of all, on a path, abstained or not, from `since` to before `until`."""

    path: Path | None = None
    abstained: bool | None = None
    since: Moment | None = None
    until: Moment | None = None

    def request(self, after: DecisionCursor | None) -> DecisionsRequest:
        """Return the request as the operation takes it."""
        return DecisionsRequest(
            user_id=self.user_id,
            agent_id=self.agent_id,
            path=self.path,
            abstained=self.abstained,
            since=self.since,
            until=self.until,
            limit=self.limit,
            after=after,
        )

    @property
    def filters(self) -> tuple[str | None, ...]:
        """The filters that a cursor is bound to."""
        times = (one.isoformat() if one else None for one in (self.since, self.until))
        abstained = None if self.abstained is None else str(self.abstained)
        return self.user_id, self.agent_id, self.path, abstained, *times


class ExportQuery(_OfAgent):
    """GET /v1/export: one agent's memory of a user, all of a user, or, without a user, the whole tenant."""

    def request(self) -> ExportRequest:
        """Return the request as the operation takes it."""
        return ExportRequest(user_id=self.user_id, agent_id=self.agent_id)


class ImportQuery(_Query):
    """POST /v1/import: as which user, instead of the export's own, and whether to store it at all.

    With `format` the body is a file, of another product or an export: whose memory it becomes, where times without a zone are of,
    and whether tools are kept.
    """

    user_id: OwnerId | None = None
    dry_run: bool = False
    format: FileFormat | None = None
    agent_id: OwnerId | None = None
    time_zone: Zone | None = None
    tools: bool = False

    @model_validator(mode="after")
    def _files_have_a_format(self) -> Self:
        beside = [name for name in ("agent_id", "time_zone", "tools") if name in self.model_fields_set]
        if self.format is None and beside:
            raise ValueError(f"{beside[0]} needs format: it is about a file of another product")
        return self

    def request(self, file: SourceFile) -> FileRequest:
        """Return the request for a file as the operation takes it."""
        return FileRequest(
            file=file,
            format=None if self.format == "auto" else self.format,
            user_id=self.user_id,
            agent_id=self.agent_id,
            time_zone=self.time_zone,
            tools=self.tools,
            dry_run=self.dry_run,
        )
