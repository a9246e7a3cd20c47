"""From settings to the operations of the chat endpoints."""

from dataclasses import dataclass

from cascade.storage.responses import ResponseStore
from memory.storage.database import Database
from tirtha.operations.answering import Answering
from tirtha.operations.chat.chat import Chat
from tirtha.operations.chat.compacting import CompactConversation
from tirtha.operations.chat.counting import CountTokens
from tirtha.operations.chat.following import FollowConversation
from tirtha.operations.chat.stored import StoredResponses
from tirtha.operations.chat.taking_notes import TakeNotes
from tirtha.operations.chat.tiers import ChatTiers, ListModels
from tirtha.settings import Settings
from tirtha.wiring.tiers import Tiers

__all__ = ["ChatOperations", "make_chat"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatOperations:
    """What the chat endpoints stand on."""

    chat: Chat
    compact: CompactConversation
    count_tokens: CountTokens
    models: ListModels
    responses: StoredResponses


def make_chat(
    settings: Settings, tiers: Tiers, database: Database, answering: Answering, follow: FollowConversation
) -> ChatOperations:
    """Make the operations behind the chat endpoints, over the one that remembers conversations."""
    admission = answering.admission
    notes = TakeNotes(memory=follow.memory, observer=follow.observer)
    of_chats = ChatTiers(local=tiers.local, frontier=tiers.frontier)
    return ChatOperations(
        chat=Chat(
            follow=follow,
            notes=notes,
            answering=answering,
            admission=admission,
            tiers=of_chats,
            answerable_from=settings.abstain_below,
            budget=settings.budget,
            repair=settings.policy.repair,
            deadline_s=settings.policy.deadline_s,
        ),
        compact=CompactConversation(
            follow=follow,
            notes=notes,
            tiers=of_chats,
            admission=admission,
            under_way=answering.under_way,
            budget=settings.budget,
        ),
        count_tokens=CountTokens(tiers=of_chats, admission=admission),
        models=ListModels(tiers=of_chats),
        responses=StoredResponses(store=ResponseStore(database), under_way=answering.under_way),
    )
