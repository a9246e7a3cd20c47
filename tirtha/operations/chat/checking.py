"""Checking a chat's answer: what of it rests on memory must be held by the notes, or by what the user says in the conversation.

A chat may say much that is not of memory; that is not judged. A sentence rests on memory if it cites a line of the notes, shares a
word or a number with one that the conversation does not have, or shares two of them in any case.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from cascade import Brief, Quote
from cascade.call_trace import Trace
from cascade.claims import terms_and_numbers
from cascade.decision import Verdict
from cascade.guards import Case, CitationGuard, FactsGuard, InjectionGuard, WhoseGuard, judge
from cascade.model import Completion, Draft
from cascade.reading import read_draft
from cascade.tiers.hearing import Heard
from language import split_sentences
from tirtha.operations.chat.asked import ChatTurn

__all__ = ["Checked", "check"]

_GUARDS = (CitationGuard(), InjectionGuard(), FactsGuard(), WhoseGuard())
_ENOUGH_IN_COMMON = 2
_OF_CONVERSATION = 1_000  # marks of the user's own messages come after those of the notes


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """The part of an answer that rests on memory, and the guards' verdicts over it; `whole`: that is all of the answer."""

    draft: Draft
    whole: bool
    verdicts: tuple[Verdict, ...]

    @property
    def passed(self) -> bool:
        """Whether every guard passed it."""
        return all(verdict.status == "pass" for verdict in self.verdicts)

    @property
    def reasons(self) -> str:
        """What the guards found wrong."""
        return "; ".join(verdict.reason for verdict in self.verdicts if verdict.status != "pass")


async def check(heard: Heard, brief: Brief | None, turns: Sequence[ChatTurn], trace: Trace) -> Checked | None:
    """Judge an answer; None if nothing of it rests on the notes. Calls of tools are not judged.

    Args:
        heard: the answer, as it was heard.
        brief: the notes that the model had; None if it had none.
        turns: the conversation, which an answer may rest on as well.
        trace: how long the request still has, and what it used so far.
    """
    if brief is None or not brief.quotes or heard.calls:
        return None
    said = [turn.text for turn in turns if turn.role == "user"]
    sentences = [sentence for sentence in split_sentences(heard.text) if sentence.strip()]
    draft, resting = _resting(sentences, heard, brief, said)
    if draft is None:
        return None
    conversation = tuple(
        Quote(
            n=_OF_CONVERSATION + place,
            turn_id="",
            session_id="",
            speaker="",
            said_at=brief.asked_at,
            text=text,
            score=1.0,
            times=(),
        )
        for place, text in enumerate(said)
    )
    wider = replace(brief, quotes=(*brief.quotes, *conversation))
    judged = replace(draft, citations=(*draft.citations, *(quote.n for quote in conversation)))
    verdicts = await judge(_GUARDS, Case(brief=wider, draft=judged, model=heard.model, trace=trace))
    return Checked(draft=draft, whole=resting == len(sentences), verdicts=verdicts)


def _resting(sentences: Sequence[str], heard: Heard, brief: Brief, said: Sequence[str]) -> tuple[Draft | None, int]:
    """Return the sentences that rest on the notes, with the lines that they rest on, and how many they are."""
    known = terms_and_numbers(" ".join(said))
    quotes = {quote.n: terms_and_numbers(quote.text, *(time.meaning for time in quote.times)) for quote in brief.quotes}
    resting: list[str] = []
    cited: list[int] = []
    for sentence in sentences:
        read = read_draft(Completion(text=sentence, model=heard.model, finish_reason="stop", usage=heard.usage), brief)
        if read.abstains or not read.answer:
            continue
        marks = () if read.attributed else read.citations
        shared = terms_and_numbers(read.answer) & frozenset().union(*(quotes[n] for n in read.citations if n in quotes))
        if marks or shared - known or len(shared) >= _ENOUGH_IN_COMMON:
            resting.append(read.answer)
            cited += read.citations
    if not resting:
        return None, 0
    draft = Draft(
        answer=" ".join(resting), citations=tuple(sorted(set(cited))), returned_model=heard.model, attributed=True
    )
    return draft, len(resting)
