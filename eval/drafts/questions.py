"""Which questions are asked for drafts: some to fit how likely a draft is right, others, of other conversations, to test it.

Fitting: BEAM, LongMemEval partial, our own dialogues, plain facts of the part that is not judged, and the sample. Testing: LoCoMo
and REALTALK, which nothing is fitted on. The order is that of a hash, so that what was done by any moment is a fair sample of all
sets. Unanswerable questions are those of the set, or ones whose evidence turns are withheld from the memory. What else of the
conversation tells the same is not known.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Literal

from eval.evidence.sets import facts_conversation, read_set
from eval.harness.conversations import Conversation, LabelledQuestion
from eval.plain_facts.data import PlainFacts
from eval.training.dialogues.data import dialogues
from tirtha.sample import sample_questions, sample_sessions

__all__ = ["Chosen", "Use", "chosen", "in_hash_order"]

Use = Literal["fitting", "testing"]
_BEAM_KINDS = frozenset(
    "information_extraction knowledge_update temporal_reasoning multi_session_reasoning abstention".split()
)
_DIALOGUES = range(201, 207)  # recall's weights and those of quotes were fitted on others
_LANGUAGES = ("en", "de", "fr", "es", "it", "ru")
_FACTS_SEED = 4
_HISTORIES = 8  # of LongMemEval: each is a long one, for one question
_WITHHELD_EVIDENCE = 2  # turns at most, so that the conversation stays what it is


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A conversation to remember, and the questions to ask of it."""

    set: str
    use: Use
    conversation: Conversation
    questions: tuple[LabelledQuestion, ...]


def chosen(data: Path) -> list[Chosen]:
    """Choose the questions of every set; `data` is the folder that holds the sets. Raises OSError, Unusable."""
    sets: list[tuple[str, Use, Sequence[Conversation], int, int]] = [
        ("sample", "fitting", [_sample()], 15, 0),
        ("plain-facts", "fitting", [_facts(language) for language in _LANGUAGES], 5, 2),
        ("dialogues", "fitting", dialogues(_DIALOGUES), 20, 0),
        ("locomo", "testing", read_set("locomo", data / "locomo_dev.json"), 24, 0),
        ("realtalk", "testing", read_set("realtalk", data / "realtalk"), 24, 6),
        ("beam", "fitting", read_set("beam", data / "beam", size="100K"), 10, 0),
        (
            "longmemeval",
            "fitting",
            read_set("longmemeval", data / "longmemeval_partial_dev.json.xz")[:_HISTORIES],
            1,
            0,
        ),
    ]
    found: list[Chosen] = []
    for name, use, conversations, asked, withheld in sets:
        for conversation in conversations:
            own = [one for one in in_hash_order(conversation.answered) if name != "beam" or one.kind in _BEAM_KINDS]
            if name == "locomo":  # a fifth has no answer, as of REALTALK
                own = _a_fifth_unanswerable(own, asked + 6)
            kept = own[: asked + 6] if name == "locomo" else own[:asked]
            found.append(Chosen(set=name, use=use, conversation=conversation, questions=tuple(kept)))
            if withheld:
                found.append(_withheld(name, use, conversation, own[asked:], withheld))
    return found


def in_hash_order(questions: Sequence[LabelledQuestion]) -> list[LabelledQuestion]:
    """Return questions in the order of a hash of their ids."""
    return sorted(questions, key=lambda one: blake2b(one.id.encode(), digest_size=8).digest())


def _a_fifth_unanswerable(questions: Sequence[LabelledQuestion], count: int) -> list[LabelledQuestion]:
    without = [one for one in questions if not one.answerable][: count // 5]
    return [*[one for one in questions if one.answerable][: count - len(without)], *without]


def _withheld(
    name: str, use: Use, conversation: Conversation, questions: Sequence[LabelledQuestion], count: int
) -> Chosen:
    """Return a conversation without the evidence of some of its questions, and these questions."""
    few = [one for one in questions if one.answerable and 0 < len(one.evidence) <= _WITHHELD_EVIDENCE][:count]
    gone = frozenset().union(*(one.evidence for one in few))
    sessions = {key: [turn for turn in turns if turn["id"] not in gone] for key, turns in conversation.sessions.items()}
    asked = tuple(replace(one, id=f"{one.id}-withheld", answer="", answerable=False) for one in few)
    own = replace(conversation, id=f"{conversation.id}-withheld", sessions=sessions, questions=asked)
    return Chosen(set=name, use=use, conversation=own, questions=asked)


def _facts(language: str) -> Conversation:
    return facts_conversation(PlainFacts(language=language, part="fitting", seed=_FACTS_SEED))


def _sample() -> Conversation:
    sessions = {
        key: [
            {
                "id": turn.id or "",
                "role": turn.role,
                "speaker": turn.speaker or "",
                "text": turn.text,
                "said_at": turn.said_at.isoformat() if turn.said_at else "",
            }
            for turn in turns
        ]
        for key, turns in sample_sessions().items()
    }
    last = max(turn.said_at for turns in sample_sessions().values() for turn in turns if turn.said_at)
    questions = tuple(
        LabelledQuestion(
            id=f"sample:{place}",
            question=one.question,
            answer=one.answer,
            kind=one.kind,
            evidence=one.evidence,
            answerable=bool(one.answer),
        )
        for place, one in enumerate(sample_questions())
    )
    return Conversation(id="sample", sessions=sessions, questions=questions, last_said_at=last)
