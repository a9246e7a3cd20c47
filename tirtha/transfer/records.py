"""The lines between header and trailer: turns, decisions, stored answers; each as it is written, and read back strictly.

Every line says whose it is, so that it can be understood on its own. All fields are always there, null where there is nothing; but
a turn's `flag` and `instructions_off` only where it has them, so that what has none keeps the bytes that it always had.
"""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, TypeAdapter

from cascade.storage.archive import ArchivedAnswer, ArchivedDecision
from cascade.storage.feedback import Feedback
from cascade.storage.ledger import Shadow
from memory import ArchivedTurn
from memory.model import Flag, Role
from tirtha.http.schemas.fields import In, ItemId, Moment, OwnerId, Prose, Words
from tirtha.operations.moving.lines import Archived, Held
from tirtha.transfer.canonical import canonical_json, moment

__all__ = ["RECORD", "Record", "line_of"]

_Place = Annotated[int, Field(ge=0, lt=2**31)]
_NanoUsd = Annotated[int, Field(ge=0, le=10**12)]  # 1,000 dollars, as for a decision's own cost
_Until = Annotated[AwareDatetime, Field(strict=False)]  # however far ahead an operator lets answers live
_DecisionId = Annotated[str, Field(min_length=1, max_length=32)]


class _Owned(In):
    user_id: OwnerId | None
    agent_id: OwnerId | None

    def _of_owner(self, item: Archived) -> Held:
        return Held(user_id=self.user_id or "", agent_id=self.agent_id, item=item)


class TurnRecord(_Owned):
    """A turn."""

    kind: Literal["turn"]
    user_id: OwnerId
    session_id: ItemId
    id: ItemId
    position: _Place
    role: Role
    speaker: OwnerId | None
    text: Prose
    said_at: Moment
    remembered_at: Moment
    flag: Flag | None = None
    instructions_off: bool = False

    def held(self) -> Held:
        """Return the turn, and whose it is."""
        turn = ArchivedTurn(
            session_id=self.session_id,
            id=self.id,
            position=self.position,
            role=self.role,
            speaker=self.speaker,
            text=self.text,
            said_at=self.said_at,
            remembered_at=self.remembered_at,
            flag=self.flag,
            instructions_off=self.instructions_off,
        )
        return self._of_owner(turn)

    @classmethod
    def of(cls, turn: ArchivedTurn) -> dict[str, Any]:
        """Return the fields of a turn."""
        fields = {
            "kind": "turn",
            "session_id": turn.session_id,
            "id": turn.id,
            "position": turn.position,
            "role": turn.role,
            "speaker": turn.speaker,
            "text": turn.text,
            "said_at": moment(turn.said_at) if turn.said_at else None,
            "remembered_at": moment(turn.remembered_at) if turn.remembered_at else None,
        }
        marks = {"flag": turn.flag, "instructions_off": turn.instructions_off}
        return fields | {name: value for name, value in marks.items() if value}


class _ShadowRecord(In):
    agrees: bool
    overlap: Annotated[float, Field(ge=0, le=1)]
    answer: Words
    cost_nanousd: _NanoUsd

    @classmethod
    def of(cls, shadow: Shadow) -> dict[str, Any]:
        """Return the fields of what a shadow call showed."""
        return {
            "agrees": shadow.agrees,
            "overlap": shadow.overlap,
            "answer": shadow.answer,
            "cost_nanousd": shadow.cost_nanousd,
        }


class _FeedbackRecord(In):
    correct: bool
    given_at: Moment

    @classmethod
    def of(cls, feedback: Feedback) -> dict[str, Any]:
        """Return the fields of what was said of an answer."""
        return {"correct": feedback.correct, "given_at": moment(feedback.given_at)}


class DecisionRecord(_Owned):
    """A decision; what `record` holds is the ledger's to check."""

    kind: Literal["decision"]
    record: dict[str, Any]
    session_id: ItemId | None
    frontier_nanousd: _NanoUsd | None
    shadow: _ShadowRecord | None
    feedback: _FeedbackRecord | None = None

    def held(self) -> Held:
        """Return the decision, and whose it is."""
        shadow = Shadow(decision_id="", **self.shadow.model_dump()) if self.shadow else None
        feedback = Feedback(decision_id="", **self.feedback.model_dump()) if self.feedback else None
        decision = ArchivedDecision(
            record=self.record,
            session_id=self.session_id,
            frontier_nanousd=self.frontier_nanousd,
            shadow=shadow,
            feedback=feedback,
        )
        return self._of_owner(decision)

    @classmethod
    def of(cls, decision: ArchivedDecision) -> dict[str, Any]:
        """Return the fields of a decision."""
        return {
            "kind": "decision",
            "record": decision.record,
            "session_id": decision.session_id,
            "frontier_nanousd": decision.frontier_nanousd,
            "shadow": _ShadowRecord.of(decision.shadow) if decision.shadow else None,
            "feedback": _FeedbackRecord.of(decision.feedback) if decision.feedback else None,
        }


class _Request(In):
    """A request as the cache knows it: of a question or of a program."""

    task: Literal["memory", "code"]
    question: Prose
    max_tier: Literal["extractive", "local", "frontier"]
    budget: int | None = None
    asked_at: Words | None = None
    as_of: Literal["asked_at"] | None = None
    session_id: ItemId | None = None
    entry_point: Words | None = None
    tests: Words | None = None


class AnswerRecord(_Owned):
    """A stored answer: the request that it answers, and the decision that it is of."""

    kind: Literal["answer"]
    decision_id: _DecisionId
    request: _Request
    stored_at: Moment
    expires_at: _Until

    def held(self) -> Held:
        """Return the answer, and whose it is."""
        answer = ArchivedAnswer(
            decision_id=self.decision_id,
            request=self.request.model_dump(exclude_unset=True),
            stored_at=self.stored_at,
            expires_at=self.expires_at,
        )
        return self._of_owner(answer)

    @classmethod
    def of(cls, answer: ArchivedAnswer) -> dict[str, Any]:
        """Return the fields of an answer."""
        return {
            "kind": "answer",
            "decision_id": answer.decision_id,
            "request": answer.request,
            "stored_at": moment(answer.stored_at),
            "expires_at": moment(answer.expires_at),
        }


Record = TurnRecord | DecisionRecord | AnswerRecord
RECORD: TypeAdapter[Record] = TypeAdapter(Annotated[Record, Field(discriminator="kind")])


def line_of(held: Held) -> bytes:
    """Return the line of what is kept of somebody, without its line break."""
    match held.item:
        case ArchivedTurn():
            fields = TurnRecord.of(held.item)
        case ArchivedDecision():
            fields = DecisionRecord.of(held.item)
        case ArchivedAnswer():
            fields = AnswerRecord.of(held.item)
    return canonical_json(fields | {"user_id": held.user_id or None, "agent_id": held.agent_id})
