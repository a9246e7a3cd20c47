"""Whether the SQLite database is sound: looked at before it is opened, before each write, and whenever a statement fails.

Three looks, by what each costs:
  - at the start `refuse_unsound` reads the header, compares the write-ahead log with what SQLite takes from it, and runs
    `quick_check` for at most two seconds;
  - before a write `SqliteFiles.damage` asks the file system, in microseconds, whether the files are still those that were opened;
  - `full_check` is SQLite's integrity check, for `tirtha doctor`.

SQLite keeps no checksums of its pages. A changed byte inside a text is seen by none of these, and what is overwritten while
the server runs is seen when it is next read. The formats are SQLite's: https://sqlite.org/fileformat2.html, section 4, and
https://sqlite.org/walformat.html.
"""

import logging
import os
import sqlite3
import struct
import sys
from contextlib import closing
from pathlib import Path
from time import monotonic
from urllib.parse import quote

from memory.errors import LogLost, StoreDamaged

__all__ = ["SqliteFiles", "damage_shown_by", "full_check", "quick_check", "refuse_unsound"]

log = logging.getLogger(__name__)

_MAGIC = b"SQLite format 3\x00"
_QUICK_S = 2.0  # 2 GB or so; what is left unseen by then is for `tirtha doctor`
_STEPS_PER_LOOK = 10_000  # of SQLite's machine, between looks at the clock
_CORRUPT = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_CORRUPT_ON_SERVERS = {"XX001": "the server reports damaged data", "XX002": "the server reports a damaged index"}
_WAL_MAGIC = 0x377F0682  # its last bit says in which byte order it is summed
_WAL_HEADER, _FRAME_HEADER = struct.Struct(">IIIIII8x"), struct.Struct(">IIII8x")
_SALTS = slice(16, 24)  # in the log's header; the memory file repeats them
_SHM_COPY_BYTES, _SHM_FRAMES, _SHM_SALTS = 48, slice(16, 20), slice(32, 40)


def damage_shown_by(fault: BaseException | None) -> str | None:
    """Return what of the database is damaged, if this error of a driver says so."""
    if isinstance(fault, sqlite3.Error):
        code = getattr(fault, "sqlite_errorcode", None)  # none for errors of the driver's own
        if code is not None and code & 0xFF in _CORRUPT:
            return str(fault)
        if code == sqlite3.SQLITE_IOERR_SHORT_READ:
            return "a file of it is cut short"
        if "Could not decode to UTF-8" in str(fault):  # the rest of the message is the text itself
            return "a text in it is no UTF-8"
    return _CORRUPT_ON_SERVERS.get(getattr(fault, "sqlstate", None) or "")


def refuse_unsound(file: Path, *, accept_loss: bool) -> None:
    """Check a database before it is opened. With `accept_loss` it may have lost what was written last, if it is sound otherwise.

    Raises:
        StoreDamaged: it is no database, or its pages do not fit together.
        LogLost: its write-ahead log is missing or damaged.
    """
    wal, shm = _beside(file, "-wal"), _beside(file, "-shm")
    if not _size(file):
        if _size(wal):
            raise StoreDamaged(f"{file.name} is missing or empty, and {wal.name} is there")
        return  # a new one
    with file.open("rb") as opened:
        if opened.read(len(_MAGIC)) != _MAGIC:
            raise StoreDamaged(f"{file.name} is no SQLite database")
    # A clean end removes the memory file first and the log after it, so the one is never left without the other.
    if shm.exists() and not wal.exists() and not accept_loss:
        raise LogLost(f"{wal.name} is missing")
    if not accept_loss and (lost := _lost_of_log(file, wal, shm)):
        raise LogLost(lost)
    if damage := quick_check(file):
        raise StoreDamaged(damage)


