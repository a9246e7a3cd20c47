"""LongMemEval: are the sessions and turns of the answer found, and does the context of 165 tokens name them?

Each question's history is a scope of its own in a folder of its own; retrieval figures are the paper's (`eval.ranking_metrics`).
A run is a folder: its manifest, a record for each finished question, the official hypothesis file and a summary; a run that was
cut short goes on. Answers are not judged here: whoever has the official judge scores `hypotheses.jsonl` with it.
"""

import json
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

from rich.console import Console

import compaction
import memory
from compaction import Context
from eval.baselines import BASELINES, pack_whole_turns, rank_sessions_of
from eval.embedding_cache import CachedEncoder
from eval.longmemeval_data import LongMemEvalQuestion, read_longmemeval
from eval.longmemeval_report import OURS, LongMemEvalResults, LongMemEvalSample, Ranked
from eval.progress import progress_bar
from memory import Remember, Scope
from tirtha.requests import Ask
from tirtha.service import Recalled, Service, open_service
from tirtha.settings import Settings

__all__ = ["LongMemEvalRun", "run_longmemeval"]

_POOLED_TURNS = 3
_EVERY_TURN = 1_000_000
_TENANT = "eval"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A question that is done: the answer of `/v1/ask`, and what each system got."""

    question_id: str
    hypothesis: str
    samples: tuple[LongMemEvalSample, ...]

    def has(self, systems: Iterable[str]) -> bool:
        """Say whether every one of these systems is in it."""
        return set(systems) <= {sample.system for sample in self.samples}


@dataclass(frozen=True, slots=True, kw_only=True)
class LongMemEvalRun:
    """What to run: the budget, only the first `limit` questions, the run's folder, and whether with baselines.

    Without a folder, one in the data folder is taken that is named for the data and the budget.
    """

    budget: int = 165
    limit: int | None = None
    folder: Path | None = None
    baselines: bool = False


async def run_longmemeval(
    data: Path, *, settings: Settings, run: LongMemEvalRun, console: Console
) -> LongMemEvalResults:
    """Ask every question of `data`, each of its own history; go on where an earlier run stopped.

    Raises:
        ValueError: `data` is not in the official format, or the folder holds a run of something else.
    """
    questions = list(read_longmemeval(data))[: run.limit]
    manifest = _manifest(data, run.budget, settings)
    own_folder = settings.folder / "eval" / f"longmemeval-{manifest['data_sha256'][:12]}-{run.budget}"
    folder = run.folder or own_folder
    finished = _resume(folder, manifest)
    systems = [OURS, *(BASELINES if run.baselines else ())]
    cache = settings.folder / "eval" / "embeddings.sqlite3"
    with closing(CachedEncoder(cache, settings.embedding_model)) as encoder, progress_bar(console) as progress:
        for question in progress.track(questions, description="LongMemEval"):
            if question.id not in finished or not finished[question.id].has(systems):
                finished[question.id] = await _try(question, settings, encoder, run.budget, systems)
                _append(folder / "finished.jsonl", finished[question.id])
    done = [finished[question.id] for question in questions]
    lines = [json.dumps({"question_id": one.question_id, "hypothesis": one.hypothesis}) for one in done]
    (folder / "hypotheses.jsonl").write_text("\n".join(lines) + "\n")
    samples = [sample for one in done for sample in one.samples if sample.system in systems]
    results = LongMemEvalResults(data=data.name, budget=run.budget, samples=tuple(samples))
    (folder / "summary.json").write_text(results.as_json())
    console.print(f"The run is in {folder}", highlight=False)
    return results


async def _try(
    question: LongMemEvalQuestion, settings: Settings, encoder: CachedEncoder, budget: int, systems: Sequence[str]
) -> Finished:
    """Remember the question's history in a folder of its own and ask."""
    scope = Scope(tenant=_TENANT, user_id="history")
    ask = Ask(scope=scope, question=question.question, budget=budget, asked_at=question.asked_at)
    with tempfile.TemporaryDirectory(prefix="tirtha-longmemeval-") as folder:
        own = settings.model_copy(update={"home": Path(folder), "database_url": None, "max_tail_turns": _EVERY_TURN})
        async with open_service(own, encoder=encoder) as service:
            await _remember(service, scope, question)
            recalled = await service.recall(ask, limit=_EVERY_TURN)
            decision = (await service.ask(ask)).decision
            distilled = await service.context(ask)
            samples = [_ours(question, recalled, distilled.context)]
            turns = await service.memory.history(scope) if len(systems) > 1 else []
    for system in systems[1:]:
        ranked = BASELINES[system](question.question, turns, encoder)
        sessions, context = rank_sessions_of(ranked), pack_whole_turns(ranked, budget)
        samples.append(_sample(question, system, sessions, [turn.id for turn in ranked], context))
    hypothesis = decision.answer
    return Finished(question_id=question.id, hypothesis=hypothesis, samples=tuple(samples))


