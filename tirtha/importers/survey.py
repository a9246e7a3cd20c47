"""What an export holds, found by reading it through once, before anything of it is stored: how much, of whom, from when.

Everything that is a question or a fault of the whole file comes up here. Nothing is kept of what was said but a few titles.
"""

from collections import Counter
from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from datetime import datetime

from memory.model import NewTurn
from tirtha.importers.errors import Ambiguous
from tirtha.importers.fields import clean, is_id
from tirtha.importers.model import Conversation, ImportOptions, LeftOut, Skipped
from tirtha.importers.reading import Export, read_export

__all__ = ["Survey", "Tally", "survey", "turns_of"]

_TITLES = 3
_LISTED = 1_000
_NAMED = 20
_LONGEST_USER = 128
_OTHERS = "of another user"


@dataclass(slots=True, kw_only=True)
class Tally:
    """Conversations and turns, counted; `first` and `last` are when turns were said, `titles` a few to know the file by."""

    turns: int = 0
    first: datetime | None = None
    last: datetime | None = None
    titles: list[str] = field(default_factory=list)
    _seen: set[int] = field(default_factory=set)

    @property
    def conversations(self) -> int:
        """How many conversations have a turn; one that comes in pieces is one."""
        return len(self._seen)

    def add(self, conversation: Conversation, turn: NewTurn) -> None:
        """Count a turn."""
        self.turns += 1
        if turn.said_at is not None:
            self.first = min(self.first or turn.said_at, turn.said_at)
            self.last = max(self.last or turn.said_at, turn.said_at)
        key = hash((conversation.user, conversation.id))
        if key not in self._seen:
            self._seen.add(key)
            if conversation.title and len(self.titles) < _TITLES:
                self.titles.append(clean(conversation.title))


@dataclass(slots=True, kw_only=True)
class Survey:
    """What an export holds for one user, and what of it will not be stored: the first thousand that were skipped are listed.

    `chosen` is the user of the file whose conversations are meant; None where the file does not distinguish users.
    """

    format: str
    user: str
    chosen: str | None
    tally: Tally
    left_out: Counter[str]
    skipped: list[Skipped]
    skipped_count: int


def survey(export: Export, options: ImportOptions) -> Survey:
    """Read an export through. Raises Ambiguous where it is not clear whose memory is meant, and as `read_export`."""
    every, wanted = Tally(), Tally()
    users: set[str | None] = set()
    left_out: Counter[str] = Counter()
    skipped: list[Skipped] = []
    skipped_count = 0
    for conversation, found in _found(export, options):
        if isinstance(found, Skipped):
            skipped_count += 1
            skipped += [found] if len(skipped) < _LISTED else []
        elif isinstance(found, LeftOut):
            left_out[found.why] += 1
        elif conversation is not None:
            users |= {conversation.user} if len(users) < _LISTED else set()
            every.add(conversation, found)
            if conversation.user is not None and conversation.user == options.user:
                wanted.add(conversation, found)
    user, chosen = _whose(users, wanted=options.user, is_named=wanted.turns > 0)
    tally = every if chosen is None else wanted
    if every.turns > tally.turns:
        left_out[_OTHERS] += every.turns - tally.turns
    return Survey(
        format=export.importer.name,
        user=user,
        chosen=chosen,
        tally=tally,
        left_out=left_out,
        skipped=skipped,
        skipped_count=skipped_count,
    )


def turns_of(export: Export, options: ImportOptions, surveyed: Survey) -> Iterator[tuple[Conversation, NewTurn]]:
    """Read the turns of an export that are meant, each with its conversation. Raises as `read_export`."""
    for conversation, found in _found(export, options):
        if conversation is None or not isinstance(found, NewTurn):
            continue
        if surveyed.chosen is None or surveyed.chosen == conversation.user:
            yield conversation, found


def _found(export: Export, options: ImportOptions) -> Iterator[tuple[Conversation | None, NewTurn | Skipped | LeftOut]]:
    for read in read_export(export, options):
        if isinstance(read, Skipped):
            yield None, read
        else:
            for turn in read.turns:
                yield read, turn


def _whose(users: Set[str | None], *, wanted: str | None, is_named: bool) -> tuple[str, str | None]:
    """Return in whose memory it goes, and whose conversations of the file are meant (None: all of them)."""
    named = sorted(one for one in users if one is not None)
    if len(named) > 1:
        if wanted is not None and is_named:
            return wanted, wanted
        shown = ", ".join(named[:_NAMED]) + (", ..." if len(named) > _NAMED else "")
        raise Ambiguous(
            parameter="user_id",
            question=f"The file holds conversations of several users: {shown}. Whose are meant? Import one user at a time.",
            choices=named[:_NAMED],
        )
    if wanted is not None:
        return wanted, None
    if len(named) == len(users) == 1 and is_id(named[0], _LONGEST_USER):
        return named[0], None
    raise Ambiguous(parameter="user_id", question="The file does not say whose it is. In whose memory does it go?")
