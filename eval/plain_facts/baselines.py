"""How often the sentence asked for comes first: what anyone can do without us, and Tirtha, on plain facts.

bm25: words as terms, neither stemmed nor stopped; pairs of characters in scripts without spaces and in Korean, which writes
particles together with words. cosine: of the bundled encoder's vectors of the bare sentences. fusion: their sum, BM25 as a
share of its greatest and times 0.7. Equal scores leave the order of the memory.

Run it: `python -m eval.plain_facts.baselines`.
"""

import asyncio
import re
import tempfile
import unicodedata
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from compaction import distill
from eval.harness.answer_paths import remember_all
from eval.plain_facts.data import LANGUAGES, Part, PlainFacts
from memory import NewTurn, Remember, Scope
from memory.api import Memory, MemorySettings
from memory.encoding.encoder import Encoder
from memory.index.bm25 import bm25_share, frequencies, rarity_of
from memory.opening import open_memory
from memory.storage.migrations import MIGRATIONS
from memory.storage.opening import open_database

__all__ = ["bm25_scores", "cosine_scores", "first_by", "fusion_scores", "terms_of", "tirtha_first"]

Scores = NDArray[np.float64]
Ranker = Callable[[Sequence[str], Sequence[str]], Scores]

BUDGET_TOKENS = 165
_SAID_AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
_BM25_WEIGHT = 0.7
_BY_PAIRS = re.compile("[\u0e00-\u0e7f\u3005\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]+")


def terms_of(text: str) -> list[str]:
    """Return the lower-cased words of a text, those of Han, kana, Hangul and Thai as pairs of their characters."""
    kept = "".join(sign if unicodedata.category(sign)[0] in "LMN" else " " for sign in text.lower())
    spaced = _BY_PAIRS.sub(lambda run: f" {' '.join(_pairs(run[0]))} ", kept)
    return spaced.split()


def bm25_scores(questions: Sequence[str], sentences: Sequence[str]) -> Scores:
    """Score each sentence for each question by BM25 (k1 1.2, b 0.75): `(questions, sentences)`, greater is better."""
    texts = [terms_of(sentence) for sentence in sentences]
    rows = []
    for question in questions:
        frequency = frequencies(tuple(dict.fromkeys(terms_of(question))), texts)
        rows.append(bm25_share(frequency, [*map(len, texts)], rarity_of(frequency)))
    return np.stack(rows)


def cosine_scores(questions: Sequence[str], sentences: Sequence[str], encoder: Encoder) -> Scores:
    """Score each sentence for each question by the cosine of their vectors: `(questions, sentences)`."""
    cosines: Scores = (encoder.encode_texts(questions) @ encoder.encode_texts(sentences).T).astype(np.float64)
    return cosines


def fusion_scores(cosines: Scores, bm25: Scores) -> Scores:
    """Return the cosines plus 0.7 times BM25 as a share of the greatest that a sentence has for the question."""
    greatest = np.maximum(bm25.max(axis=1, keepdims=True), 1e-9)
    fused: Scores = cosines + _BM25_WEIGHT * bm25 / greatest
    return fused


def first_by(scores: Scores, facts: PlainFacts) -> int:
    """Count the questions of which the right sentence has the greatest score, `(questions, sentences)`."""
    turn_ids = [fact.turn_id for fact in facts.facts]
    best = scores.argmax(axis=1)
    return sum(turn_ids[place] == one.turn_id for place, one in zip(best, facts.questions, strict=True))


async def tirtha_first(memory: Memory, facts: PlainFacts) -> tuple[int, int]:
    """Remember the facts; count the questions whose turn comes first, and those whose turn is within 165 tokens."""
    scope = Scope(tenant="eval", user_id=facts.id)
    turns = [NewTurn(id=fact.turn_id, role="user", text=fact.text, said_at=_SAID_AT) for fact in facts.facts]
    await remember_all(memory, [Remember(scope=scope, session_id="facts", turns=turns)])
    first = held = 0
    for one in facts.questions:
        evidence = (await memory.recall(scope, one.question, _SAID_AT)).evidence
        first += bool(evidence) and evidence[0].turn.id == one.turn_id
        held += one.turn_id in {line.turn_id for line in distill(evidence, budget=BUDGET_TOKENS).lines}
    return first, held


def compare(memories: Sequence[PlainFacts], encoder: Encoder) -> dict[str, list[int]]:
    """Count for each memory how many questions each way has right, by the way's name."""
    counts: dict[str, list[int]] = {name: [] for name in ("bm25", "cosine", "fusion")}
    for facts in memories:
        questions, sentences = [one.question for one in facts.questions], [fact.text for fact in facts.facts]
        bm25, cosines = bm25_scores(questions, sentences), cosine_scores(questions, sentences, encoder)
        for name, scores in (("bm25", bm25), ("cosine", cosines), ("fusion", fusion_scores(cosines, bm25))):
            counts[name].append(first_by(scores, facts))
    ours = asyncio.run(_tirtha(memories, encoder))
    counts["tirtha"] = [first for first, _ in ours]
    counts[f"tirtha in {BUDGET_TOKENS}"] = [held for _, held in ours]
    return counts


async def _tirtha(memories: Sequence[PlainFacts], encoder: Encoder) -> list[tuple[int, int]]:
    with (
        tempfile.TemporaryDirectory(prefix="tirtha-facts-") as folder,
        open_database(Path(folder), None, migrations=[MIGRATIONS]) as database,
    ):
        async with open_memory(MemorySettings(), database, encoder=encoder) as memory:
            return [await tirtha_first(memory, facts) for facts in memories]


def _pairs(run: str) -> list[str]:
    return [run[place : place + 2] for place in range(max(len(run) - 1, 1))]


def main(
    part: Annotated[Part, typer.Option(help="Which half of the attributes and names.")] = "judging",
    seed: Annotated[int, typer.Option(help="Which draw of names, values and wordings.")] = 1,
    wording: Annotated[int | None, typer.Option(help="Ask all in one wording: 0 direct, 2 in other words.")] = None,
) -> None:
    """Print how many of 50 questions have the right sentence first, by language."""
    memories = [PlainFacts(language=language, part=part, seed=seed, wording=wording) for language in LANGUAGES]
    counts = compare(memories, Encoder())
    asked = "mixed wordings" if wording is None else f"wording {wording}"
    typer.echo(f"| {part}, seed {seed}, {asked} | " + " | ".join(LANGUAGES) + " |")
    typer.echo("| --- |" + " --- |" * len(LANGUAGES))
    for name, right in counts.items():
        typer.echo(f"| {name} | " + " | ".join(map(str, right)) + " |")


if __name__ == "__main__":
    typer.run(main)
