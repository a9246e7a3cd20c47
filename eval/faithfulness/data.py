"""Answers whose faithfulness is known, with what they should rest on: our perturbed LoCoMo answers, RAGTruth and HaluEval.

RAGTruth (Niu et al., ACL 2024): `response.jsonl` with hallucinated spans, `source_info.jsonl` beside it. HaluEval (Li et al.,
EMNLP 2023): `qa_data.json`, a right and a hallucinated answer to each piece of knowledge. Both are given, never downloaded.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from cascade import Brief, Quote, TimeSaid
from eval.errors import Unusable
from eval.faithfulness.perturbations import KINDS, deny, perturb
from eval.harness.conversations import Conversation
from eval.locomo.data import read_locomo
from language import analyse, split_sentences
from language.words import words

__all__ = ["FACTS", "Judged", "Source", "read_judged"]

Source = Literal["locomo", "ragtruth", "halueval"]
FACTS = ("number", "date", "name")
_UNDATED = datetime(2024, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """An answer, the brief that it should rest on, whether it does, and what was done to it ("" for an answer as given)."""

    id: str
    kind: str
    answer: str
    brief: Brief
    faithful: bool


def read_judged(source: Source, file: Path, *, seed: int) -> Iterator[Judged]:
    """Read a set. Raises OSError, and Unusable where the file is not in its format."""
    try:
        match source:
            case "locomo":
                yield from _perturbed(read_locomo(file), seed)
            case "ragtruth":
                yield from _ragtruth(file)
            case "halueval":
                yield from _halueval(file)
    except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as fault:
        raise Unusable(f"{file} is not in the format of {source}: {fault!r}") from fault


def _perturbed(conversations: Sequence[Conversation], seed: int) -> Iterator[Judged]:
    """Yield, for each answer with something to change, the answer as given, and changed."""
    everyone = [speaker for one in conversations for speaker in one.speakers]
    for conversation in conversations:
        turns = {turn["id"]: turn for turns in conversation.sessions.values() for turn in turns}
        strangers = [name for name in everyone if name not in conversation.speakers]
        for question in conversation.questions:
            if not question.answerable:
                continue
            evidence = [turns[id_] for id_ in sorted(question.evidence)]
            brief = _brief(question.question, [_quote(n, turn) for n, turn in enumerate(evidence, 1)])
            changed = {
                kind: other
                for kind in KINDS
                if (other := perturb(question.answer, kind, seed=f"{seed}/{question.id}", strangers=strangers))
            }
            yield Judged(id=f"{question.id}/given", kind="given", answer=question.answer, brief=brief, faithful=True)
            denied = [turn | {"text": deny(turn["text"], question.answer) or turn["text"]} for turn in evidence]
            if all(one["text"] != turn["text"] for one, turn in zip(denied, evidence, strict=True)):
                against = _brief(question.question, [_quote(n, turn) for n, turn in enumerate(denied, 1)])
                yield Judged(
                    id=f"{question.id}/denied", kind="denied", answer=question.answer, brief=against, faithful=False
                )
            for kind, answer in changed.items():
                stated = kind not in FACTS or _is_stated(question.answer, answer, brief)
                yield Judged(
                    id=f"{question.id}/{kind}",
                    kind=kind if stated else f"{kind}, told otherwise",
                    answer=answer,
                    brief=brief,
                    faithful=kind == "paraphrase",
                )


def _is_stated(answer: str, changed: str, brief: Brief) -> bool:
    """Return whether the evidence has the changed words themselves, so that the answer as given can be checked against it."""
    said = {word for quote in brief.quotes for text in _texts(quote) for word in words(text)}
    return set(words(answer)) - set(words(changed)) <= said


def _texts(quote: Quote) -> list[str]:
    return [quote.text, quote.speaker, f"{quote.said_at:%d %B %Y}".lstrip("0"), *(time.meaning for time in quote.times)]


def _ragtruth(file: Path) -> Iterator[Judged]:
    sources = {row["source_id"]: row for row in _rows(file.with_name("source_info.jsonl"))}
    for row in _rows(file):
        source = sources[row["source_id"]]
        info = source["source_info"]
        text = info if isinstance(info, str) else str(info.get("passages", json.dumps(info)))
        question = str(info.get("question", "")) if isinstance(info, Mapping) else ""
        kind = str(source.get("task_type", "all"))
        brief = _brief(question, _quotes(text))
        yield Judged(id=str(row["id"]), kind=kind, answer=row["response"], brief=brief, faithful=not row["labels"])


def _halueval(file: Path) -> Iterator[Judged]:
    for number, row in enumerate(_rows(file)):
        brief = _brief(row["question"], _quotes(row["knowledge"]))
        for kind, faithful in (("right_answer", True), ("hallucinated_answer", False)):
            yield Judged(id=f"{number}/{kind}", kind="qa", answer=row[kind], brief=brief, faithful=faithful)


def _rows(file: Path) -> Iterator[dict[str, Any]]:
    for line in file.read_text("utf-8").splitlines():
        if line.strip():
            yield json.loads(line)


def _quotes(text: str) -> list[Quote]:
    return [
        Quote(
            n=n, turn_id=str(n), session_id="source", speaker="source", said_at=_UNDATED, text=one, score=1.0, times=()
        )
        for n, one in enumerate(split_sentences(text), 1)
    ]


def _quote(n: int, turn: Mapping[str, str]) -> Quote:
    said_at = datetime.fromisoformat(turn["said_at"])
    times = tuple(
        TimeSaid(meaning=time.meaning, grain=time.grain)
        for time in analyse(turn["text"], said_at.date()).times
        if not time.implied
    )
    return Quote(
        n=n, turn_id=turn["id"], session_id="", speaker=turn["speaker"], said_at=said_at, text=turn["text"], score=1.0,
        times=times,
    )  # fmt: skip


def _brief(question: str, quotes: Sequence[Quote]) -> Brief:
    text = "\n".join(f"[{quote.n}] {quote.speaker}: {quote.text}" for quote in quotes)
    asked_at = max((quote.said_at for quote in quotes), default=_UNDATED)
    return Brief(
        question=question, asked_at=asked_at, text=text, tokens=0, budget=0, quotes=tuple(quotes), answerable=1.0
    )
