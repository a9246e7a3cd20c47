"""What tenants' requests are measured by, and the rounds that remove what they keep for too long."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cascade import Ledger
from memory.api import Memory
from tirtha.audit.log import AuditLog
from tirtha.keys.administration import Keys
from tirtha.operations.answering import Answering
from tirtha.operations.tenancy.deletion import DeleteTenant
from tirtha.operations.tenancy.housekeeping import Housekeeping
from tirtha.tenants.admission import Admission
from tirtha.tenants.rates import Rates
from tirtha.tenants.registry import Tenants
from tirtha.tenants.spending import Spending

__all__ = ["keeping_house", "make_admission", "make_deletion", "make_housekeeping"]

log = logging.getLogger(__name__)


def make_admission(tenants: Tenants, ledger: Ledger) -> Admission:
    """Make what the requests of tenants are measured by."""
    return Admission(tenants=tenants, rates=Rates(), spending=Spending(ledger))


def make_deletion(memory: Memory, answering: Answering, audit: AuditLog, keys: Keys) -> DeleteTenant:
    """Make the deletion of tenants, from all that keeps something of theirs."""
    return DeleteTenant(
        tenants=answering.admission.tenants,
        memory=memory,
        ledger=answering.ledger,
        under_way=answering.under_way,
        audit=audit,
        also=[keys.forget_tenant, audit.forget_tenant],
    )


def make_housekeeping(delete: DeleteTenant, audit: AuditLog) -> Housekeeping:
    """Make the rounds, over what `delete` deletes from."""
    return Housekeeping(
        tenants=delete.tenants,
        memory=delete.memory,
        ledger=delete.ledger,
        under_way=delete.under_way,
        delete=delete,
        audit=audit.expire,
    )


@asynccontextmanager
async def keeping_house(housekeeping: Housekeeping) -> AsyncIterator[None]:
    """Make the rounds beside the block; the step under way is ended with it."""
    rounds = asyncio.create_task(housekeeping.run())
    rounds.add_done_callback(_log_fault)
    try:
        yield
    finally:
        rounds.cancel()
        await asyncio.wait([rounds])


def _log_fault(rounds: asyncio.Task[None]) -> None:
    """Log what ended the rounds before their time; the next start makes them again."""
    if not rounds.cancelled() and (fault := rounds.exception()):
        log.error("what tenants keep for too long is not removed until the next start", exc_info=fault)
