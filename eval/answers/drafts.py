"""Labelled drafts: what runs leave for fitting guards. One JSON line a draft: its scores and whether it would have been right.

No word of a question, a conversation or a draft is in it: ids, hashes, figures and names of models.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from eval.answers.rows import Draft, Row, digest, read_row
from eval.errors import Unusable
from eval.harness.runs import answers_of

__all__ = ["drafts_of", "write_drafts"]

DraftLine = dict[str, Any]


def drafts_of(runs: Sequence[Path]) -> list[DraftLine]:
    """Return the labelled drafts of runs of answers, each once. Raises Unusable for a folder that holds no such run.

    Several systems may make the same draft from the same context: the one that most guards judged is kept.
    """
    best: dict[tuple[str, ...], DraftLine] = {}
    for run in runs:
        for line in _lines_of(run):
            same = tuple(
                str(line[name])
                for name in ("set", "question", "tier", "model", "answer_sha256", "context_tokens", "guards")
            )
            if same not in best or len(best[same]["scores"]) < len(line["scores"]):
                best[same] = line
    return [best[key] for key in sorted(best)]


def write_drafts(lines: Iterable[DraftLine], file: Path) -> int:
    """Write drafts as JSON lines; return how many."""
    written = [json.dumps(line, sort_keys=True) + "\n" for line in lines]
    file.write_text("".join(written), "utf-8")
    return len(written)


def _lines_of(run: Path) -> Iterator[DraftLine]:
    manifest = run / "manifest.json"
    if not manifest.is_file():
        raise Unusable(f"{run} holds no run: there is no manifest.json in it")
    held = json.loads(manifest.read_text("utf-8"))
    if not str(held["benchmark"]).endswith("-qa"):
        raise Unusable(
            f"{run} holds a run of {held['benchmark']!r}; labelled drafts are made of answers (locomo-qa, realtalk-qa)"
        )
    for sample in answers_of(run).values():
        if not sample.fault:
            row = read_row(sample)
            yield from (_line(draft, row, held["config"]["set"]) for draft in row.drafts)


def _line(draft: Draft, row: Row, name: str) -> DraftLine:
    hashes: Mapping[str, str] = row.hashes or {}
    return {
        "set": name,
        "question": row.question,
        "kind": row.kind,
        "in_memory": row.answerable,
        "excluded": row.excluded,
        "system": row.system,
        "path": draft.path,
        "tier": draft.tier,
        "model": draft.model,
        "answer_sha256": digest(draft.answer),
        "answer_words": len(draft.answer.split()),
        "citations": draft.citations,
        "context_tokens": draft.context_tokens,
        "answerable": draft.answerable,
        "confidence": draft.confidence,
        "abstains": draft.abstains,
        "scores": dict(draft.scores),
        "statuses": dict(draft.statuses),
        "right": draft.right,
        "guards": hashes.get("guards", ""),
        "prompts": hashes.get("prompts", ""),
    }
