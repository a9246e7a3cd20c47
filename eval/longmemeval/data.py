"""LongMemEval's official files (Wu et al., ICLR 2025): questions, each with a history of dated sessions of its own.

Reads `longmemeval_s_cleaned.json`, `_oracle`, `_m`, and `.xz` copies of them. The ids of evidence sessions contain the word
"answer", so sessions go into the memory under hashes.
"""

import json
import lzma
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any

from dateutil.parser import parse as parse_date

from eval.errors import Unusable
from eval.harness.conversations import Conversation, LabelledQuestion
from memory.model import NewTurn, Role

__all__ = ["HistorySession", "LongMemEvalQuestion", "as_conversation", "read_longmemeval"]

_WEEKDAY = re.compile(r"\([A-Za-z]+\)")
_ROLES: Mapping[str, Role] = {"user": "user", "assistant": "assistant", "system": "system"}


@dataclass(frozen=True, slots=True, kw_only=True)
class HistorySession:
    """A session of a history; `evidence` are the ids of its turns with `has_answer`, `key` is what the memory knows it by."""

    key: str
    turns: tuple[NewTurn, ...]
    evidence: frozenset[str]
    labelled: bool


@dataclass(frozen=True, kw_only=True)
class LongMemEvalQuestion:
    """A question, when it was asked, its gold answer, and its history."""

    id: str
    type: str
    question: str
    answer: str
    asked_at: datetime
    sessions: tuple[HistorySession, ...]
    answer_sessions: frozenset[str]

    @property
    def abstention(self) -> bool:
        """Whether the history does not hold the answer."""
        return self.id.endswith("_abs")

    @property
    def judged_as(self) -> str:
        """How a judge's prompt names it: by its type, or that it has no answer."""
        return "abstention" if self.abstention else self.type

    @cached_property
    def labelled(self) -> bool:
        """Whether the file says which turns hold the answer."""
        return any(session.labelled for session in self.sessions)

    @cached_property
    def evidence_turns(self) -> frozenset[str]:
        """The users' turns with `has_answer` in the answer's sessions: the paper's targets on the level of turns."""
        users = {turn.id for session in self.sessions for turn in session.turns if turn.role == "user" and turn.id}
        of_sessions = (session.evidence for session in self.sessions if session.key in self.answer_sessions)
        return frozenset().union(*of_sessions) & users

    @cached_property
    def strict_sessions(self) -> frozenset[str]:
        """The answer's sessions that have a user's turn with `has_answer`; all of them where the file has no such labels."""
        if not self.labelled:
            return self.answer_sessions
        users = self.evidence_turns
        kept = (s.key for s in self.sessions if s.key in self.answer_sessions and s.evidence & users)
        return frozenset(kept)


def read_longmemeval(file: Path) -> Iterator[LongMemEvalQuestion]:
    """Read the questions of a file, one at a time. Raises Unusable, naming the place, where it is not in the official format."""
    try:
        raw = lzma.decompress(file.read_bytes()) if file.suffix == ".xz" else file.read_bytes()
        records = json.loads(raw)
    except (lzma.LZMAError, json.JSONDecodeError, UnicodeDecodeError) as fault:
        raise Unusable(f"{file} is not in LongMemEval's format: {fault}") from fault
    if not isinstance(records, list) or not records:
        raise Unusable(f"{file} is not in LongMemEval's format: a list of questions is wanted")
    for number, record in enumerate(records):
        try:
            yield _question(record)
        except (KeyError, TypeError, AttributeError, ValueError) as fault:
            raise Unusable(f"{file}: question {number} is not in LongMemEval's format: {fault!r}") from fault


def as_conversation(question: LongMemEvalQuestion) -> Conversation:
    """Return a question with its history in the form of every set.

    Evidence is every turn with `has_answer` in the answer's sessions, an assistant's too; where the file labels none, the sessions.
    """
    sessions = [one for one in question.sessions if one.turns]
    answering = [one for one in sessions if one.key in question.answer_sessions]
    labelled = frozenset[str]().union(*(one.evidence for one in answering))
    labelled_question = LabelledQuestion(
        id=f"{question.id}:0",
        question=question.question,
        answer="" if question.abstention else question.answer,
        kind=question.judged_as,
        evidence=labelled or frozenset(turn.id or "" for one in answering for turn in one.turns),
        sessions=frozenset() if labelled else frozenset(one.key for one in answering),
        answerable=not question.abstention,
    )
    asked = (labelled_question,)
    valid = bool(labelled_question.evidence) or question.abstention
    turns = {one.key: [_as_remembered(turn) for turn in one.turns] for one in sessions}
    return Conversation(
        id=question.id,
        sessions=turns,
        questions=asked if valid else (),
        without_evidence=() if valid else asked,
        last_said_at=datetime.fromisoformat(max(turn["said_at"] for said in turns.values() for turn in said)),
        questions_dated=question.asked_at,
    )


def _as_remembered(turn: NewTurn) -> dict[str, str]:
    said_at = turn.said_at.isoformat() if turn.said_at else ""
    return {"id": turn.id or "", "role": turn.role, "text": turn.text, "said_at": said_at}


def _question(record: Mapping[str, Any]) -> LongMemEvalQuestion:
    parts = zip(record["haystack_session_ids"], record["haystack_dates"], record["haystack_sessions"], strict=True)
    sessions = tuple(_session(record["question_id"], place, *part) for place, part in enumerate(parts))
    named = frozenset(record["answer_session_ids"])
    return LongMemEvalQuestion(
        id=record["question_id"],
        type=record["question_type"],
        question=record["question"],
        answer=str(record["answer"]),
        asked_at=_moment(record["question_date"]),
        sessions=sessions,
        answer_sessions=frozenset(
            session.key
            for session, original in zip(sessions, record["haystack_session_ids"], strict=True)
            if original in named
        ),
    )


def _session(
    question_id: str, place: int, session_id: str, date: str, turns: Sequence[Mapping[str, Any]]
) -> HistorySession:
    key = blake2b(f"{question_id}/{place}/{session_id}".encode(), digest_size=8).hexdigest()
    said_at = _moment(date)
    kept = [(number, turn) for number, turn in enumerate(turns) if turn["content"].strip()]
    return HistorySession(
        key=key,
        turns=tuple(
            NewTurn(id=f"{key}:{number}", role=_ROLES[turn["role"]], text=turn["content"], said_at=said_at)
            for number, turn in kept
        ),
        evidence=frozenset(f"{key}:{number}" for number, turn in kept if turn.get("has_answer")),
        labelled=any("has_answer" in turn for _, turn in kept),
    )


def _moment(text: str) -> datetime:
    """Read "2023/05/30 (Tue) 23:40", a wall clock without a zone, as UTC."""
    return parse_date(_WEEKDAY.sub("", text)).replace(tzinfo=UTC)
