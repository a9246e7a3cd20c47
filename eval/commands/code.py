"""Benchmarks of code: HumanEval+ and MBPP+, leak-proof, and whether their scorer is right; SWE-bench."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from eval.code.benchmark import CodeBenchmark
from eval.code.preflight import Preflight
from eval.commands.options import AtOnce, MaxCost, RunFolder, app, run_in_folder
from eval.swe_bench.benchmark import SweBench
from eval.swe_bench.harness import missing, run_harness
from tirtha.cli.running import err, give_up, out

__all__: list[str] = []

Gate = Annotated[
    Literal["public", "base"], typer.Option(help="tests that a draft must pass: the prompt's, or the base ones")
]
Samples = Annotated[
    Path | None, typer.Option(help="score these answers (evalplus's format) instead of asking the configured tiers")
]
Limit = Annotated[int | None, typer.Option(min=1, help="only the first tasks")]


@app.command("humaneval")
def eval_humaneval(
    *,
    hidden: Annotated[
        Path, typer.Option(help="HumanEvalPlus.jsonl.gz: its plus inputs score, once answers are sealed")
    ],
    problems: Annotated[
        Path | None, typer.Option(help="HumanEval.jsonl.gz; default: the plus file without its inputs")
    ] = None,
    public_tests: Annotated[Path | None, typer.Option(help="JSON: assertions by task, for --gate public")] = None,
    samples: Samples = None,
    gate: Gate = "base",
    limit: Limit = None,
    folder: RunFolder = None,
    max_cost: MaxCost = None,
    at_once: AtOnce = 2,
) -> None:
    """Write HumanEval's programs through the cascade, or take given ones, and score them on HumanEval+'s hidden inputs."""
    run_in_folder(
        lambda settings, encoder: CodeBenchmark(
            settings=settings, encoder=encoder, name="humaneval", hidden=hidden, problems=problems,
            public_tests=public_tests, samples=samples, gate=gate, limit=limit,
        ),
        folder=folder, max_cost=max_cost, at_once=at_once,
    )  # fmt: skip


@app.command("mbpp")
def eval_mbpp(
    *,
    hidden: Annotated[Path, typer.Option(help="MbppPlus.jsonl.gz")],
    samples: Samples = None,
    gate: Gate = "base",
    limit: Limit = None,
    folder: RunFolder = None,
    max_cost: MaxCost = None,
    at_once: AtOnce = 2,
) -> None:
    """Do the same on MBPP+."""
    run_in_folder(
        lambda settings, encoder: CodeBenchmark(
            settings=settings, encoder=encoder, name="mbpp", hidden=hidden, samples=samples, gate=gate, limit=limit
        ),
        folder=folder,
        max_cost=max_cost,
        at_once=at_once,
    )


@app.command("preflight")
def eval_preflight(
    *,
    hidden: Annotated[Path, typer.Option(help="HumanEvalPlus.jsonl.gz or MbppPlus.jsonl.gz")],
    mutants: Annotated[int, typer.Option(min=0, max=5, help="wrong programs of each task")] = 5,
    limit: Limit = None,
    folder: RunFolder = None,
    at_once: AtOnce = 2,
) -> None:
    """Check the scorer: canonical solutions pass, exploits do not, wrong programs get evalplus's own verdicts."""
    run_in_folder(lambda *_: Preflight(hidden=hidden, per_task=mutants, limit=limit), folder=folder, at_once=at_once)


@app.command("swe-bench")
def eval_swe_bench(
    *,
    data: Annotated[Path, typer.Option(help="SWE-bench instances (JSON lines)")],
    repos: Annotated[
        Path | None, typer.Option(help="a folder of git checkouts, owner__name, to try patches on")
    ] = None,
    limit: Limit = None,
    folder: RunFolder = None,
    max_cost: MaxCost = None,
    at_once: AtOnce = 2,
) -> None:
    """Write patches in SWE-bench's official format through the tiers, and check that they apply; the harness alone scores them."""
    run_in_folder(
        lambda settings, _: SweBench(settings=settings, file=data, repos=repos, limit=limit),
        folder=folder,
        max_cost=max_cost,
        at_once=at_once,
    )


@app.command("swe-harness")
def eval_swe_harness(
    predictions: Annotated[
        Path | None, typer.Argument(help="predictions to score; none: only say what is missing")
    ] = None,
    *,
    python: Annotated[Path, typer.Option(help="the python of an environment with swebench")] = Path(
        "swebench/bin/python"
    ),
    dataset: Annotated[str, typer.Option(help="as the harness calls it")] = "princeton-nlp/SWE-bench_Verified",
    workers: Annotated[int, typer.Option(min=1, help="images at a time")] = 4,
) -> None:
    """Score predictions with the official harness, after a gold patch has resolved; or say what it lacks here."""
    lacking = missing(python, folder=Path.cwd())
    for one in lacking:
        err.print(f"missing: {one}", markup=False, soft_wrap=True)
    if lacking:
        err.print("Not run: there is no score.")
        raise typer.Exit(1)
    if predictions is None:
        out.print("The harness can run here.")
        return
    try:
        found = run_harness(python, predictions, dataset=dataset, folder=Path.cwd(), workers=workers)
    except (ValueError, OSError) as fault:
        give_up(fault)
    out.print(f"resolved {found.resolved} of {found.n}: {found.report}", soft_wrap=True)
