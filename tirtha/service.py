"""The service: its operations, and nothing else. `tirtha.wiring.service.open_service` builds one from the settings.

Every surface (HTTP, command line, benchmarks) is a thin shell over these. Each but `ready`, which tells nothing of anybody, takes
the caller first; what it does is in its own file under `tirtha/operations/`.
"""

from dataclasses import dataclass

from memory.api import Memory
from tirtha.operations.ask import AskMemory
from tirtha.operations.code import WriteCode
from tirtha.operations.context import MakeContext
from tirtha.operations.decisions import ReadDecision, ReadStats
from tirtha.operations.feedback import GiveFeedback, ListFeedback, ReadFeedback
from tirtha.operations.forget import Forget
from tirtha.operations.limits import Limits
from tirtha.operations.listing import ListSessions, ListTurns, ListUsers, ReadTurn, SearchTurns
from tirtha.operations.readiness import CheckReadiness
from tirtha.operations.recall import RecallTurns
from tirtha.operations.remember import RememberTurns

__all__ = ["Service"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The open service. `memory` is what the operations stand on, for benchmarks that measure it alone."""

    remember: RememberTurns
    recall: RecallTurns
    context: MakeContext
    ask: AskMemory
    write_code: WriteCode
    forget: Forget
    users: ListUsers
    sessions: ListSessions
    turns: ListTurns
    search: SearchTurns
    turn: ReadTurn
    decision: ReadDecision
    stats: ReadStats
    give_feedback: GiveFeedback
    feedback: ReadFeedback
    feedbacks: ListFeedback
    ready: CheckReadiness
    limits: Limits
    memory: Memory
