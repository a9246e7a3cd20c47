"""The sets that evidence is reported on: which there are, which files they are read from, and how.

Each set's own reader knows its format.
"""

from collections.abc import Sequence, Set
from dataclasses import replace
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from eval.beam.data import beam_files, read_beam
from eval.errors import Unusable
from eval.harness.benchmark import Options
from eval.harness.conversations import Conversation, LabelledQuestion
from eval.locomo.data import read_locomo
from eval.longmemeval.data import as_conversation, read_longmemeval
from eval.plain_facts.data import LANGUAGES, PlainFacts
from eval.realtalk.data import read_realtalk

__all__ = ["LabelledSet", "SetName", "facts_conversation", "files_of", "ids_in", "read_set"]

SetName = Literal["locomo", "realtalk", "beam", "longmemeval", "plain-facts"]
_FACTS_SAID_AT = datetime(2026, 3, 2, 12, tzinfo=UTC)


class LabelledSet(Options):
    """Which questions of which set; plain facts need no file."""

    set: SetName = Field(description="the set")
    data: Path | None = Field(default=None, description="its file or folder; plain facts have none")
    size: str | None = Field(default=None, description="only BEAM's chats in folders of this name: 100K, 500K")
    limit: int | None = Field(default=None, ge=1, description="only the first questions of each conversation")
    exclude: Path | None = Field(default=None, description="ids to leave out (label errors), one a line: conv-26:0")

    @model_validator(mode="after")
    def _has_a_file(self) -> Self:
        if self.data is None and self.set != "plain-facts":
            raise Unusable(f"{self.set} is read from a file or folder: --data")
        return self

    @property
    def path(self) -> Path:
        """Where the set lies."""
        return self.data or Path("generated")

    def files(self) -> list[Path]:
        """Return the files of the set, and the ids that are left out."""
        return [*files_of(self.set, self.path, size=self.size), *([self.exclude] if self.exclude else [])]

    def conversations(self) -> list[Conversation]:
        """Read them. Raises as `read_set` does."""
        return read_set(self.set, self.path, size=self.size, limit=self.limit, exclude=ids_in(self.exclude))


def read_set(
    name: SetName, path: Path, *, size: str | None = None, limit: int | None = None, exclude: Set[str] = frozenset()
) -> list[Conversation]:
    """Read a set, without the questions whose ids are in `exclude`; `limit` keeps the first of each conversation.

    path: of its file or folder; plain facts have none. size: of BEAM's chats alone ("100K"). Raises OSError, and Unusable where a
    file is not in the set's format.
    """
    return [_cut(one, limit, exclude) for one in _read(name, path, size)]


def files_of(name: SetName, path: Path, *, size: str | None = None) -> list[Path]:
    """Name the files that a set is read from."""
    match name:
        case "beam":
            return beam_files(path, size=size)
        case "realtalk":
            return sorted(path.glob("*.json"))
        case "locomo" | "longmemeval":
            return [path]
        case "plain-facts":
            return sorted(Path(str(files("eval.plain_facts") / "languages")).glob("*.toml"))


def ids_in(file: Path | None) -> frozenset[str]:
    """Return the ids that stand in a file, one a line; none without a file. Raises OSError."""
    return frozenset(file.read_text("utf-8").split()) if file else frozenset()


def _read(name: SetName, path: Path, size: str | None) -> Sequence[Conversation]:
    match name:
        case "locomo":
            return read_locomo(path)
        case "realtalk":
            return read_realtalk(path)
        case "beam":
            return read_beam(path, size=size)
        case "longmemeval":
            return [as_conversation(one) for one in read_longmemeval(path)]
        case "plain-facts":
            return [facts_conversation(PlainFacts(language=language)) for language in LANGUAGES]


def facts_conversation(facts: PlainFacts) -> Conversation:
    """Return plain facts as a conversation of one session; the kind of its questions is the language."""
    said_at = _FACTS_SAID_AT.isoformat()
    questions = (
        LabelledQuestion(
            id=one.id, question=one.question, answer=one.answer, kind=facts.language, evidence=frozenset({one.turn_id})
        )
        for one in facts.questions
    )
    return Conversation(
        id=facts.id,
        sessions={
            "facts": [{"id": one.turn_id, "role": "user", "text": one.text, "said_at": said_at} for one in facts.facts]
        },
        questions=tuple(questions),
        last_said_at=_FACTS_SAID_AT,
    )


def _cut(conversation: Conversation, limit: int | None, exclude: Set[str]) -> Conversation:
    kept = [one for one in conversation.questions if one.id not in exclude]
    return replace(conversation, questions=tuple(kept[:limit]))
