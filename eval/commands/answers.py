"""Benchmarks of memory that run in run folders: LongMemEval, answers of LoCoMo and REALTALK, needles, context rot, faithfulness."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from eval.answers.benchmark import SetAnswers
from eval.answers.systems import CASCADE, SYSTEMS
from eval.commands.options import (
    AtOnce,
    EvalBudget,
    Haystack,
    Judge,
    Lengths,
    MaxCost,
    Pristine,
    RawWindow,
    RunFolder,
    app,
    ids_in,
    numbers,
    run_in_folder,
    with_encoder,
)
from eval.evidence.sets import SetName
from eval.faithfulness.benchmark import Faithfulness
from eval.locomo.policy_ablation import PolicyAblation
from eval.long_context.context_rot import ContextRot
from eval.long_context.needles import Needles
from eval.long_context.ruler import Ruler
from eval.long_context.ruler_tasks import TASKS
from eval.longmemeval.benchmark import LongMemEval
from memory.encoding.encoder import Encoder
from tirtha.cli.running import out
from tirtha.settings import Settings

__all__: list[str] = []

_LENGTHS = "1000,10000,100000,1000000"
_WINDOW = 131_072
_OfEach = Annotated[int | None, typer.Option("--limit", min=1, help="questions of each conversation")]
_LabelErrors = Annotated[
    Path | None, typer.Option("--exclude", help="ids of label errors, one a line; both figures are shown")
]
_Systems = Annotated[
    str, typer.Option("--systems", help=f"what answers, separated by commas, or all: {', '.join(SYSTEMS)}")
]
_StuffedTokens = Annotated[
    int, typer.Option("--stuffed-tokens", min=1, help="of the history in the prompt of the system `stuffed`")
]
_HourUsd = Annotated[
    float | None, typer.Option("--hour-usd", min=0, help="US dollars an hour of the machine that the models run on")
]


@app.command("longmemeval")
def eval_longmemeval(
    *,
    data: Annotated[Path, typer.Option(help="an official LongMemEval file (JSON, or .xz of it)")],
    budget: EvalBudget = 165,
    limit: Annotated[int | None, typer.Option(min=1, help="only the first questions")] = None,
    baselines: Annotated[bool, typer.Option("--baselines", help="also run what anyone can do without us")] = False,
    judge: Judge = None,
    pristine: Pristine = True,
    folder: RunFolder = None,
    max_cost: MaxCost = None,
    at_once: AtOnce = 1,
) -> None:
    """Measure retrieval and answers on LongMemEval as its paper does, and write the official hypothesis file."""
    run_in_folder(
        lambda settings, encoder: LongMemEval(
            settings=settings, encoder=encoder, file=data, budget=budget, limit=limit, baselines=baselines, judge=judge,
            pristine=pristine,
        ),
        folder=folder, max_cost=max_cost, at_once=at_once,
    )  # fmt: skip


@app.command("locomo-qa")
def eval_locomo_answers(
    *,
    data: Annotated[Path, typer.Option(help="a LoCoMo file, such as locomo10.json")],
    budget: EvalBudget = 165,
    limit: _OfEach = None,
    exclude: _LabelErrors = None,
    systems: _Systems = CASCADE,
    stuffed_tokens: _StuffedTokens = 2_000,
    hour_usd: _HourUsd = None,
    judge: Judge = None,
    pristine: Pristine = True,
    folder: RunFolder = None,
    max_cost: MaxCost = None,
    at_once: AtOnce = 1,
) -> None:
    """Answer LoCoMo's questions: token F1 as its paper defines it, category 5 by abstention; what verified answers are worth."""
    given = {"stuffed_tokens": stuffed_tokens, "hour_usd": hour_usd, "judge": judge, "pristine": pristine}
    make = _set_answers("locomo", data, systems, exclude, budget=budget, limit=limit, **given)
    run_in_folder(make, folder=folder, max_cost=max_cost, at_once=at_once)


@app.command("realtalk-qa")
def eval_realtalk_answers(
    *,
    data: Annotated[Path, typer.Option(help="a folder of REALTALK's chats")],
    budget: EvalBudget = 165,
    limit: _OfEach = None,
    exclude: _LabelErrors = None,
    systems: _Systems = CASCADE,
    stuffed_tokens: _StuffedTokens = 2_000,
    hour_usd: _HourUsd = None,
    judge: Judge = None,
    pristine: Pristine = True,
    folder: RunFolder = None,
    max_cost: MaxCost = None,
    at_once: AtOnce = 1,
) -> None:
    """Answer the questions about REALTALK's chats in the same way."""
    given = {"stuffed_tokens": stuffed_tokens, "hour_usd": hour_usd, "judge": judge, "pristine": pristine}
    make = _set_answers("realtalk", data, systems, exclude, budget=budget, limit=limit, **given)
    run_in_folder(make, folder=folder, max_cost=max_cost, at_once=at_once)


def _set_answers(
    name: SetName, data: Path, systems: str, exclude: Path | None, **given: Any
) -> Callable[[Settings, Encoder], SetAnswers]:
    """Return what makes the benchmark over a set; `given` are further fields of it."""
    ids = ids_in(exclude)
    chosen = tuple(SYSTEMS) if systems == "all" else tuple(systems.split(","))

    def make(settings: Settings, encoder: Encoder) -> SetAnswers:
        return SetAnswers(
            settings=settings, encoder=encoder, set=name, path=data, exclude=ids, systems=chosen, **given
        )  # fmt: skip

    return make


