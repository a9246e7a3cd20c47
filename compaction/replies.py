"""Short replies: "I will" means nothing without the "Who picks Nils up?" that it answers, and the question nothing without it."""

from collections.abc import Mapping, Sequence

from memory.model import Evidence, TurnPk

__all__ = ["Key", "key_of", "short_replies"]

Key = tuple[TurnPk, int]
_SHORT = 2  # content words: with fewer, a reply is understood by its question alone
_LONGEST = 8  # words


def key_of(evidence: Evidence) -> Key:
    """Name a passage: its turn, and where it starts in it."""
    return evidence.turn.pk, evidence.passage.start


def short_replies(evidence: Sequence[Evidence]) -> Mapping[Key, Evidence]:
    """Return, for each short reply among the evidence, the question right before it, and for that question the reply.

    The question ends its turn, and the reply is the whole next turn, of another speaker.
    """
    last_of: dict[tuple[int, int], Evidence] = {}
    for one in evidence:
        place = (one.turn.session_pk, one.turn.position)
        if place not in last_of or one.passage.start > last_of[place].passage.start:
            last_of[place] = one
    together: dict[Key, Evidence] = {}
    for (session, position), reply in last_of.items():
        question = last_of.get((session, position - 1))
        if question and _replies(reply, question):
            together[key_of(reply)], together[key_of(question)] = question, reply
    return together


def _replies(reply: Evidence, question: Evidence) -> bool:
    return (
        reply.turn.name != question.turn.name
        and question.analysed.asks
        and not question.turn.text[question.passage.end :].strip()
        and reply.quote.strip() == reply.turn.text.strip()
        and len(reply.analysed.terms) < _SHORT
        and len(reply.analysed.words) <= _LONGEST
        and not reply.analysed.asks
    )
