"""A short chat that a memory remembers, what it finds in it, and waiting for its index."""

from datetime import UTC, datetime

from memory import NewTurn, Receipt, Remember, Scope
from memory.api import Memory
from tests.support.turns import SCOPE, said

__all__ = ["CHAT", "found", "indexed", "remember"]

CHAT = [
    said("Hey Mel! Good to see you!", id="1", speaker="Caroline"),
    said("What did you call the new kitten?", id="2", role="assistant", speaker="Mel"),
    said("Miso!", id="3", speaker="Caroline"),
    said("I paint lakes at sunset, mostly in oils.", id="4", role="assistant", speaker="Mel"),
    said("The support group meets on Thursdays in Leeds.", id="5", speaker="Caroline"),
]


async def remember(memory: Memory, *turns: NewTurn, scope: Scope = SCOPE, session: str = "s1") -> Receipt:
    return await memory.remember(Remember(scope=scope, session_id=session, turns=turns))


async def found(memory: Memory, question: str, scope: Scope = SCOPE) -> list[str]:
    recollection = await memory.recall(scope, question, datetime.now(UTC))
    return list(dict.fromkeys(evidence.turn.id for evidence in recollection.evidence))


async def indexed(memory: Memory, receipt: Receipt) -> None:
    assert await memory.until_indexed(receipt)
