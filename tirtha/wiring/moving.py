"""From what is open to the operations that move memories: export and import."""

from datetime import timedelta

import anyio

from cascade.storage.restoring import Restoring
from memory.api import Memory
from memory.storage.database import Database
from tirtha.audit.log import AuditLog
from tirtha.operations.answering import Answering
from tirtha.operations.limits import Limits
from tirtha.operations.moving.exporting import ExportMemory
from tirtha.operations.moving.importing import ImportMemory
from tirtha.operations.moving.importing_files import ImportFile
from tirtha.settings import Settings

__all__ = ["make_export", "make_file_import", "make_import"]

_EXPORTS_AT_ONCE = 2  # each reads from the database without a pause
_FILES_AT_ONCE = 2  # each is decoded without a pause


def make_export(database: Database, audit: AuditLog) -> ExportMemory:
    """Make the operation that exports."""
    return ExportMemory(database=database, audit=audit, threads=anyio.CapacityLimiter(_EXPORTS_AT_ONCE))


def make_import(
    memory: Memory, database: Database, answering: Answering, limits: Limits, audit: AuditLog
) -> ImportMemory:
    """Make the operation that imports; answers go to the cache that questions are answered from, if there is one."""
    cache = answering.cache
    longest, max_bytes = (cache.longest, cache.max_bytes) if cache else (timedelta(), 0)
    restoring = Restoring(database=database, longest=longest, max_bytes=max_bytes)
    return ImportMemory(
        memory=memory,
        restoring=restoring,
        limits=limits,
        admission=answering.admission,
        audit=audit,
        keeps_answers=cache is not None,
    )


def make_file_import(settings: Settings, store: ImportMemory) -> ImportFile:
    """Make the operation that imports files of other products by way of `store`."""
    return ImportFile(
        store=store,
        folder=settings.folder,
        max_bytes=settings.max_import_bytes,
        threads=anyio.CapacityLimiter(_FILES_AT_ONCE),
    )
