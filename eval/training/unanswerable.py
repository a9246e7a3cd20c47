"""Questions without an answer, for fitting answerability: other people's, and some asked of a memory of a few turns.

A set's own questions without an answer are few, or of one kind. A service is asked about what was never mentioned, too, and on its
first day it holds three messages. So each conversation is asked questions of others, and small memories are cut out of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from random import Random

from eval.harness.conversations import Conversation, LabelledQuestion

__all__ = ["FOREIGN", "small_memories", "with_foreign_questions"]

FOREIGN = "foreign"
_OWN_SET, _OTHER_SETS = 6, 6  # foreign questions, for a conversation
_SMALL = 4  # small memories, of a conversation
_ASKED_OF_SMALL = 2
_BESIDE = 2  # turns, before and after the evidence


def with_foreign_questions(sets: Mapping[str, Sequence[Conversation]]) -> dict[str, list[Conversation]]:
    """Return the sets with questions of other conversations asked of each, of its own set and of others."""
    return {
        name: [replace(one, questions=(*one.questions, *_foreign(sets, name, one))) for one in conversations]
        for name, conversations in sets.items()
    }


def small_memories(sets: Mapping[str, Sequence[Conversation]]) -> dict[str, list[Conversation]]:
    """Return, by set, memories of some turns around a question's evidence: they are asked that question, and foreign ones."""
    return {name: [small for one in own for small in _small(sets, name, one)] for name, own in sets.items()}


def _foreign(
    sets: Mapping[str, Sequence[Conversation]],
    name: str,
    conversation: Conversation,
    counts: tuple[int, int] = (_OWN_SET, _OTHER_SETS),
) -> list[LabelledQuestion]:
    random = Random(f"foreign {conversation.id}")  # noqa: S311 - to be the same again
    own = [question for one in sets[name] if one.id != conversation.id for question in one.questions]
    others = [question for other, found in sets.items() if other != name for one in found for question in one.questions]
    chosen = [*random.sample(own, min(counts[0], len(own))), *random.sample(others, min(counts[1], len(others)))]
    return [
        replace(
            one,
            id=f"{conversation.id}:{FOREIGN}:{number}",
            answer="",
            kind=FOREIGN,
            evidence=frozenset(),
            answer_in=frozenset(),
            sessions=frozenset(),
            answerable=False,
        )
        for number, one in enumerate(chosen)
    ]


def _small(sets: Mapping[str, Sequence[Conversation]], name: str, conversation: Conversation) -> list[Conversation]:
    random = Random(f"small {conversation.id}")  # noqa: S311 - to be the same again
    answerable = [one for one in conversation.questions if one.answerable and one.evidence]
    random.shuffle(answerable)
    made: list[Conversation] = []
    for question in islice(answerable, _SMALL):
        small = replace(
            conversation,
            id=f"{conversation.id}/{question.place}",
            part_of=conversation.id,
            sessions=_around(conversation, question),
        )
        foreign = _foreign(sets, name, small, (_ASKED_OF_SMALL, _ASKED_OF_SMALL))
        made.append(replace(small, questions=(question, *foreign)))
    return made


def _around(conversation: Conversation, question: LabelledQuestion) -> dict[str, list[dict[str, str]]]:
    """Return the turns of the evidence, with those beside it, by session."""
    kept: dict[str, list[dict[str, str]]] = {}
    for key, turns in conversation.sessions.items():
        held = [place for place, turn in enumerate(turns) if turn["id"] in question.evidence]
        near = sorted({place for one in held for place in range(one - _BESIDE, one + _BESIDE + 1)})
        found = [turns[place] for place in near if 0 <= place < len(turns)]
        if found:
            kept[key] = found
    return kept
