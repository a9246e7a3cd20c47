"""LongMemEval: are the sessions and turns of the answer found, does the context name them, and is the answer right?

Each question's history is a scope of its own in a folder of its own. Retrieval figures are the paper's
(`eval.harness.ranking_metrics`). Answers come through `/v1/ask` and go into the official hypothesis file; a configured judge
scores them here as well.
"""

import json
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

from pydantic import Field, TypeAdapter

from cascade.errors import CascadeFault
from compaction import Context
from eval.harness.answer_paths import Cached, ask_memory, caller_of, history_scope, remembered
from eval.harness.baselines import RANKINGS, History, pack_whole_turns, rank_sessions_of
from eval.harness.benchmark import Benchmark, Budget, FirstOnly, Options, Sample, Work
from eval.harness.judge import JudgedBy, ToJudge, judge_name, judge_note, judging
from eval.harness.report import Json, Report
from eval.long_context.hidden_facts import configured_models, notes_on_models
from eval.longmemeval.data import LongMemEvalQuestion, read_longmemeval
from eval.longmemeval.report import OURS, Judgement, LongMemEvalResults, LongMemEvalSample, Ranked
from memory import Remember
from tirtha.operations.context import ContextRequest
from tirtha.operations.recall import RecalledTurn, RecallRequest

__all__ = ["LongMemEval", "LongMemEvalOptions"]

_POOLED_TURNS = 3
_EVERY_TURN = 1_000_000


class LongMemEvalOptions(Options):
    """What is asked, and how it is judged."""

    data: Path = Field(description="an official LongMemEval file (JSON, or .xz of it)")
    budget: Budget = 165
    limit: FirstOnly = None
    baselines: bool = Field(default=False, description="also run what anyone can do without us")
    judge: JudgedBy = None
    cached: Cached = False


@dataclass(frozen=True, kw_only=True)
class LongMemEval(Benchmark[LongMemEvalOptions]):
    """The benchmark over an official file; ids are its questions'."""

    @property
    def models(self) -> dict[str, Json]:
        """Who answers, and who judges."""
        return {**configured_models(self.settings), "judge": judge_name(self.settings, self.options.judge)}

    @cached_property
    def _questions(self) -> dict[str, LongMemEvalQuestion]:
        return {one.id: one for one in list(read_longmemeval(self.options.data))[: self.options.limit]}

    def ids(self) -> list[str]:
        """Name the questions. Raises Unusable where the file is not in the official format."""
        return list(self._questions)

    @asynccontextmanager
    async def answering(self, wanted: Sequence[str]) -> AsyncIterator[Work]:  # noqa: ARG002 - each opens a memory of its own
        """Yield a function that remembers a question's history and asks it."""

        async def work(id_: str) -> Sample:
            try:
                return await self._answer(self._questions[id_])
            except CascadeFault as fault:
                return Sample(id=id_, fault=str(fault))

        yield work

    async def _answer(self, question: LongMemEvalQuestion) -> Sample:
        scope = history_scope()
        requests = [Remember(scope=scope, session_id=one.key, turns=one.turns) for one in question.sessions]
        async with remembered(requests, settings=self.settings, encoder=self.encoder) as service:
            caller, user, asked = caller_of(scope), scope.user_id, question.question
            recalled = await service.recall(
                caller, RecallRequest(user_id=user, question=asked, asked_at=question.asked_at, limit=_EVERY_TURN)
            )
            distilled = await service.context(
                caller,
                ContextRequest(user_id=user, question=asked, asked_at=question.asked_at, budget=self.options.budget),
            )
            reply = await ask_memory(
                service, question.question, question.asked_at, budget=self.options.budget, use_cache=self.options.cached
            )
            samples = [_ours(question, recalled, distilled.context)]
            turns = await service.memory.history(scope) if self.options.baselines else []
        history = History(turns, self.encoder)
        for system, rank in RANKINGS.items() if self.options.baselines else ():
            ranked = rank(history, question.question)
            sessions, context = rank_sessions_of(ranked), pack_whole_turns(ranked, self.options.budget)
            samples.append(_sample(question, system, sessions, [turn.id for turn in ranked], context))
        value: dict[str, Json] = {
            "type": question.type,
            "abstention": question.abstention,
            "hypothesis": reply.text,
            "path": reply.path,
            "cached": reply.cached,
            "retrieval": [asdict(sample) for sample in samples],
        }
        return Sample(id=question.id, value=value, cost_nanousd=reply.cost_nanousd)

    def scoring(self, answers: Mapping[str, Sample]) -> AbstractAsyncContextManager[Work] | None:
        """Have the judge read the answers, if there is one."""
        if self.options.judge is None:
            return None
        return judging(
            self.settings, self.options.judge, {id_: self._to_judge(id_, one) for id_, one in answers.items()}
        )

    def _to_judge(self, id_: str, answer: Sample) -> ToJudge:
        question = self._questions[id_]
        reply = str(answer.value.get("hypothesis", ""))
        return ToJudge(type=question.judged_as, question=question.question, answer=question.answer, reply=reply)

    def marks(self, answer: Sample, score: Sample | None) -> dict[str, float]:
        """Return the share of the answer's sessions that the context names, and the judge's word."""
        ours = TypeAdapter(tuple[LongMemEvalSample, ...]).validate_python(answer.value["retrieval"])[0]
        found = {} if ours.named is None else {"sessions named": ours.named}
        return found | ({"judged right": float(bool(score.value["right"]))} if score and not score.fault else {})

    def report(self, answers: Sequence[Sample], scores: Mapping[str, Sample]) -> Report:
        """Report retrieval figures by denominator and type, and judged answers by type; abstention apart, errors apart."""
        done = [one for one in answers if not one.fault]
        read = TypeAdapter(tuple[LongMemEvalSample, ...]).validate_python
        results = LongMemEvalResults(
            data=self.options.data.name,
            budget=self.options.budget,
            samples=tuple(sample for one in done for sample in read(one.value["retrieval"])),
            judged=tuple(
                Judgement(
                    type=str(one.value["type"]),
                    abstention=bool(one.value["abstention"]),
                    right=bool(scores[one.id].value["right"]),
                )
                for one in done
                if one.id in scores and not scores[one.id].fault
            ),
        )
        lines = [json.dumps({"question_id": one.id, "hypothesis": one.value["hypothesis"]}) + "\n" for one in done]
        figures: dict[str, Json] = {
            **results.figures(),
            "errors": len(answers) - len(done),
            "cache_hits": sum(bool(one.value["cached"]) for one in done),
            "cost_nanousd": sum(one.cost_nanousd for one in [*answers, *scores.values()]),
        }
        judge = judge_name(self.settings, self.options.judge)
        return Report(
            title=f"LongMemEval, {self.options.data.name}",
            figures=figures,
            tables=list(results.tables()),
            notes=[*notes_on_models(configured_models(self.settings)), *judge_note(judge)],
            files={"hypotheses.jsonl": "".join(lines)},
        )


def _ours(question: LongMemEvalQuestion, recalled: Sequence[RecalledTurn], context: Context) -> LongMemEvalSample:
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
