"""The service: its operations, and nothing else. `tirtha.wiring.service.open_service` builds one from the settings.

Every surface (HTTP, command line, benchmarks) is a thin shell over these. `authentication` says who calls, and each operation takes
that caller first (`ready` takes none, too); what it does is in its own file under `tirtha/operations/`, of keys in `tirtha/keys/`.
"""

from dataclasses import dataclass

from memory.api import Memory
from tirtha.audit.log import AuditLog
from tirtha.audit.reading import ReadAudit
from tirtha.keys.administration import Keys
from tirtha.keys.authentication import Authentication
from tirtha.observation.observer import Observer
from tirtha.observation.scraping import ScrapeMetrics
from tirtha.operations.ask import AskMemory
from tirtha.operations.chat.chat import Chat
from tirtha.operations.chat.compacting import CompactConversation
from tirtha.operations.chat.counting import CountTokens
from tirtha.operations.chat.stored import StoredResponses
from tirtha.operations.chat.tiers import ListModels
from tirtha.operations.code import WriteCode
from tirtha.operations.context import MakeContext
from tirtha.operations.decisions import ListDecisions, ReadDecision, ReadStats
from tirtha.operations.feedback import GiveFeedback, ListFeedback, ReadFeedback
from tirtha.operations.forget import Forget, SwitchOffInstructions
from tirtha.operations.limits import Limits
from tirtha.operations.listing import ListInstructions, ListSessions, ListTurns, ListUsers, ReadTurn, SearchTurns
from tirtha.operations.moving.exporting import ExportMemory
from tirtha.operations.moving.importing import ImportMemory
from tirtha.operations.moving.importing_files import ImportFile
from tirtha.operations.readiness import CheckReadiness
from tirtha.operations.recall import RecallTurns
from tirtha.operations.remember import RememberTurns
from tirtha.operations.tenancy.administration import ManageTenants
from tirtha.operations.tenancy.deletion import DeleteTenant
from tirtha.operations.tenancy.housekeeping import Housekeeping
from tirtha.tenants.admission import Admission

__all__ = ["Service"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The open service. `memory` is what the operations stand on, for benchmarks that measure it alone.

    `audit` is where operations note what they changed, and `observer` where all of it is counted and traced.
    """

    remember: RememberTurns
    recall: RecallTurns
    context: MakeContext
    ask: AskMemory
    write_code: WriteCode
    chat: Chat
    compact: CompactConversation
    count_tokens: CountTokens
    models: ListModels
    responses: StoredResponses
    forget: Forget
    switch_off: SwitchOffInstructions
    users: ListUsers
    sessions: ListSessions
    turns: ListTurns
    instructions: ListInstructions
    search: SearchTurns
    turn: ReadTurn
    decision: ReadDecision
    decisions: ListDecisions
    export: ExportMemory
    import_lines: ImportMemory
    import_file: ImportFile
    stats: ReadStats
    give_feedback: GiveFeedback
    feedback: ReadFeedback
    feedbacks: ListFeedback
    ready: CheckReadiness
    authentication: Authentication
    keys: Keys
    audit_entries: ReadAudit
    metrics: ScrapeMetrics
    audit: AuditLog
    observer: Observer
    limits: Limits
    admission: Admission
    tenants: ManageTenants
    delete_tenant: DeleteTenant
    housekeeping: Housekeeping
    memory: Memory
