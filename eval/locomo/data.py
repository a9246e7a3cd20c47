"""LoCoMo (Maharana et al., ACL 2024): long conversations of two people, and questions with the turns that answer them.

Categories: 1 multi-hop, 2 temporal, 3 open-domain, 4 single-hop, 5 adversarial (the answer is not there).
"""

import json
import re
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from dateutil.parser import parse as parse_date

from compaction import Context
from compaction.tokens import count_tokens
from language.words import content_terms
from memory import NewTurn, Remember, Scope

__all__ = ["ADVERSARIAL", "CATEGORIES", "Conversation", "LocomoQuestion", "read_locomo"]

CATEGORIES = {1: "multi-hop", 2: "temporal", 3: "open-domain", 4: "single-hop"}
ADVERSARIAL = 5
_TURN_ID = re.compile(r"D\d+:\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class LocomoQuestion:
    """A question, its gold answer and those of its evidence ids that are turns of the conversation.

    `id` is the conversation's and the question's place in it: "conv-26:0".
    """

    id: str
    question: str
    answer: str
    category: int
    evidence: frozenset[str]

    @property
    def place(self) -> int:
        """Its place among the questions of its conversation in the file, from 0."""
        return int(self.id.rpartition(":")[2])

    @property
    def answerable(self) -> bool:
        """Whether the conversation holds the answer."""
        return self.category != ADVERSARIAL

    def recall_of(self, context: Context) -> float:
        """Give the share of the evidence turns that a context quotes."""
        named = {line.turn_id for line in context.lines}
        return len(self.evidence & named) / len(self.evidence)

    def words_in(self, text: str) -> float | None:
        """Give the share of the answer's content words, stemmed, that `text` holds; None for an answer without any."""
        wanted = set(content_terms(self.answer))
        return len(wanted & set(content_terms(text))) / len(wanted) if wanted else None


@dataclass(frozen=True, kw_only=True)
class Conversation:
    """A conversation: per session the turns as `/v1/remember` takes them, and its questions.

    questions: those with valid evidence. without_evidence: those that name no turn of the conversation: their answers can be
    scored, their evidence cannot. left_out: why a question cannot be asked at all, by its id.
    """

    id: str
    sessions: dict[str, list[dict[str, str]]]
    questions: tuple[LocomoQuestion, ...]
    last_said_at: datetime
    speakers: tuple[str, str]
    without_evidence: tuple[LocomoQuestion, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def answered(self) -> tuple[LocomoQuestion, ...]:
        """All questions that have a right answer, with valid evidence or without, in the order of the file."""
        return tuple(sorted((*self.questions, *self.without_evidence), key=lambda question: question.place))

    @property
    def scope(self) -> Scope:
        """The scope that it is remembered in."""
        return Scope(tenant="eval", user_id=self.id)

    @property
    def asked_at(self) -> datetime:
        """When its questions are asked: a day after its end."""
        return self.last_said_at + timedelta(days=1)

    @cached_property
    def tokens(self) -> int:
        """The tokens of its raw text."""
        return sum(
            count_tokens(f"{turn['speaker']}: {turn['text']}\n") for turns in self.sessions.values() for turn in turns
        )

    def requests(self) -> list[Remember]:
        """Give its sessions as they are remembered."""
        return [
            Remember(
                scope=self.scope,
                session_id=session_id,
                turns=[NewTurn(**(turn | {"said_at": datetime.fromisoformat(turn["said_at"])})) for turn in turns],  # type: ignore[arg-type]
            )
            for session_id, turns in self.sessions.items()
        ]


def read_locomo(data: Path, *, exclude: Set[str] = frozenset()) -> list[Conversation]:
    """Read a LoCoMo file, without the questions whose ids are in `exclude` (label errors, say); ValueError where it is not one."""
    try:
        conversations = [_conversation(record, exclude) for record in json.loads(data.read_text("utf-8"))]
    except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as fault:
        raise ValueError(f"{data} is not in LoCoMo's format: {fault!r}") from fault
    if not conversations:
        raise ValueError(f"{data} holds no conversation")
    return conversations


def _conversation(record: dict[str, Any], exclude: Set[str]) -> Conversation:
    said = record["conversation"]
    numbers = sorted(int(key.removeprefix("session_")) for key in said if re.fullmatch(r"session_\d+", key))
    starts = {number: parse_date(said[f"session_{number}_date_time"]).replace(tzinfo=UTC) for number in numbers}
    sessions = {f"session_{n}": [_turn(turn, said, starts[n]) for turn in said[f"session_{n}"]] for n in numbers}
    known = {turn["id"] for turns in sessions.values() for turn in turns}
    questions: list[LocomoQuestion] = []
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
    if qa["category"] not in {*CATEGORIES, ADVERSARIAL}:
        return "no category of LoCoMo"
    return "" if qa["category"] == ADVERSARIAL or qa.get("answer") not in {None, ""} else "no answer in the file"


def _question(question_id: str, qa: dict[str, Any], known: set[str]) -> LocomoQuestion:
    evidence = frozenset(turn for text in qa.get("evidence", ()) for turn in _TURN_ID.findall(text)) & known
    answer = "" if qa["category"] == ADVERSARIAL else str(qa["answer"])
    return LocomoQuestion(
        id=question_id, question=qa["question"], answer=answer, category=qa["category"], evidence=evidence
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
