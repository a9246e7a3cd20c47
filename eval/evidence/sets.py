"""The sets that evidence is reported on: which there are, which files they are read from, and how.

Each set's own reader knows its format.
"""

from collections.abc import Sequence, Set
from dataclasses import replace
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Literal

from eval.beam.data import beam_files, read_beam
from eval.harness.conversations import Conversation, LabelledQuestion
from eval.locomo.data import read_locomo
from eval.longmemeval.data import as_conversation, read_longmemeval
from eval.plain_facts.data import LANGUAGES, PlainFacts
from eval.realtalk.data import read_realtalk

__all__ = ["SetName", "facts_conversation", "files_of", "read_set"]

SetName = Literal["locomo", "realtalk", "beam", "longmemeval", "plain-facts"]
_FACTS_SAID_AT = datetime(2026, 3, 2, 12, tzinfo=UTC)


def read_set(
    name: SetName, path: Path, *, size: str | None = None, limit: int | None = None, exclude: Set[str] = frozenset()
) -> list[Conversation]:
    """Read a set, without the questions whose ids are in `exclude`; `limit` keeps the first of each conversation.

    path: of its file or folder; plain facts have none. size: of BEAM's chats alone ("100K"). Raises OSError, and ValueError where a
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
