"""Which lines an answer rests on, where the model's own citations do not tell.

Small models often name the first line, or all of them, beside an answer that stands in another. A citation that shares no word with
the answer shows nothing, so the line that does is cited instead. What an answer in other words rests on is not found by words: its
citations stay as they are.
"""

from dataclasses import replace

from cascade.claims import terms_and_numbers
from cascade.model import Brief, Draft
from language import split_sentences

__all__ = ["attributed"]

_CITED_WITH_CARE = 3  # lines; who names more names what is there


def attributed(draft: Draft, brief: Brief) -> Draft:
    """Return a draft with the lines that it rests on.

    Of more than three lines those are kept that share a word or a number with the answer. Where none of the lines shares any, and
    others do, these are cited: of each sentence the one that shares most with it, and then with the question. A draft that cites a
    line that is not there is given back as it is, since that is for a guard to judge.
    """
    said = {quote.n: terms_and_numbers(quote.text, *(time.meaning for time in quote.times)) for quote in brief.quotes}
    if draft.abstains or not draft.answer or not draft.citations or not said.keys() >= set(draft.citations):
        return draft
    wanted = terms_and_numbers(draft.answer)
    holding = tuple(n for n in draft.citations if wanted & said[n])
    if not holding:
        found = _found(draft.answer, brief.question, said)
        return replace(draft, citations=found, attributed=True) if found else draft
    several = len(draft.citations) > _CITED_WITH_CARE
    return (
        replace(draft, citations=holding, attributed=True) if several and len(holding) < len(draft.citations) else draft
    )


def _found(answer: str, question: str, said: dict[int, frozenset[str]]) -> tuple[int, ...]:
    """Return the line that each sentence shares most with; none for one that shares nothing with any."""
    asked = terms_and_numbers(question)
    chosen: list[int] = []
    for sentence in split_sentences(answer):
        own = terms_and_numbers(sentence)
        shares = {n: (len(own & line), len(asked & line)) for n, line in said.items() if own & line}
        if shares:
            chosen.append(max(shares, key=lambda n: shares[n]))
    return tuple(dict.fromkeys(chosen))
