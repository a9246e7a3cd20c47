"""Following a conversation: of what a client sends whole with every message, what is new is remembered, and only that.

What its author edited or regenerated away is kept, but is no evidence any more; neither are an assistant's words that the client
brings along, since no one checked them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from memory import Follow, Followed, NewTurn, Receipt, Scope
from memory.api import Memory
from tirtha.audit.log import AuditLog
from tirtha.caller import Caller
from tirtha.observation.observer import Observer
from tirtha.operations.chat.asked import ChatAsked, ChatTurn
from tirtha.operations.chat.set_apart import kept_out
from tirtha.operations.limits import Limits
from tirtha.tenants.admission import Admission

__all__ = ["FollowConversation", "Place"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a conversation is kept: its session, and the ids of its turns, None for those that are kept out.

    `answer_kept_out`: the answer to its last message is to be kept out, too.
    """

    session_id: str | None
    turn_ids: tuple[str | None, ...]
    answer_kept_out: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowConversation:
    """Remember what is new in a conversation. Raises as `RememberTurns` does, and then nothing was stored."""

    memory: Memory
    limits: Limits
    admission: Admission
    audit: AuditLog
    observer: Observer

    async def __call__(self, caller: Caller, scope: Scope, asked: ChatAsked) -> Place:
        """Store the turns that are new, as said now."""
        caller.require("write")
        turns = asked.prompt.turns
        out = kept_out(turns)
        now = datetime.now(asked.time_zone or UTC)
        new = [self._new(turn, now) for turn, apart in zip(turns, out, strict=True) if not apart and turn.text]
        answer_kept_out = bool(out and out[-1])
        if not new:
            return Place(session_id=asked.session_id, turn_ids=(None,) * len(turns), answer_kept_out=answer_kept_out)
        receipt = await self._store(
            caller, Follow(scope=scope, session_id=asked.session_id, turns=new, whole=asked.whole)
        )
        ids = iter(receipt.turn_ids)
        return Place(
            session_id=receipt.session_id,
            turn_ids=tuple(
                next(ids) if not apart and turn.text else None for turn, apart in zip(turns, out, strict=True)
            ),
            answer_kept_out=answer_kept_out,
        )

    async def answered(self, caller: Caller, scope: Scope, session_id: str, answer: NewTurn) -> None:
        """Store the answer to a conversation.

        Args:
            caller: who asked.
            scope: whose memory it is.
            session_id: the conversation, as `__call__` found or began it.
            answer: the answer, as a turn.
        """
        await self._store(caller, Follow(scope=scope, session_id=session_id, turns=[answer], whole=False))

    async def _store(self, caller: Caller, follow: Follow) -> Receipt:
        placed = await self.memory.place(follow)
        if placed.new:
            self._check(follow.turns[len(follow.turns) - placed.new :])
        terms = await self.admission.storing(caller.tenant, follow.scope.user_id, placed.new)

        def note(followed: Followed) -> None:
            receipt = followed.receipt
            self.observer.metrics.remembered(len(receipt.stored))
            if receipt.stored:
                user_id, agent_id = follow.scope.user_id, follow.scope.agent_id
                change = self.audit.change(
                    caller, what="remember", user_id=user_id, agent_id=agent_id, count=len(receipt.stored)
                )
                self.audit.write([change])

        followed = await self.memory.follow(follow, most_turns=terms.stored_turns, then=note)
        return followed.receipt

    def _check(self, turns: Sequence[NewTurn]) -> None:
        """Raise TooLarge for a turn above its limit; a conversation of many turns is none."""
        for turn in turns:
            self.limits.check_turn(turn, "messages")

    def _new(self, turn: ChatTurn, now: datetime) -> NewTurn:
        """Return a turn to remember. Of a tool's result its beginning is enough: it cannot be made shorter."""
        unchecked = turn.role == "assistant"
        return NewTurn(
            role=turn.role,
            text=turn.text[: self.limits.turn_chars] if turn.role == "tool" else turn.text,
            speaker=turn.speaker,
            said_at=now,
            flag="unchecked" if unchecked else None,
        )