async def _remember(service: Service, scope: Scope, question: LongMemEvalQuestion) -> None:
    wishes = [Remember(scope=scope, session_id=session.key, turns=session.turns) for session in question.sessions]
    await service.remember_many([wish for wish in wishes if wish.turns])
    while await service.memory.store.count(indexed=False):
        await service.memory.indexer.next_batch()


def _ours(question: LongMemEvalQuestion, recalled: Sequence[Recalled], context: Context) -> LongMemEvalSample:
    pooled: dict[str, list[float]] = defaultdict(list)
    for one in recalled:
        pooled[one.turn.session_id].append(one.best.score)
    strength = {session: sum(scores[:_POOLED_TURNS]) for session, scores in pooled.items()}
    sessions = sorted(strength, key=lambda session: -strength[session])
    return _sample(question, OURS, sessions, [one.turn.id for one in recalled], context)


def _sample(
    question: LongMemEvalQuestion, system: str, sessions: Sequence[str], turns: Sequence[str], context: Context
) -> LongMemEvalSample:
    everything = [session.key for session in question.sessions]
    users = [turn.id for session in question.sessions for turn in session.turns if turn.role == "user" and turn.id]
    named = {line.session_id for line in context.lines} & question.answer_sessions
    return LongMemEvalSample(
        question_id=question.id,
        type=question.type,
        system=system,
        labelled=question.labelled,
        sessions=Ranked(ranking=_whole(sessions, everything), targets=_session_targets(question)).figures(),
        turns=Ranked(ranking=_whole(turns, users), targets=_turn_targets(question)).figures(),
        named=len(named) / len(question.answer_sessions) if question.answer_sessions else None,
        tokens=context.tokens,
    )


def _whole(ranked: Sequence[str], corpus: Sequence[str]) -> tuple[str, ...]:
    """Bring a ranking to the paper's shape: documents of the corpus only, those that were not found at its end."""
    known = set(corpus)
    return tuple(dict.fromkeys([*(document for document in ranked if document in known), *corpus]))


def _session_targets(question: LongMemEvalQuestion) -> dict[str, frozenset[str]]:
    targets = {"all": question.answer_sessions}
    if not question.abstention:
        targets["without abstention"] = question.strict_sessions
        if question.strict_sessions:
            targets["strict"] = question.strict_sessions
    return targets


def _turn_targets(question: LongMemEvalQuestion) -> dict[str, frozenset[str]]:
    return {"strict": question.evidence_turns} if question.evidence_turns and not question.abstention else {}


def _manifest(data: Path, budget: int, settings: Settings) -> dict[str, str]:
    return {
        "data": data.name,
        "data_sha256": sha256(data.read_bytes()).hexdigest(),
        "budget": str(budget),
        "embedding_model": settings.embedding_model or "bundled",
        "code_sha256": _code_sha256(),
    }


def _code_sha256() -> str:
    """Hash what the figures depend on: the code and the models of recall and distillation."""
    folders = [Path(package.__file__).parent for package in (memory, compaction) if package.__file__]
    files = sorted(
        file for folder in folders for file in folder.rglob("*") if file.suffix in {".py", ".xz", ".npz", ".json"}
    )
    return sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def _resume(folder: Path, manifest: dict[str, str]) -> dict[str, Finished]:
    """Read what an earlier run in `folder` finished; a line that a crash cut short is left out. Raises ValueError."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "run.json"
    if file.exists() and json.loads(file.read_text()) != manifest:
        raise ValueError(f"{folder} holds a run of other data or settings ({file}); give --run another folder")
    file.write_text(json.dumps(manifest, indent=1))
    finished = folder / "finished.jsonl"
    lines = finished.read_text().splitlines() if finished.exists() else []
    return {one.question_id: one for line in lines if (one := _read(line)) is not None}


def _read(line: str) -> Finished | None:
    try:
        record = json.loads(line)
    except json.JSONDecodeError:  # empty, or cut short by a crash: that question is asked again
        return None
    samples = tuple(LongMemEvalSample(**sample) for sample in record["samples"])
    return Finished(question_id=record["question_id"], hypothesis=record["hypothesis"], samples=samples)


def _append(file: Path, one: Finished) -> None:
    with file.open("a") as lines:
        lines.write(f"\n{json.dumps(asdict(one))}\n")  # on a line of its own, even after one that a crash cut short
