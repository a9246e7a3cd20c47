"""Codex's sessions: `$CODEX_HOME/sessions/**/rollout-*.jsonl`, one entry a line, appended as the session goes on.

Form (as of late 2026): {timestamp, type, payload}; `session_meta` has the session's id, `response_item` a message, a call of a tool
or what came back. `event_msg` says the same again, for the screen, and is not read. Neither is what Codex itself puts before the
first message: AGENTS.md, the environment, permissions.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from memory.model import NewTurn, Role
from tirtha.importers.contents import words_of
from tirtha.importers.fields import Object, as_object, as_text, clean, digest, item_id, moment
from tirtha.importers.model import Conversation, Document, ImportOptions, LeftOut, Read, Record, Skipped
from tirtha.visible import is_blank

__all__ = ["Codex"]

_ENTRIES = frozenset({"session_meta", "response_item", "event_msg", "turn_context", "compacted"})
_ROLES: dict[str, Role] = {"user": "user", "assistant": "assistant"}
_PROGRAM = re.compile(
    r"\s*(?:# AGENTS\.md instructions|<(?:user_instructions|environment_context|permissions instructions|INSTRUCTIONS"
    r"|turn_aborted|user_shell_command|skill|collaboration_mode)\b)"
)
_OF_PROGRAM = LeftOut("of the program, not of the conversation")
_TOOL = LeftOut("of a tool (import with tools to keep it)")


@dataclass(frozen=True, slots=True)
class Codex:
    """Reads Codex's session files."""

    name: str = "codex"

    def recognise(self, record: object) -> bool:
        """Return whether a value is an entry of a session file."""
        value = as_object(record)
        return value.get("type") in _ENTRIES and isinstance(value.get("payload"), dict)

    def read(self, document: Document, options: ImportOptions) -> Iterator[Read]:
        """Read the session of a file. Without its first line, which names it, it has the name of the file's first entry."""
        records = document.records()
        before: list[Record | Skipped] = []
        session = ""
        for record in records:
            before.append(record)
            if isinstance(record, Record):
                entry = as_object(record.value)
                named = (
                    as_text(as_object(entry.get("payload")).get("id")) if entry.get("type") == "session_meta" else ""
                )
                session = named or digest(repr(entry))
                break
        if session:
            turns = _turns(chain(before, records), options)
            yield Conversation(id=item_id(self.name, session), at=document.name, turns=turns)


def _turns(records: Iterator[Record | Skipped], options: ImportOptions) -> Iterator[NewTurn | Skipped | LeftOut]:
    for record in records:
        if isinstance(record, Skipped):
            yield record
            continue
        entry = as_object(record.value)
        if entry.get("type") != "response_item":
            continue
        item = as_object(entry.get("payload"))
        shown = _shown(item, options)
        if isinstance(shown, LeftOut):
            yield shown
            continue
        said_at = moment(entry.get("timestamp"), options.time_zone)
        if said_at is None:
            yield Skipped(at=record.at, why="lacks a time in timestamp")
            continue
        role, text = shown
        # Lines are only appended, so the number of one is a name that stays.
        key = as_text(item.get("id")) or f"line-{record.number}"
        yield NewTurn(id=item_id(key), role=role, text=text, said_at=said_at)


def _shown(item: Object, options: ImportOptions) -> tuple[Role, str] | LeftOut:
    """Return who said what, or why it is left out."""
    kind = as_text(item.get("type"))
    if kind != "message":
        text = _tool(kind, item) if options.tools else ""
        role: Role = "tool" if kind.endswith("_output") else "assistant"
        return (role, clean(text)) if not is_blank(text) else _TOOL
    known = _ROLES.get(as_text(item.get("role")))
    text = clean(words_of(item.get("content")))
    if known is None or is_blank(text) or _PROGRAM.match(text):
        return _OF_PROGRAM
    return known, text


def _tool(kind: str, item: Object) -> str:
    if kind in {"function_call", "custom_tool_call"}:
        return (
            f"[tool call: {as_text(item.get('name'))}({as_text(item.get('arguments')) or as_text(item.get('input'))})]"
        )
    if kind in {"function_call_output", "custom_tool_call_output"}:
        output = item.get("output")
        return as_text(as_object(output).get("content")) or words_of(output)
    return ""
