"""REALTALK (Lee et al., arXiv 2502.13270): real people's messages of three weeks, with questions and the messages that answer them.

Categories as LoCoMo's: 1 multi-hop, 2 temporal, 3 commonsense. Labels are noisy, and some evidence is a photo's message: without
text it is remembered as `[image]`.
"""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from eval.errors import Unusable
from eval.harness.conversations import Conversation, LabelledQuestion

__all__ = ["read_realtalk"]

_SESSION = re.compile(r"session_\d+")
_KINDS = {1: "multi-hop", 2: "temporal", 3: "commonsense"}
_SENT_AT = "%d.%m.%Y, %H:%M:%S"


def read_realtalk(folder: Path) -> list[Conversation]:
    """Read the chats of a folder, one a file, in the order of their names. Raises Unusable where one is not in its format."""
    chats = []
    for file in sorted(folder.glob("*.json")):
        try:
            chats.append(_chat(file.stem, json.loads(file.read_text("utf-8"))))
        except (KeyError, TypeError, ValueError) as fault:
            raise Unusable(f"{file} is not in REALTALK's format: {fault!r}") from fault
    if not chats:
        raise Unusable(f"{folder} holds no chat")
    return chats


def _chat(name: str, record: dict[str, Any]) -> Conversation:
    said = {key: record[key] for key in record if _SESSION.fullmatch(key)}
    sessions = {key: [_turn(message) for message in messages] for key, messages in said.items()}
    turns = [turn for messages in sessions.values() for turn in messages]
    known = {turn["id"] for turn in turns}
    questions = [
        LabelledQuestion(
            id=f"{name}:{place}",
            question=qa["question"],
            answer=str(qa["answer"]),
            kind=_KINDS[qa["category"]],
            evidence=frozenset(qa["evidence"]) & known,
        )
        for place, qa in enumerate(record["qa"])
    ]
    first, second = dict.fromkeys(turn["speaker"] for turn in turns)
    return Conversation(
        id=name,
        sessions=sessions,
        questions=tuple(question for question in questions if question.evidence),
        without_evidence=tuple(question for question in questions if not question.evidence),
        last_said_at=datetime.fromisoformat(max(turn["said_at"] for turn in turns)),
        speakers=(first, second),
    )


def _turn(message: dict[str, Any]) -> dict[str, str]:
    return {
        "id": message["dia_id"],
        "role": "user",
        "speaker": message["speaker"],
        "text": message["clean_text"].strip() or "[image]",
        "said_at": datetime.strptime(message["date_time"], _SENT_AT).replace(tzinfo=UTC).isoformat(),
    }
