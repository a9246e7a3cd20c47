"""A sample history, written for the project: two friends, eight conversations, half a year; and questions over it."""

import json
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files

from memory import NewTurn

__all__ = ["SampleQuestion", "sample_questions", "sample_sessions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleQuestion:
    """A question over the sample history; `evidence` are the turns that hold the answer, none if it was never said."""

    question: str
    answer: str
    evidence: frozenset[str]
    kind: str


def sample_sessions() -> dict[str, list[NewTurn]]:
    """Read the history: the turns of each session, in order."""
    sessions: dict[str, list[NewTurn]] = {}
    for line in (files("tirtha.sample") / "history.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        turn = NewTurn(
            id=row["id"],
            role=row["role"],
            speaker=row["speaker"],
            text=row["text"],
            said_at=datetime.fromisoformat(row["said_at"]),
        )
        sessions.setdefault(row["session_id"], []).append(turn)
    return sessions


def sample_questions() -> list[SampleQuestion]:
    """Read the questions."""
    return [
        SampleQuestion(
            question=row["question"], answer=row["answer"], evidence=frozenset(row["evidence"]), kind=row["kind"]
        )
        for row in json.loads((files("tirtha.sample") / "questions.json").read_text("utf-8"))
    ]
