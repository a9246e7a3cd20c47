"""What is set apart in a chat: requests that its interface makes for itself, and messages that their author keeps out of memory.

Chat interfaces ask the same endpoint for titles, tags and suggestions, with the conversation pasted into one message (Open WebUI's
begin with "### Task:"). These are neither remembered nor given memory.
"""

import re
from collections.abc import Sequence

from tirtha.operations.chat.asked import ChatTurn

__all__ = ["is_interface_task", "kept_out"]

_MADE = r"(?:generate|create|write|provide|suggest|give|come up with|make|produce)"
_TASK = re.compile(
    r"\A\s*###\s*Task:"
    rf"|\A\s*(?:please\s+)?{_MADE}\b[^.\n]{{0,80}}\b(?:title|tags?|follow[- ]?up (?:questions|prompts)|emoji)\b[^\n]{{0,120}}"
    r"\b(?:conversation|chat|dialog(?:ue)?|messages?|discussion|thread)\b"
    r"|\A\s*(?:based on|given|here is) (?:the|this) (?:conversation|chat)[^.\n]{0,80},?\s*"
    rf"(?:please\s+)?{_MADE}\b[^.\n]{{0,60}}\b(?:title|tags?|follow[- ]?ups?)\b",
    re.IGNORECASE,
)
_NOT = r"(?:do(?:n['\u2019]?t| not)|never)"
_REQUESTS = (
    rf"\b{_NOT}\s+(?:you\s+)?(?:ever\s+)?(?:remember|memori[sz]e|store|save|record|keep|log)\s+"
    r"(?:this|that|it|what (?:i|follows)|the following|any of (?:this|that))\b",
    r"\boff the record\b",
    r"\bforget (?:that )?i (?:ever )?(?:said|told you|asked) (?:this|that|it)\b",
    r"\bkeep (?:this|that) out of (?:your )?memory\b",
    r"\bmerk\w*\s+dir\s+(?:das|dies|es)\s+nicht\b|\bspeicher\w*\s+(?:das|dies|es)\s+nicht\b",
    r"\bno\s+(?:recuerdes|guardes|memorices)\s+(?:esto|eso)\b",
    r"\bne\s+(?:retiens|m[ée]morise|enregistre)\s+pas\s+(?:ça|cela|ceci)\b",
    r"\bnon\s+(?:ricordare|memorizzare|salvare)\s+(?:questo|quello)\b",
    r"\bn[ãa]o\s+(?:lembre|guarde|memorize)\s+(?:isso|isto)\b",
    r"\b(?:onthoud|bewaar)\s+(?:dit|dat)\s+niet\b",
    r"не\s+(?:запоминай|сохраняй)(?:те)?\s+это",
    r"(?:不要|别)(?:记住|保存|记录)(?:这|那)",
    r"(?:これ|それ)(?:は|を)(?:覚え|記憶し|保存し)ないで",
    r"이(?:건|것은|걸)\s*(?:기억|저장)하지\s*마",
)
_REQUEST = re.compile("|".join(_REQUESTS), re.IGNORECASE)


def is_interface_task(turns: Sequence[ChatTurn]) -> bool:
    """Return whether a conversation is a request of the chat's interface, by its only message of a user."""
    asked = [turn.text for turn in turns if turn.role == "user"]
    return len(asked) == 1 and bool(_TASK.search(asked[0]))


def kept_out(turns: Sequence[ChatTurn]) -> list[bool]:
    """Return for each turn whether it stays out of memory: messages whose author says so, and what was answered to them."""
    out, apart = [], False
    for turn in turns:
        if turn.role == "user":
            apart = bool(_REQUEST.search(turn.text))
        out.append(apart)
    return out
