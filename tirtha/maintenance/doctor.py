"""The doctor: what is configured, what works, and what to do about what does not."""

import asyncio
import platform
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import perf_counter

import httpx

from cascade.certificate import read_certificate
from cascade.errors import CascadeFault, SandboxUnavailable
from cascade.sandbox import find_level
from compaction.errors import TableDamaged
from compaction.tokens import token_table
from memory.errors import HomeInUse, MemoryFault
from memory.opening import examine_database, examine_memory, open_memory
from tirtha.errors import FaceFault
from tirtha.http.address import running_server
from tirtha.import_check import refuse_shadows
from tirtha.keys.local_proof import LOCAL_SCHEME, local_proof
from tirtha.settings import Settings
from tirtha.wiring.database import database_beside_a_server, database_of
from tirtha.wiring.keys import open_keys
from tirtha.wiring.service import memory_settings
from tirtha.wiring.tiers import probe

__all__ = ["Finding", "examine"]

_READY_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One check: what was looked at, whether it works, and what was seen."""

    check: str
    works: bool
    seen: str


class _Wrong(Exception):
    """What a check found wrong."""


async def examine(settings: Settings) -> list[Finding]:
    """Run every check. A check that fails is a finding, not an error."""
    checks: list[tuple[str, Callable[[Settings], Awaitable[str]]]] = [
        ("python", _python),
        ("packages", _packages),
        ("token table", _tokens),
        ("data folder", _folder),
        ("memory", _memory),
        ("API keys", _keys),
        ("tiers", _tiers),
        ("certificate", _certificate),
        ("sandbox", _sandbox),
    ]
    findings: list[Finding] = []
    for name, check in checks:
        try:
            findings.append(Finding(check=name, works=True, seen=await check(settings)))
        except (FaceFault, MemoryFault, CascadeFault, OSError, TableDamaged, _Wrong) as fault:
            findings.append(Finding(check=name, works=False, seen=str(fault)))
    return findings


async def _python(settings: Settings) -> str:  # noqa: ARG001
    return f"{platform.python_version()} on {platform.system()} {platform.machine()}"


async def _packages(settings: Settings) -> str:  # noqa: ARG001
    refuse_shadows()
    return "language, memory, compaction, cascade and eval are ours"


async def _tokens(settings: Settings) -> str:  # noqa: ARG001
    table = token_table()
    return f"{table.name}, {table.n_vocab:,} tokens, shipped and undamaged"


async def _folder(settings: Settings) -> str:
    settings.folder.mkdir(parents=True, exist_ok=True)
    probe = settings.folder / ".doctor"
    probe.write_bytes(b"written by tirtha doctor")
    probe.unlink()
    return f"{settings.folder} can be written"


async def _memory(settings: Settings) -> str:
    try:
        with database_of(settings) as database:
            passages = await examine_memory(memory_settings(settings), database)
            async with open_memory(memory_settings(settings), database) as memory:
                started_s = perf_counter()
                await memory.embed(["Does the encoder work?"])
                took_ms = (perf_counter() - started_s) * 1_000
                counts = await memory.counts()
                held = f"{database.kind}: {counts.turns:,} turns, {counts.waiting:,} of them waiting for the index"
                held += f", {passages:,} passages in the index, all of them read and compared"
                return f"{held}; {memory.embedding_model}, {took_ms:.0f} ms to embed a sentence"
    except HomeInUse as fault:
        url = running_server(settings.folder)
        if url:
            return await _beside(settings, url)
        raise fault from None


async def _beside(settings: Settings, url: str) -> str:
    """Ask the running server whether it is ready, and check its database. Raises _Wrong with the server's words."""
    proof = local_proof(settings.folder)
    headers = {"authorization": f"{LOCAL_SCHEME} {proof}"} if proof else {}
    async with httpx.AsyncClient(base_url=url, headers=headers) as client:
        answer = await client.get("/readyz", timeout=_READY_S)
    if answer.is_error:
        raise _Wrong(f"the server at {url} is not ready: {answer.json()['detail']}")
    with database_beside_a_server(settings) as database:
        await asyncio.to_thread(examine_database, database)
    return f"in use by the server at {url}, which answers; the database is sound; stop the server to have the index checked"


async def _keys(settings: Settings) -> str:
    with database_beside_a_server(settings) as database:
        async with open_keys(settings, database) as opened:
            wrong = await opened.keys.what_is_wrong()
            needed = opened.authentication.key_needed
    if wrong:
        raise _Wrong("; ".join(wrong))
    return "every request needs one" if needed else "none is made: this machine is served, and no other"


async def _tiers(settings: Settings) -> str:
    below = f"abstains below {settings.abstain_below:.2f}"
    seen = await probe(settings)
    faults = [fault for _, _, fault in seen if fault is not None]
    if faults:
        raise _Wrong("; ".join(str(fault) for fault in faults))
    tiers = "; ".join(f"{name}: {what}" for name, what, _ in seen)
    return f"{tiers or 'extractive (no language model is configured)'}; {below}"


async def _certificate(settings: Settings) -> str:
    if settings.certificate is None:
        return "none is asked for: the guards alone decide"
    found = read_certificate(settings.certificate.expanduser())
    return (
        f"at most {found.bound:.1%} wrong of what scores {found.threshold:.2f} (n = {found.accepted}, {found.made_on})"
    )


async def _sandbox(settings: Settings) -> str:  # noqa: ARG001
    try:
        return f"{await find_level()}: code tasks can be run"
    except SandboxUnavailable as fault:  # a lack, and no fault: everything else works
        return f"none: code tasks are refused ({fault.reason})"
