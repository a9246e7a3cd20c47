"""LoCoMo (Maharana et al., ACL 2024): long conversations of two people, and questions with the turns that answer them.

Categories: 1 multi-hop, 2 temporal, 3 open-domain, 4 single-hop, 5 adversarial (the answer is not there).
"""

import json
import re
from collections.abc import Set
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dateutil.parser import parse as parse_date

from eval.errors import Unusable
from eval.harness.conversations import Conversation, LabelledQuestion

__all__ = ["ADVERSARIAL", "read_locomo"]

ANSWERED = ("multi-hop", "temporal", "open-domain", "single-hop")
ADVERSARIAL = "adversarial"
_KINDS = dict(enumerate([*ANSWERED, ADVERSARIAL], 1))
_TURN_ID = re.compile(r"D\d+:\d+")


def read_locomo(data: Path, *, exclude: Set[str] = frozenset()) -> list[Conversation]:
    """Read a LoCoMo file, without the questions whose ids are in `exclude` (label errors, say); Unusable where it is not one."""
    try:
        conversations = [_conversation(record, exclude) for record in json.loads(data.read_text("utf-8"))]
    except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as fault:
        raise Unusable(f"{data} is not in LoCoMo's format: {fault!r}") from fault
    if not conversations:
        raise Unusable(f"{data} holds no conversation")
    return conversations


def _conversation(record: dict[str, Any], exclude: Set[str]) -> Conversation:
    said = record["conversation"]
    numbers = sorted(int(key.removeprefix("session_")) for key in said if re.fullmatch(r"session_\d+", key))
    starts = {number: parse_date(said[f"session_{number}_date_time"]).replace(tzinfo=UTC) for number in numbers}
    sessions = {f"session_{n}": [_turn(turn, said, starts[n]) for turn in said[f"session_{n}"]] for n in numbers}
    known = {turn["id"] for turns in sessions.values() for turn in turns}
    questions: list[LabelledQuestion] = []
    left_out: dict[str, str] = {}
    for place, qa in enumerate(record["qa"]):
        question_id = f"{record['sample_id']}:{place}"
        why = "listed for exclusion" if question_id in exclude else _unanswered(qa)
        if why:
            left_out[question_id] = why
        else:
            questions.append(_question(question_id, qa, known))
    return Conversation(
        id=record["sample_id"],
        sessions=sessions,
        questions=tuple(question for question in questions if question.evidence),
        last_said_at=max(starts.values()),
        speakers=(said["speaker_a"], said["speaker_b"]),
        without_evidence=tuple(question for question in questions if not question.evidence),
        left_out=left_out,
    )


def _unanswered(qa: dict[str, Any]) -> str:
    """Return why there is no right answer to hold an answer against; "" if there is one."""
    kind = _KINDS.get(qa["category"])
    if kind is None:
        return "no category of LoCoMo"
    return "" if kind == ADVERSARIAL or qa.get("answer") not in {None, ""} else "no answer in the file"


def _question(question_id: str, qa: dict[str, Any], known: set[str]) -> LabelledQuestion:
    evidence = frozenset(turn for text in qa.get("evidence", ()) for turn in _TURN_ID.findall(text)) & known
    kind = _KINDS[qa["category"]]
    answerable = kind != ADVERSARIAL
    return LabelledQuestion(
        id=question_id,
        question=qa["question"],
        answer=str(qa["answer"]) if answerable else "",
        kind=kind,
        evidence=evidence,
        answerable=answerable,
    )


def _turn(turn: dict[str, Any], said: dict[str, Any], said_at: datetime) -> dict[str, str]:
    caption = turn.get("blip_caption")
    return {
        "id": turn["dia_id"],
        "role": "user" if turn["speaker"] == said["speaker_a"] else "assistant",
        "speaker": turn["speaker"],
        "text": f"{turn['text']}\n[shows {caption}]" if caption else turn["text"],
        "said_at": said_at.isoformat(),
    }
