"""Sentences that are standing instructions or preferences, and sentences that only look so: what the recogniser is fitted on.

Our own are in `sentences.jsonl`, in eleven languages; all that are no instructions were written to look like some. Those in
`judged.jsonl` were written when the cues were settled; nothing is learned from them. BEAM's are the
user's messages: those that its questions of two kinds name as the instruction or the preference that they test, and all others.
A message that no question names may be an instruction all the same. Those worded as BEAM words its instructions ("Always ... when I
ask about ...", "I prefer ...") are therefore no negatives, and are left out.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files

from eval.harness.conversations import Conversation
from language import split_passages
from language.requests.instructions import Clause, clauses_with_cues
from language.words import content_terms

__all__ = ["TESTED", "Sentence", "judged_only", "of_beam", "our_own"]

TESTED = frozenset({"instruction_following", "preference_following"})
_AS_BEAM_WORDS_THEM = re.compile(
    r"^always\b.*\bwhen i ask\b|\bi(?:'ve| have)?(?: been)? (?:\w+ )?(?:prefer|prioriti[sz]ed?)\b|\bmy preference\b",
    re.IGNORECASE,
)
_OF_GOLD = 0.4  # of the gold text's words, that the sentence which says it must hold


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """A sentence, whether it is a standing instruction or preference, and its clauses that have a cue of one."""

    set: str
    language: str
    text: str
    standing: bool
    clauses: tuple[Clause, ...]


def our_own() -> list[Sentence]:
    """Read our own sentences to learn from."""
    return _read("sentences.jsonl")


def judged_only() -> list[Sentence]:
    """Read our own sentences that nothing is learned from."""
    return _read("judged.jsonl")


def _read(name: str) -> list[Sentence]:
    rows = files("eval.training.standing").joinpath(name).read_text("utf-8").splitlines()
    return [
        Sentence(
            set="own",
            language=row["language"],
            text=row["text"],
            standing=row["standing"],
            clauses=tuple(clauses_with_cues(row["text"], split_passages(row["text"]))),
        )
        for row in map(json.loads, rows)
    ]


def of_beam(conversations: Sequence[Conversation]) -> list[Sentence]:
    """Return the sentences of the users of BEAM's chats, without those whose label is unknown."""
    return [sentence for one in conversations for sentence in _of_chat(one)]


def _of_chat(chat: Conversation) -> Iterator[Sentence]:
    gold: dict[str, list[set[str]]] = {}
    for question in chat.questions:
        if question.kind in TESTED:
            for turn_id in question.evidence:
                gold.setdefault(turn_id, []).append(set(content_terms(question.answer)))
    for turn in (turn for turns in chat.sessions.values() for turn in turns if turn["role"] == "user"):
        text = turn["text"]
        passages = split_passages(text)
        clauses = clauses_with_cues(text, passages)
        for passage in passages:
            said = text[passage.start : passage.end]
            said_terms = set(content_terms(said))
            standing = any(len(words & said_terms) >= _OF_GOLD * len(words) for words in gold.get(turn["id"], ()))
            if standing or not _AS_BEAM_WORDS_THEM.search(said):
                own = tuple(one for one in clauses if passage.start <= one.start < passage.end)
                yield Sentence(set="beam", language="en", text=said, standing=standing, clauses=own)
