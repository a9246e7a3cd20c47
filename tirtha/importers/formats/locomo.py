"""LoCoMo (Maharana et al., ACL 2024): long conversations of two people, each a record with sessions of one date and time.

Form: {sample_id, conversation: {speaker_a, speaker_b, session_1_date_time, session_1: [{speaker, dia_id, text, blip_caption}]}}.
The first speaker is the user. Times have no zone. Questions and their answers are not read.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from memory.model import NewTurn, Role
from tirtha.importers.fields import Object, as_list, as_object, as_text, clean, item_id, placed, speaker_of
from tirtha.importers.model import Conversation, Document, ImportOptions, LeftOut, Read, Record, Skipped
from tirtha.visible import is_blank

__all__ = ["LoCoMo"]

_SESSION = re.compile(r"session_(\d{1,6})")
_EMPTY = LeftOut("says nothing")


@dataclass(frozen=True, slots=True)
class LoCoMo:
    """Reads LoCoMo's conversations. Each is of other people, so its sample is the user that it is of."""

    name: str = "locomo"

    def recognise(self, record: object) -> bool:
        """Return whether a value is a record of LoCoMo."""
        said = as_object(as_object(record).get("conversation"))
        return "speaker_a" in said and "speaker_b" in said

    def read(self, document: Document, options: ImportOptions) -> Iterator[Read]:
        """Read the sessions of all records of a file. Raises Ambiguous: no time zone is given."""
        for record in document.records():
            if isinstance(record, Skipped):
                yield record
            else:
                yield from _sessions(record, options)


def _sessions(record: Record, options: ImportOptions) -> Iterator[Read]:
    sample = as_text(as_object(record.value).get("sample_id"))
    said = as_object(as_object(record.value).get("conversation"))
    matches = (_SESSION.fullmatch(key) for key in said)
    numbers = sorted(int(match[1]) for match in matches if match)
    if not sample or not numbers:
        yield Skipped(at=record.at, why="is no record of LoCoMo: it has no sample_id, or no sessions")
    for number in numbers:
        name = f"session_{number}"
        started = _moment(as_text(said.get(f"{name}_date_time")), options)
        if started is None:
            yield Skipped(at=f"{record.at}, {name}", why=f"has no {name}_date_time such as 1:56 pm on 8 May, 2023")
            continue
        turns = _turns(said, name, started, f"{record.at}, {name}")
        yield Conversation(
            id=item_id("locomo", sample, name),
            at=f"{record.at}, {name}",
            started=started,
            user=sample or None,
            turns=turns,
        )


def _turns(said: Object, name: str, started: datetime, at: str) -> Iterator[NewTurn | Skipped | LeftOut]:
    for number, one in enumerate(as_list(said.get(name)), 1):
        turn = as_object(one)
        key, speaker, caption = (
            as_text(turn.get("dia_id")),
            speaker_of(turn.get("speaker")),
            as_text(turn.get("blip_caption")),
        )
        if not key or speaker is None:
            yield Skipped(at=f"{at}, turn {number}", why="lacks a dia_id or a speaker")
            continue
        text = clean(
            "\n".join(words for words in (as_text(turn.get("text")), f"[shows {caption}]" if caption else "") if words)
        )
        role: Role = "user" if turn.get("speaker") == said.get("speaker_a") else "assistant"
        turned = NewTurn(id=item_id(key), role=role, speaker=speaker, text=text, said_at=started)
        yield turned if not is_blank(text) else _EMPTY


def _moment(text: str, options: ImportOptions) -> datetime | None:
    try:
        read = datetime.strptime(text, "%I:%M %p on %d %B, %Y")  # noqa: DTZ007 - its zone is a question
    except ValueError:
        return None
    return placed(read, options.time_zone)
