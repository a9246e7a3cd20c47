"""ChatGPT archives of any size, made as they are written: nothing is held but one conversation."""

import json
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

__all__ = ["conversation", "write_archive"]

_PER_MEMBER = 1_000
_FILLER = (
    "It rained most of the day, so we stayed in and talked about what to plant in the garden once the frost is over. "
)


def conversation(number: int, *, turns: int = 6, filler: int = 0) -> dict[str, Any]:
    """Return a conversation with a fact of its own, a regenerated answer and a hidden message."""
    start = 1_700_000_000 + 1_000 * number
    said = [
        f"My locker at gym {number} has the code {7 * number + 11}."
        if place == 0
        else f"Message {place} of chat {number}. "
        for place in range(turns)
    ]
    nodes: dict[str, Any] = {
        "root": {"id": "root", "parent": None, "children": ["hidden"], "message": None},
        "hidden": _node(
            "hidden", "root", "system", "You are kind.", start, {"is_visually_hidden_from_conversation": True}
        ),
        "other": _node("other", "0", "assistant", "A first answer, regenerated.", start + 1),
    }
    for place, text in enumerate(said):
        role, parent = ("assistant" if place % 2 else "user"), (str(place - 1) if place else "hidden")
        nodes[str(place)] = _node(str(place), parent, role, text + filler * _FILLER, start + 10 * place)
    chat = f"chat-{number}"
    return {"id": chat, "conversation_id": chat, "title": f"Chat {number}", "create_time": start, "mapping": nodes} | {
        "current_node": str(turns - 1)
    }


def write_archive(file: Path, conversations: int, *, turns: int = 6, filler: int = 0) -> Path:
    """Write an archive as ChatGPT splits one, compressed little so that it is written fast."""
    with ZipFile(file, "w", ZIP_DEFLATED, compresslevel=1) as archive:
        for first in range(0, conversations, _PER_MEMBER):
            with archive.open(f"conversations-{first // _PER_MEMBER:03}.json", "w") as member:
                for number in range(first, min(first + _PER_MEMBER, conversations)):
                    member.write(b"[" if number == first else b",")
                    member.write(json.dumps(conversation(number, turns=turns, filler=filler)).encode())
                member.write(b"]")
        archive.writestr("user.json", b'{"id": "user-1", "email": "somebody@example.org"}')
    return file


def _node(
    key: str, parent: str, role: str, text: str, at: float, metadata: dict[str, Any] | None = None
) -> dict[str, Any]:
    content = {"content_type": "text", "parts": [text]}
    message = {"id": key, "author": {"role": role}, "create_time": at, "content": content, "metadata": metadata or {}}
    return {"id": key, "parent": parent, "children": [], "message": message}
