"""Claude Code's sessions: `~/.claude/projects/*/*.jsonl`, one entry a line, appended as the session goes on.

Form (as of late 2026): {type: user | assistant | system | ..., uuid, sessionId, timestamp, isSidechain, isMeta, isCompactSummary,
retractedMessageUuids, message: {role, content: text | blocks}}. Taken is what the person typed and what Claude said to them; not
what subagents, hooks and tools said, summaries that the program made, and what was taken back. A branch that was left by going
back is not distinguished from the one that went on.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from memory.model import NewTurn, Role
from tirtha.importers.contents import words_of
from tirtha.importers.fields import Object, as_list, as_object, as_text, clean, item_id, moment, objects
from tirtha.importers.model import Conversation, Document, ImportOptions, LeftOut, Read, Record, Skipped
from tirtha.visible import is_blank

__all__ = ["ClaudeCode"]

_ROLES: dict[str, Role] = {"user": "user", "assistant": "assistant"}
_PROGRAM = re.compile(r"\s*<(?:command-(?:name|message|args)|local-command-\w+|system-reminder|bash-(?:input|std\w+))>")
_TOOL_RESULT = "tool_result"
_RETRACTED = LeftOut("taken back")
_OF_PROGRAM = LeftOut("of the program, not of the conversation")
_SUBAGENT = LeftOut("of a subagent")
_TOOL = LeftOut("of a tool (import with tools to keep it)")


@dataclass(frozen=True, slots=True)
class ClaudeCode:
    """Reads Claude Code's session files."""

    name: str = "claude-code"

    def recognise(self, record: object) -> bool:
        """Return whether a value is an entry of a session file."""
        value = as_object(record)
        return (
            "sessionId" in value
            and "type" in value
            and ("uuid" in value or "leafUuid" in value or "operation" in value)
        )

    def read(self, document: Document, options: ImportOptions) -> Iterator[Read]:
        """Read the sessions of a file; most hold one."""
        retracted = {
            as_text(key)
            for record in document.records()
            if isinstance(record, Record)
            for key in as_list(as_object(record.value).get("retractedMessageUuids"))
        }
        for session, entries in groupby(document.records(), _session):
            if isinstance(session, Skipped):
                yield session
            elif session:
                records = (entry for entry in entries if isinstance(entry, Record))
                turns = _turns(records, retracted, options)
                yield Conversation(id=item_id(self.name, session), at=document.name, turns=turns)


def _session(record: Record | Skipped) -> str | Skipped:
    return record if isinstance(record, Skipped) else as_text(as_object(record.value).get("sessionId"))


def _turns(
    records: Iterator[Record], retracted: set[str], options: ImportOptions
) -> Iterator[NewTurn | Skipped | LeftOut]:
    for record in records:
        entry = as_object(record.value)
        role = _ROLES.get(as_text(entry.get("type")))
        if role is None:
            continue  # titles, snapshots of files, notices
        key = as_text(entry.get("uuid"))
        why = _left_out(entry, key in retracted)
        if why is not None:
            yield why
            continue
        said_at = moment(entry.get("timestamp"), options.time_zone)
        if not key or said_at is None:
            yield Skipped(at=record.at, why="lacks a uuid" if not key else "lacks a time in timestamp")
            continue
        content = as_object(entry.get("message")).get("content")
        if any(block.get("type") == _TOOL_RESULT for block in objects(content)):
            role = "tool"
        text = clean(_words(content, options))
        yield NewTurn(id=item_id(key), role=role, text=text, said_at=said_at) if not is_blank(text) else _TOOL


def _left_out(entry: Object, retracted: bool) -> LeftOut | None:
    if retracted:
        return _RETRACTED
    if entry.get("isSidechain") is True:
        return _SUBAGENT
    made = ("isMeta", "isCompactSummary", "isApiErrorMessage", "isVisibleInTranscriptOnly")
    return _OF_PROGRAM if any(entry.get(flag) is True for flag in made) else None


def _words(content: object, options: ImportOptions) -> str:
    """Return what was said, without the blocks that the program puts beside it."""
    if isinstance(content, str):
        return "" if _PROGRAM.match(content) else content
    kept = [block for block in objects(content) if not _PROGRAM.match(as_text(block.get("text")))]
    return words_of(kept, tools=options.tools)
