"""From settings to the operations of the chat endpoints."""

from memory.api import Memory
from tirtha.audit.log import AuditLog
from tirtha.operations.answering import Answering
from tirtha.operations.chat.chat import Chat
from tirtha.operations.chat.following import FollowConversation
from tirtha.operations.chat.tiers import ChatTiers
from tirtha.operations.limits import Limits
from tirtha.settings import Settings

__all__ = ["make_chat"]


def make_chat(
    settings: Settings, memory: Memory, answering: Answering, limits: Limits, audit: AuditLog, tiers: ChatTiers
) -> Chat:
    """Make the operation behind the chat endpoints."""
    admission, observer = answering.admission, answering.observer
    return Chat(
        memory=memory,
        follow=FollowConversation(memory=memory, limits=limits, admission=admission, audit=audit, observer=observer),
        answering=answering,
        admission=admission,
        tiers=tiers,
        answerable_from=settings.abstain_below,
        budget=settings.budget,
        repair=settings.policy.repair,
        deadline_s=settings.policy.deadline_s,
    )
