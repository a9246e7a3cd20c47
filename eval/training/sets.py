"""What recall's models are fitted on: sets of questions with labelled evidence, and what may be shipped that learned from them.

Our own three sets are generated: chats of two named people, for what speakers and neighbouring turns are worth; such chats as
somebody would paste them, a session a turn, where nothing but the sentence itself shows which one is asked for; and plain facts in
eleven languages, of the part that is not judged. BEAM (CC BY-SA 4.0) may be learned from, too. LoCoMo (CC BY-NC 4.0) and REALTALK
(no licence stated) are for models that stay where they were fitted.

LongMemEval (MIT) might be learned from, but only few of its questions say which turns hold the answer (docs/lab.md).
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from eval.evidence.sets import facts_conversation, read_set
from eval.harness.conversations import Conversation
from eval.plain_facts.data import LANGUAGES, PlainFacts
from eval.training.dialogues.data import dialogues

__all__ = ["LICENCES", "read_sets"]

LICENCES = {
    "beam": "CC BY-SA 4.0",
    "dialogues": "our own",
    "plain-facts": "our own",
    "transcripts": "our own",
    "locomo": "CC BY-NC 4.0: not to be shipped",
    "realtalk": "none stated: not to be shipped",
}
_CHATS = range(1, 31)
_TRANSCRIBED = range(31, 61)
_FACTS = range(1, 4)


def read_sets(
    *, beam: Path | None = None, locomo: Path | None = None, realtalk: Path | None = None
) -> Mapping[str, list[Conversation]]:
    """Read the sets by name. Raises OSError, and Unusable where a file is not in its set's format."""
    found = {"beam": read_set("beam", beam, size="100K")} if beam else {}
    found |= {
        "dialogues": dialogues(_CHATS),
        "plain-facts": [
            facts_conversation(PlainFacts(language=language, part="fitting", seed=seed))
            for language in LANGUAGES
            for seed in _FACTS
        ],
        "transcripts": [_transcribed(one) for one in dialogues(_TRANSCRIBED)],
    }
    if locomo:
        found["locomo"] = read_set("locomo", locomo)
    if realtalk:
        found["realtalk"] = read_set("realtalk", realtalk)
    return found


def _transcribed(conversation: Conversation) -> Conversation:
    """Return a chat as one of the two would paste it: each session is one turn of "Ann: Hi!" lines, and has no speakers."""
    sessions: dict[str, list[dict[str, str]]] = {}
    kept_in: dict[str, str] = {}
    for key, turns in conversation.sessions.items():
        kept_in |= {turn["id"]: key for turn in turns}
        text = "\n".join(f"{turn['speaker']}: {turn['text']}" for turn in turns)
        sessions[key] = [{"id": key, "role": "user", "text": text, "said_at": turns[0]["said_at"]}]
    questions = tuple(
        replace(one, evidence=frozenset(kept_in[turn_id] for turn_id in one.evidence), answer_in=frozenset())
        for one in conversation.questions
    )
    return replace(
        conversation, id=f"{conversation.id}-transcript", sessions=sessions, questions=questions, speakers=()
    )
