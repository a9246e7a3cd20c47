"""Conversations with labelled questions: what every set of them is read into, whatever its file looks like.

A set's own reader (`eval/<set>/data.py`) knows its format; evidence reports, fitting and answers know only what is here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from compaction import Context
from compaction.tokens import count_tokens
from language.words import content_terms, words
from memory import NewTurn, Remember, Scope

__all__ = ["Conversation", "LabelledQuestion"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledQuestion:
    """A question, its gold answer ("" where there is none) and the turns that hold it.

    id: the conversation's and, behind the last colon, the question's place in it: "conv-26:0". kind: as the set calls it.
    evidence: ids of turns of the conversation. answer_in: those of them that hold the gold answer, where the others hold what was
    true before; empty where the set makes no difference. sessions: ids of the evidence's sessions, only where the set labels
    nothing smaller; `evidence` then holds every turn of them. answerable: whether the conversation holds the answer.
    """

    id: str
    question: str
    answer: str
    kind: str
    evidence: frozenset[str]
    answer_in: frozenset[str] = frozenset()
    sessions: frozenset[str] = frozenset()
    answerable: bool = True

    @property
    def place(self) -> int:
        """Its place among the questions of its conversation in the file, from 0."""
        return int(self.id.rpartition(":")[2])

    def recall_of(self, context: Context) -> float:
        """Return the share of the evidence turns that a context quotes, or of the evidence sessions. Needs evidence."""
        if self.sessions:
            return len(self.sessions & {line.session_id for line in context.lines}) / len(self.sessions)
        return len(self.evidence & {line.turn_id for line in context.lines}) / len(self.evidence)

    def words_in(self, text: str) -> float | None:
        """Return the share of the answer's content words, stemmed, that `text` holds; None for an answer without any."""
        wanted = set(content_terms(self.answer))
        return len(wanted & set(content_terms(text))) / len(wanted) if wanted else None

    def contained_in(self, text: str) -> bool | None:
        """Return whether `text` holds the answer: its words in a row, or all its content words; None without an answer."""
        wanted = " ".join(words(self.answer))
        if not wanted:
            return None
        return f" {wanted} " in f" {' '.join(words(text))} " or self.words_in(text) == 1


@dataclass(frozen=True, kw_only=True)
class Conversation:
    """A conversation: per session the turns as `/v1/remember` takes them, and its questions.

    questions: those with valid evidence, and those without an answer that need none. without_evidence: those that name no turn of
    the conversation: their answers can be scored, their evidence cannot. speakers: those who have names. left_out: why a question
    cannot be asked at all, by its id. questions_dated: when its questions are asked, where the set says so. part_of: the id of the
    conversation that it was cut out of, if it was.
    """

    id: str
    sessions: dict[str, list[dict[str, str]]]
    questions: tuple[LabelledQuestion, ...]
    last_said_at: datetime
    speakers: tuple[str, ...] = ()
    without_evidence: tuple[LabelledQuestion, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    questions_dated: datetime | None = None
    part_of: str = ""

    @property
    def answered(self) -> tuple[LabelledQuestion, ...]:
        """All questions that can be asked, with valid evidence or without, in the order of the file."""
        return tuple(sorted((*self.questions, *self.without_evidence), key=lambda question: question.place))

    @property
    def scope(self) -> Scope:
        """The scope that it is remembered in."""
        return Scope(tenant="eval", user_id=self.id)

    @property
    def asked_at(self) -> datetime:
        """When its questions are asked: a day after its end, unless the set says."""
        return self.questions_dated or self.last_said_at + timedelta(days=1)

    @cached_property
    def tokens(self) -> int:
        """The tokens of its raw text."""
        return sum(
            count_tokens(f"{turn.get('speaker') or turn['role']}: {turn['text']}\n")
            for turns in self.sessions.values()
            for turn in turns
        )

    def requests(self) -> list[Remember]:
        """Return its sessions as they are remembered."""
        return [
            Remember(
                scope=self.scope,
                session_id=session_id,
                turns=[NewTurn(**(turn | {"said_at": datetime.fromisoformat(turn["said_at"])})) for turn in turns],  # type: ignore[arg-type]
            )
            for session_id, turns in self.sessions.items()
        ]
