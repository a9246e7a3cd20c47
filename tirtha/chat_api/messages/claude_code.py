"""What requests of Claude Code say of themselves: which program sends them, for what, and what in them no one typed.

Claude Code sends `metadata.user_id` with the installation, the account and the session in one string: before version 2.1.78 as
`user_HASH_account_UUID_session_UUID`, since then as a JSON object with `device_id`. The session in it changes with every start, so
only the installation is somebody who can be remembered. Reminders and the like, which the program writes into a user's message,
are marked by tags at its beginning.
"""

import json
import re
from collections.abc import Mapping

__all__ = ["asks_for_itself", "installation", "is_claude_code", "typed"]

_AGENT = "claude-cli/"
_OLD_ID = re.compile(r"user_([0-9a-zA-Z]{16,128})_account_[0-9a-zA-Z-]*_session_[0-9a-zA-Z-]+")
_OF_PROGRAM = re.compile(
    r"\A\s*(?:<(system-reminder|command-(?:name|message|args)|local-command-\w+|bash-(?:input|std\w+))>.*?</\1>\s*)+",
    re.DOTALL,
)
# How its instructions begin where it wants a title, or to know whether the topic is a new one.
_TASK = re.compile(
    r"analy[sz]e if this message indicates a new conversation topic"
    r"|\b(?:generate|summari[sz]e|write|extract)\b[^.\n]{0,60}\b(?:title|topic)\b[^.\n]{0,80}\b(?:conversation|session|message)\b",
    re.IGNORECASE,
)


def is_claude_code(headers: Mapping[str, str]) -> bool:
    """Return whether a request is one of Claude Code's, or of an agent that is built on it."""
    return headers.get("user-agent", "").startswith(_AGENT) or "x-claude-code-session-id" in headers


def installation(user_id: str) -> str | None:
    """Return the installation that a `metadata.user_id` of Claude Code names; None for another's id."""
    if found := _OLD_ID.fullmatch(user_id):
        return found[1]
    if not user_id.startswith("{"):
        return None
    try:
        named = json.loads(user_id)
    except ValueError:
        return None
    device = named.get("device_id") if isinstance(named, dict) else None
    return device if isinstance(device, str) and device else None


def typed(text: str) -> str:
    """Return a text of a user's message without what the program wrote in front of it."""
    return _OF_PROGRAM.sub("", text)


def asks_for_itself(instructions: str, *, tools: bool) -> bool:
    """Return whether the program wants a title or a topic for its window; such requests hand the model no tools."""
    return not tools and bool(_TASK.search(instructions))
