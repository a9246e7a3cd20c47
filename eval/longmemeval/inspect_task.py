"""LongMemEval as a task of inspect-ai, answered by a served Tirtha.

`inspect eval eval/longmemeval/inspect_task.py@longmemeval --model none -T file=longmemeval_s_cleaned.json`, beside `tirtha
serve`. Needs `pip install 'tirtha[inspect]'`. The answer's sessions are looked for in the context without any model; answers
are scored by token F1, or by a judge of inspect's (`-T judge=openai/gpt-4o-2024-08-06`) with the prompts of
`eval.harness.judge`: an unofficial judge, whatever its model. What inspect counts as its own tokens is the judge's only.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ModelOutput, get_model
from inspect_ai.scorer import Score, Target, grouped, mean, scorer, stderr
from inspect_ai.solver import Generate, TaskState, solver

from cascade.reading import read_verdict
from eval.answers.scoring import token_f1
from eval.harness.judge import ToJudge, judge_prompt
from eval.longmemeval.data import LongMemEvalQuestion, read_longmemeval
from eval.longmemeval.served import ask_served

__all__ = ["longmemeval"]

Questions = Mapping[str, LongMemEvalQuestion]


@task
def longmemeval(
    file: str, base_url: str = "http://127.0.0.1:8765", budget: int = 165, judge: str | None = None
) -> Task:
    """Ask the questions of an official file. Raises Unusable where it is not in the official format, OSError."""
    questions = {one.id: one for one in read_longmemeval(Path(file))}
    samples = [
        Sample(id=id_, input=one.question, target=one.answer, metadata={"type": one.judged_as})
        for id_, one in questions.items()
    ]
    return Task(
        dataset=MemoryDataset(samples, name=Path(file).name),
        solver=tirtha(questions, base_url, budget),
        scorer=[sessions_named(questions), judged(questions, judge) if judge else answer_f1(questions)],
    )


@solver
def tirtha(questions: Questions, base_url: str, budget: int) -> Any:  # noqa: ANN401 - inspect's own types follow no names
    """Have the server remember the question's history and answer."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:  # noqa: ARG001 - the server generates
        served = await ask_served(questions[str(state.sample_id)], base_url=base_url, budget=budget)
        state.output = ModelOutput.from_content(model=served.model or served.path, content=served.answer)
        state.metadata |= {
            "abstained": served.abstained, "sessions": sorted(served.sessions), "context_tokens": served.tokens,
            "path": served.path, "cost_usd": served.cost_usd, "decision_id": served.decision_id,
        }  # fmt: skip
        return state

    return solve


_METRICS = [mean(), stderr(), grouped(mean(), "type")]


@scorer(metrics=_METRICS)
def sessions_named(questions: Questions) -> Any:  # noqa: ANN401
    """Score the share of the answer's sessions that the context names; abstention questions have none to name."""

    async def score(state: TaskState, target: Target) -> Score:  # noqa: ARG001 - sessions are the target
        question = questions[str(state.sample_id)]
        if question.abstention or not question.answer_sessions:
            return Score.unscored(explanation="no session holds the answer")
        named = question.answer_sessions & set(state.metadata["sessions"])
        return Score(value=len(named) / len(question.answer_sessions))

    return score


@scorer(metrics=_METRICS)
def answer_f1(questions: Questions) -> Any:  # noqa: ANN401
    """Score the token F1 of the answer; 1 or 0 for abstaining where the history holds none."""

    async def score(state: TaskState, target: Target) -> Score:
        if questions[str(state.sample_id)].abstention:
            return Score(value=float(state.metadata["abstained"]))
        return Score(value=token_f1(target.text, state.output.completion), answer=state.output.completion)

    return score


@scorer(metrics=_METRICS)
def judged(questions: Questions, judge: str) -> Any:  # noqa: ANN401
    """Ask the judge whether the answer is right, in words of ours by the type of the question."""

    async def score(state: TaskState, target: Target) -> Score:
        question = questions[str(state.sample_id)]
        reply = state.output.completion
        prompt = judge_prompt(
            ToJudge(type=question.judged_as, question=question.question, answer=target.text, reply=reply)
        )
        said = (await get_model(judge).generate(prompt)).completion
        verdict = read_verdict(said)
        if verdict is None:
            return Score.unscored(explanation=f"the judge said neither yes nor no: {said}")
        return Score(value=float(verdict == "yes"), answer=reply, explanation=said)

    return score
