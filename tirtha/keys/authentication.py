"""Who calls: from what a request shows of its sender to a `Caller`, or to the error that refuses it. Every surface asks here.

- A caller that shows the local proof is the administrator of this machine. It is made anew by every process, and left in a file
  that only the owner of the data folder can read.
- While no key was ever made, this machine is served and may do everything. A request that a proxy forwarded, or that comes from
  another machine, is refused.
- From the first key on, every request needs a key, also when all of them are expired or revoked.

What is known of a key holds for a second, so that a busy key costs no query a request. So a key that another process revokes is
refused a second later at most. Knows no HTTP: surfaces make a `Shown` of their requests.
"""

import asyncio
import hmac
import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from time import monotonic

import anyio
import anyio.to_thread

from memory.errors import StoreUnavailable
from tirtha.caller import Caller, local_caller
from tirtha.errors import KeyMissing, KeyRefused, NotFromHere
from tirtha.keys.key import Key, read_text
from tirtha.keys.local_proof import LOCAL_SCHEME, new_proof
from tirtha.keys.pepper import Pepper, PepperFile
from tirtha.keys.store import KeyStore

__all__ = ["Authentication", "Shown"]

log = logging.getLogger(__name__)

_KNOWN_FOR_S = 1.0
_MOST_KNOWN = 1_000
_USE_NOTED_EVERY = timedelta(minutes=1)
_NOBODYS_PEPPER = Pepper(b"what is hashed with where there is no pepper")
_NOBODYS_DIGEST = "0" * 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a request shows of its sender: its credentials, and what says that it is not of this machine, if anything does.

    `credentials` is a scheme and its value, as in `Authorization`; None without any. Several that differ are separated by commas.
    """

    credentials: str | None = field(default=None, repr=False)
    foreign_sign: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """A key that was checked, and until when (monotonic seconds) that holds."""

    key: Key
    until_s: float


class Authentication:
    """Find out who calls, by the keys of `store` under the pepper in `pepper`."""

    def __init__(self, store: KeyStore, pepper: PepperFile) -> None:
        self.local_proof = new_proof()
        self._store = store
        self._pepper = pepper
        self._needed = False
        self._asked_s = -_KNOWN_FOR_S
        self._known: dict[bytes, _Known] = {}
        self._noted: dict[str, datetime] = {}
        self._notes: set[asyncio.Task[None]] = set()
        self._threads = anyio.CapacityLimiter(4)
        self._note_threads = anyio.CapacityLimiter(1)  # a note waits for other writers, and no request waits for a note

    @property
    def key_needed(self) -> bool:
        """Whether a key was needed when that was last asked: at the latest request, which may be a while ago."""
        return self._needed

    async def caller(self, shown: Shown) -> Caller:
        """Return who calls.

        Raises:
            NotFromHere: no key is made, and the request is not of this machine.
            KeyMissing: a key is needed, and none is shown.
            KeyRefused: what is shown is not good.
            PepperUnusable, StoreUnavailable: it cannot be found out.
        """
        scheme, _, credentials = (shown.credentials or "").strip().partition(" ")
        if scheme.lower() == LOCAL_SCHEME.lower():
            return self._local(credentials.strip(), shown)
        if not await self.find_out_whether_needed():
            self.refuse_foreign(shown)
            return local_caller()
        if not scheme:
            raise KeyMissing
        if scheme.lower() != "bearer":
            raise KeyRefused("send it as `Authorization: Bearer trt_...`")
        key = await self._checked(credentials.strip())
        self._note_use(key)
        return key.caller()

    def refuse_foreign(self, shown: Shown) -> None:
        """Raise NotFromHere if no key is known to be needed, and the request is not of this machine."""
        if not self._needed and shown.foreign_sign:
            raise NotFromHere(shown.foreign_sign)

    async def find_out_whether_needed(self) -> bool:
        """Return whether a key was ever made; asks the database once a second, until there is one. Raises StoreUnavailable."""
        if not self._needed and monotonic() - self._asked_s >= _KNOWN_FOR_S:
            asked_s = monotonic()
            if await anyio.to_thread.run_sync(self._store.any, limiter=self._threads):
                self._needed = True
            self._asked_s = asked_s
        return self._needed

    def forget_known(self, *, key_needed: bool) -> None:
        """Check every key anew from now on; with `key_needed`, one was made just now."""
        self._needed = self._needed or key_needed
        self._known.clear()

    async def close(self) -> None:
        """Wait for the notes that are under way."""
        await asyncio.gather(*self._notes)

    def _local(self, proof: str, shown: Shown) -> Caller:
        if shown.foreign_sign or not hmac.compare_digest(proof.encode(), self.local_proof.encode()):
            raise KeyRefused("this is not the proof of the server's own machine")
        return local_caller()

    async def _checked(self, text: str) -> Key:
        """Return the key with this text. Raises KeyRefused."""
        now, name = monotonic(), sha256(text.encode()).digest()
        known = self._known.get(name)
        if known is None or known.until_s <= now:
            self._known.pop(name, None)
            key = await anyio.to_thread.run_sync(self._look_up, text, limiter=self._threads)
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            known = self._known[name] = _Known(key=key, until_s=now + _KNOWN_FOR_S)
        if known.key.expires_at is not None and known.key.expires_at <= datetime.now(UTC):
            raise KeyRefused("it has expired")
        return known.key

    def _look_up(self, text: str) -> Key:
        """Find a key and compare its digest: the same work whether or not there is such a key. Raises KeyRefused."""
        read = read_text(text)
        if read is None:
            raise KeyRefused("it is not written as keys are (trt_...), or more than one is shown")
        pepper, kept = self._pepper.read(), self._store.find(read.id)
        digest = (pepper or _NOBODYS_PEPPER).digest(read.secret)
        fits = hmac.compare_digest(digest, kept.digest if kept else _NOBODYS_DIGEST)
        if kept is None:
            raise KeyRefused("there is no such key")
        if pepper is None or kept.key.pepper != pepper.fingerprint:
            raise KeyRefused(
                "the server has lost the pepper that this key was made with; its operator must put it back"
            )
        if not fits:
            raise KeyRefused("there is no such key")
        if kept.key.revoked_at is not None:
            raise KeyRefused("it was revoked")
        return kept.key

    def _note_use(self, key: Key) -> None:
        """Have the time of use written, at most once a minute a key."""
        now = datetime.now(UTC)
        last = max(filter(None, (key.last_used_at, self._noted.get(key.id))), default=None)
        if last is not None and now - last < _USE_NOTED_EVERY:
            return
        self._noted[key.id] = now
        task = asyncio.create_task(self._note(key.id, now))
        self._notes.add(task)
        task.add_done_callback(self._notes.discard)

    async def _note(self, key_id: str, at: datetime) -> None:
        try:
            await anyio.to_thread.run_sync(lambda: self._store.note_use(key_id, at=at), limiter=self._note_threads)
        except StoreUnavailable as fault:
            log.warning("that key %s was used is not noted: %s", key_id, fault)