@app.command("ablation")
def eval_ablation(
    *,
    data: Annotated[Path, typer.Option(help="a LoCoMo file, such as locomo10.json")],
    budget: EvalBudget = 165,
    limit: Annotated[int | None, typer.Option(min=1, help="questions of each conversation")] = None,
    folder: RunFolder = None,
    max_cost: MaxCost = None,
) -> None:
    """Switch verification, guards, repair, widening and the cache off, one at a time: what each is worth in answers and in cost."""
    run_in_folder(
        lambda settings, encoder: PolicyAblation(
            settings=settings, encoder=encoder, file=data, budget=budget, limit=limit
        ),
        folder=folder,
        max_cost=max_cost,
    )


@app.command("niah")
def eval_niah(
    *,
    lengths: Lengths = _LENGTHS,
    hops: Annotated[str, typer.Option(help="facts from question to answer, separated by commas")] = "1,2,3,4",
    budget: EvalBudget = 165,
    seed: Annotated[int, typer.Option(help="of needles and text")] = 1,
    haystack: Haystack = None,
    raw_window: RawWindow = _WINDOW,
    folder: RunFolder = None,
    max_cost: MaxCost = None,
) -> None:
    """Find needles, alone and in chains, at every depth of histories up to a million tokens; raw prompts beside it."""
    run_in_folder(
        lambda settings, encoder: Needles(
            settings=settings, encoder=encoder, lengths=numbers(lengths), hops=numbers(hops), budget=budget, seed=seed,
            haystack=haystack, raw_window=raw_window,
        ),
        folder=folder, max_cost=max_cost,
    )  # fmt: skip


@app.command("rot")
def eval_rot(
    *,
    lengths: Lengths = _LENGTHS,
    budget: EvalBudget = 165,
    seed: Annotated[int, typer.Option(help="of the text around the conversation")] = 1,
    haystack: Haystack = None,
    raw_window: RawWindow = _WINDOW,
    folder: RunFolder = None,
    max_cost: MaxCost = None,
) -> None:
    """Ask the same questions while the history around them grows to a million tokens; raw prompts beside it."""
    run_in_folder(
        lambda settings, encoder: ContextRot(
            settings=settings, encoder=encoder, lengths=numbers(lengths), budget=budget, seed=seed, haystack=haystack,
            raw_window=raw_window,
        ),
        folder=folder, max_cost=max_cost,
    )  # fmt: skip


@app.command("ruler")
def eval_ruler(
    *,
    lengths: Lengths = "4096,8192,16384",
    tasks: Annotated[str | None, typer.Option(help="separated by commas; default: all that need no file")] = None,
    samples: Annotated[int, typer.Option(min=1, help="of each task and length")] = 5,
    squad: Annotated[Path | None, typer.Option(help="a SQuAD file, for qa_1")] = None,
    hotpot: Annotated[Path | None, typer.Option(help="a HotpotQA file, for qa_2")] = None,
    official: Annotated[
        list[str] | None, typer.Option(help="TASK=FILE: run official data (jsonl) instead of ours")
    ] = None,
    export: Annotated[Path | None, typer.Option(help="only write our data there, in the official format")] = None,
    budget: EvalBudget = 165,
    seed: Annotated[int, typer.Option(help="of the tasks")] = 1,
    raw_window: RawWindow = _WINDOW,
    folder: RunFolder = None,
    max_cost: MaxCost = None,
) -> None:
    """Run RULER's tasks, made by us or official, by memory and by raw prompt, with the official metric."""
    given = {task: file for task, file in (("qa_1", squad), ("qa_2", hotpot)) if file}
    files = {task: Path(file) for task, _, file in (one.partition("=") for one in official or ())}
    chosen = tuple(tasks.split(",")) if tasks else (*(() if files else TASKS), *given)

    def make(settings: Settings, encoder: Encoder) -> Ruler:
        return Ruler(
            settings=settings, encoder=encoder, tasks=chosen, lengths=numbers(lengths), samples=samples, budget=budget,
            seed=seed, raw_window=raw_window, given=given, official=files,
        )  # fmt: skip

    if export:
        for file in with_encoder(make).export(export):
            out.print(str(file), highlight=False, soft_wrap=True)
        return
    run_in_folder(make, folder=folder, max_cost=max_cost)


@app.command("faithfulness")
def eval_faithfulness(
    *,
    data: Annotated[Path, typer.Option(help="a LoCoMo file, RAGTruth's response.jsonl, or HaluEval's qa_data.json")],
    source: Annotated[Literal["locomo", "ragtruth", "halueval"], typer.Option(help="the file's format")] = "locomo",
    limit: Annotated[int | None, typer.Option(min=1, help="only the first answers")] = None,
    seed: Annotated[int, typer.Option(help="of what is changed in LoCoMo's answers")] = 1,
    folder: RunFolder = None,
) -> None:
    """Measure the guards as detectors of unfaithful answers: numbers, dates, names and negations changed. No model is asked."""
    run_in_folder(
        lambda settings, encoder: Faithfulness(
            settings=settings, encoder=encoder, source=source, file=data, limit=limit, seed=seed
        ),
        folder=folder,
    )
