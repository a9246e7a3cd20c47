"""BEAM (Tavakoli et al., arXiv 2510.27246; CC BY-SA 4.0): chats of a user and an assistant over months, ten kinds of questions.

Reads folders as the repository lays them out: `chat.json`, and `probing_questions/probing_questions.json` beside it. A batch is a
session. A day holds until the next is named;| there are no times of day. Messages end in the place of the plan that they were made
from ("->-> 1,1"), which is no text: it is cut, with whatever follows it.

Questions without evidence are kept apart, but for those that are to be refused: they need none. What a request about the user's
instructions or preferences should go by is the instruction or the preference itself, so that is its gold text.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from eval.errors import Unusable
from eval.harness.conversations import Conversation, LabelledQuestion

__all__ = ["ABSTENTION", "KINDS", "beam_files", "read_beam"]

ABSTENTION = "abstention"
_GOLD = {
    "contradiction_resolution": "ideal_answer",
    "event_ordering": "answer",
    "information_extraction": "answer",
    "instruction_following": "instruction_being_tested",
    "knowledge_update": "answer",
    "multi_session_reasoning": "answer",
    "preference_following": "preference_being_tested",
    "summarization": "ideal_summary",
    "temporal_reasoning": "answer",
}
KINDS = (*_GOLD, ABSTENTION)
_QUESTIONS = Path("probing_questions") / "probing_questions.json"
_MARK = "->->"
_DAY = "%B-%d-%Y"


def read_beam(folder: Path, *, size: str | None = None) -> list[Conversation]:
    """Read the chats in a folder and below it, in the order of their places, those of one size ("100K") if it is given.

    A chat is named by its folder and the one above it: "100K/2". Raises Unusable where one is not in BEAM's format, or none is
    there.
    """
    chats = [_read(file) for file in _chat_files(folder, size)]
    if not chats:
        raise Unusable(f"{folder} holds no chat of BEAM{f' of size {size}' if size else ''}")
    return chats


def beam_files(folder: Path, *, size: str | None = None) -> list[Path]:
    """Name the files that `read_beam` reads."""
    return [one for file in _chat_files(folder, size) for one in (file, file.parent / _QUESTIONS)]


def _chat_files(folder: Path, size: str | None) -> list[Path]:
    files = sorted(folder.absolute().glob("**/chat.json"), key=_place)
    return [file for file in files if size in {None, file.parents[1].name}]


def _place(file: Path) -> tuple[str, int, str]:
    name = file.parent.name
    return file.parents[1].name, int(name) if name.isdecimal() else 0, name


def _read(file: Path) -> Conversation:
    try:
        said, asked = (json.loads(one.read_text("utf-8")) for one in (file, file.parent / _QUESTIONS))
        return _chat(f"{file.parents[1].name}/{file.parent.name}", said, asked)
    except (KeyError, TypeError, AttributeError, ValueError) as fault:
        raise Unusable(f"{file} is not in BEAM's format: {fault!r}") from fault


def _chat(name: str, batches: list[dict[str, Any]], asked: dict[str, list[dict[str, Any]]]) -> Conversation:
    sessions: dict[str, list[dict[str, str]]] = {}
    day = ""
    for batch in batches:
        session = sessions.setdefault(f"batch_{batch['batch_number']}", [])
        for message in (message for exchange in batch["turns"] for message in exchange):
            day = _day(message["time_anchor"]) if message.get("time_anchor") else day
            session.append(_turn(message, day))
    known = {turn["id"] for turns in sessions.values() for turn in turns}
    flat = [(kind, question) for kind, questions in asked.items() for question in questions]
    questions = [_question(f"{name}:{place}", *one, known) for place, one in enumerate(flat)]
    return Conversation(
        id=name,
        sessions=sessions,
        questions=tuple(one for one in questions if one.evidence or not one.answerable),
        without_evidence=tuple(one for one in questions if one.answerable and not one.evidence),
        last_said_at=datetime.fromisoformat(day),
    )


def _day(written: str) -> str:
    return datetime.strptime(written, _DAY).replace(tzinfo=UTC).isoformat()


def _turn(message: dict[str, Any], day: str) -> dict[str, str]:
    text = message["content"].partition(_MARK)[0].rstrip()
    return {"id": str(message["id"]), "role": message["role"], "text": text, "said_at": day}


def _question(id_: str, kind: str, record: dict[str, Any], known: set[str]) -> LabelledQuestion:
    sources = record.get("source_chat_ids")
    updated = sources.get("updated_info") if isinstance(sources, dict) else None
    return LabelledQuestion(
        id=id_,
        question=record["question"],
        answer="" if kind == ABSTENTION else record[_GOLD[kind]],
        kind=kind,
        evidence=frozenset(_ids(sources)) & known,
        answer_in=frozenset(_ids(updated)) & known,
        answerable=kind != ABSTENTION,
    )


def _ids(sources: object) -> Iterator[str]:
    """Flatten message ids: a number, lists of lists of them, or lists by name."""
    match sources:
        case None:
            return
        case dict():
            for one in sources.values():
                yield from _ids(one)
        case list():
            for one in sources:
                yield from _ids(one)
        case int():
            yield str(sources)
        case _:
            raise ValueError(f"{sources!r} is no message id")