def quick_check(file: Path, *, within_s: float = _QUICK_S) -> str | None:
    """Check that the pages of a database fit together, for at most so long; returns what does not."""
    deadline_s = monotonic() + within_s
    try:
        with closing(_read_only(file)) as connection:
            connection.set_progress_handler(lambda: monotonic() > deadline_s, _STEPS_PER_LOOK)
            return _first_damage(connection, "PRAGMA quick_check(1)")
    except sqlite3.Error as fault:
        if getattr(fault, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
            log.info("the database is large: only a part of it was checked; `tirtha doctor` checks all of it")
            return None
        return damage_shown_by(fault)  # any other fault is met again when the database is opened


def full_check(connection: sqlite3.Connection) -> str | None:
    """Check all of an open database, indexes against tables and keys against what they refer to; returns what is wrong."""
    try:
        damage = _first_damage(connection, "PRAGMA integrity_check(1)")
        if damage is None and connection.execute("PRAGMA foreign_key_check").fetchone():
            damage = "rows refer to rows that are not there"
    except sqlite3.DatabaseError as fault:
        damage = damage_shown_by(fault)
        if damage is None:
            raise
    return damage


class SqliteFiles:
    """The files of an open database, to be seen that they are still the ones that were opened.

    SQLite itself writes on into a file that was deleted, and what it acknowledges then is lost. One descriptor is held as long
    as the database is open: closing any descriptor of the file would drop SQLite's own locks on it. `gone`: they were not there.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._wal = _beside(file, "-wal")
        self._held: int | None = None
        self._shm: int | None = None
        self._bytes = self._wal_bytes = 0
        self.gone = False

    def damage(self) -> str | None:
        """Return what happened to the files since they were opened. To be called in a transaction, when all of them exist."""
        try:
            there = self._file.stat()
            if self._held is None:
                self._held = os.open(self._file, os.O_RDONLY)
            held = os.fstat(self._held)
            wal = self._wal.stat()
        except FileNotFoundError as fault:
            self.gone = True
            return f"{Path(fault.filename).name} was removed while Tirtha ran"
        if (there.st_dev, there.st_ino) != (held.st_dev, held.st_ino):
            return f"{self._file.name} was replaced while Tirtha ran"
        if os.pread(self._held, len(_MAGIC), 0) != _MAGIC:
            return f"{self._file.name} was overwritten while Tirtha ran"
        shrunk, self._bytes = there.st_size < self._bytes, there.st_size
        log_shrunk, self._wal_bytes = wal.st_size < self._wal_bytes, wal.st_size
        if log_shrunk and self._log_is_short():
            return f"{self._wal.name} was cut short while Tirtha ran"
        return quick_check(self._file) if shrunk else None  # vacuuming shrinks it, too

    def are_back(self) -> bool:
        """Return whether files that were gone are there again, the very same: a folder that was moved away, and back."""
        if not self.gone or self._held is None or not self._file.exists() or not self._wal.exists():
            return False
        there, held = self._file.stat(), os.fstat(self._held)
        self.gone = (there.st_dev, there.st_ino) != (held.st_dev, held.st_ino)
        return not self.gone

    def close(self) -> None:
        """Let go of the files, after all connections are closed."""
        for descriptor in (self._held, self._shm):
            if descriptor is not None:
                os.close(descriptor)

    def _log_is_short(self) -> bool:
        """Return whether the log lacks frames that SQLite counts; emptying it on purpose sets that count to none."""
        if self._shm is None:
            self._shm = os.open(_beside(self._file, "-shm"), os.O_RDONLY)
        with self._wal.open("rb") as opened:
            head = opened.read(_WAL_HEADER.size)
        counted = _frames_in(os.pread(self._shm, 2 * _SHM_COPY_BYTES, 0))
        if len(head) < _WAL_HEADER.size:
            return counted > 0
        _, _, page_bytes, *_ = _WAL_HEADER.unpack(head)
        return bool(self._wal_bytes < _WAL_HEADER.size + counted * (_FRAME_HEADER.size + page_bytes))


def _lost_of_log(file: Path, wal: Path, shm: Path) -> str | None:
    """Return how the write-ahead log is damaged: SQLite takes it up to the first frame that is not whole, and drops what follows.

    Two things distinguish damage from a transaction that a crash cut off, since each is on the disk before the next begins. The
    memory file, if a kill left it behind, counts the frames that were on the disk. And at most one end of a transaction
    may stand behind what is not whole.
    """
    if _size(wal) < _WAL_HEADER.size + _FRAME_HEADER.size:
        return f"{wal.name} is cut short" if _promised(shm) else None
    with wal.open("rb") as opened:
        head = opened.read(_WAL_HEADER.size)
        magic, _, page_bytes, _, *salts = _WAL_HEADER.unpack(head)
        if magic & ~1 != _WAL_MAGIC or not page_bytes:
            return f"{wal.name} is damaged"
        promised = _promised(shm, head[_SALTS])  # first: SQLite writes the memory file anew
        taken = _frames_taken(file, shm)
        if taken < promised:
            return f"{wal.name} is damaged or cut short"
        opened.seek(taken * (_FRAME_HEADER.size + page_bytes), os.SEEK_CUR)
        ends = 0
        while len(header := opened.read(_FRAME_HEADER.size)) == _FRAME_HEADER.size:
            _, pages_after, *own = _FRAME_HEADER.unpack(header)
            if own == salts:  # others are from before the log was begun anew
                ends += bool(pages_after)
            opened.seek(page_bytes, os.SEEK_CUR)
    return f"{wal.name} is damaged" if ends > 1 else None


def _promised(shm: Path, salts: bytes | None = None) -> int:
    """Return the frames that were on the disk by the memory file of a killed process; 0 if it says nothing of this log."""
    return _frames_in(shm.read_bytes()[: 2 * _SHM_COPY_BYTES], salts) if shm.exists() else 0


def _frames_in(head: bytes, salts: bytes | None = None) -> int:
    one, other = head[:_SHM_COPY_BYTES], head[_SHM_COPY_BYTES:]
    if not one or one != other or (salts is not None and one[_SHM_SALTS] != salts):
        return 0
    return int.from_bytes(one[_SHM_FRAMES], sys.byteorder)


def _frames_taken(file: Path, shm: Path) -> int:
    """Let SQLite read the log, and return how many of its frames it took."""
    with closing(_read_only(file)) as connection:
        try:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.Error:
            return 0  # which the check of the database reports
        return _promised(shm)


def _first_damage(connection: sqlite3.Connection, pragma: str) -> str | None:
    found: str = connection.execute(pragma).fetchone()[0]
    return None if found == "ok" else found.splitlines()[-1].removeprefix("*** ")


def _read_only(file: Path) -> sqlite3.Connection:
    """Open a database so that closing it does not fold the write-ahead log into it."""
    return sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True)


def _beside(file: Path, ending: str) -> Path:
    return file.with_name(file.name + ending)


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0
