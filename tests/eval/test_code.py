"""HumanEval+ and MBPP+: what solvers see, what scores, and that scores agree with evalplus and cannot be gamed."""

import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from cascade.errors import SandboxUnavailable
from cascade.sandbox import find_level
from eval.code_benchmark import CodeBenchmark, read_samples
from eval.code_data import read_hidden, read_problems
from eval.code_scoring import Scorer
from eval.exploits import EXPLOITS, exploit
from eval.mbpp_rules import accepts, with_types
from eval.mutants import mutants
from eval.preflight import Preflight
from eval.runs import Options, answers_of, run_benchmark, scores_of
from eval.sealing import Peeked
from memory.encoder import Encoder
from tests.support.chat_server import Reply, chat_server, says
from tirtha.settings import Settings, TierSettings

QUIET = Console(file=io.StringIO())
RIGHT = "def halve(x):\n    return x / 2\n"
ROW = {
    "task_id": "HumanEval/0",
    "prompt": "def halve(x):\n    '''Halve x.'''\n",
    "entry_point": "halve",
    "canonical_solution": "    return x / 2\n",
    "test": "def check(candidate):\n    assert candidate(4) == 2\n",
    "base_input": [[4], [2]],
    "plus_input": [[5], [-3]],
    "atol": 0,
}


@pytest.fixture
def hidden(tmp_path: Path) -> Path:
    file = tmp_path / "HumanEvalPlus.jsonl.gz"
    with gzip.open(file, "wt") as lines:
        lines.write(
            json.dumps(ROW) + "\n" + json.dumps(ROW | {"task_id": "HumanEval/1", "entry_point": "halve"}) + "\n"
        )
    return file


@pytest.fixture
async def scorer() -> Scorer:
    try:
        return Scorer(await find_level())
    except SandboxUnavailable as fault:
        pytest.skip(str(fault))


def test_solvers_see_no_hidden_input_and_no_solution(hidden: Path) -> None:
    problem = read_problems(hidden)["HumanEval/0"]
    assert set(problem.__slots__) == {"id", "prompt", "entry_point", "public_tests", "base_tests"}
    assert "return" not in problem.prompt
    assert read_hidden(hidden)["HumanEval/0"].canonical_solution.startswith(problem.prompt)


@pytest.mark.usefixtures("scorer")
async def test_programs_of_the_tiers_pass_the_gate_and_are_scored_on_what_they_never_saw(
    hidden: Path, settings: Settings, encoder: Encoder
) -> None:
    def model(request: dict[str, Any]) -> Reply:
        return says(f"```python\ndef halve(x):\n    return x // 2\n```")  # noqa: F541 - right on base inputs only

    with chat_server() as server:
        server.script = model
        tier = TierSettings(url=server.url, model="scripted", input_usd_per_mtok=1, output_usd_per_mtok=1)
        own = settings.model_copy(update={"local": tier})
        benchmark = CodeBenchmark(settings=own, encoder=encoder, name="humaneval", hidden=hidden)
        run = await run_benchmark(benchmark, settings=own, options=Options(at_once=2), console=QUIET)
    figures = run.report.figures
    assert (figures["n"], figures["base"], figures["plus"], figures["cache_hits"]) == (2, 2, 0, 0)
    assert int(str(figures["cost_nanousd"])) > 0
    prompts = " ".join(message["content"] for request in server.requests for message in request["messages"])
    assert "candidate(4) == 2" in prompts or "Halve x" in prompts
    assert "-3" not in prompts, "a plus input"
    lines = [json.loads(line) for line in (run.folder / "humaneval_samples.jsonl").read_text().splitlines()]
    assert [set(line) for line in lines] == [{"task_id", "solution"}] * 2


@pytest.mark.usefixtures("scorer")
async def test_given_samples_are_scored_and_missing_ones_are_errors(
    hidden: Path, settings: Settings, tmp_path: Path
) -> None:
    samples = tmp_path / "samples.jsonl"
    samples.write_text(json.dumps({"task_id": "HumanEval/0", "completion": "    return x / 2\n"}) + "\n")
    benchmark = CodeBenchmark(settings=settings, encoder=None, name="humaneval", hidden=hidden, samples=samples)
    run = await run_benchmark(benchmark, settings=settings, options=Options(), console=QUIET)
    assert (run.report.figures["n"], run.report.figures["plus"], run.report.figures["errors"]) == (1, 1, 1)
    assert answers_of(run.folder)["HumanEval/1"].fault
    assert scores_of(run.folder)["HumanEval/0"].value["plus"] is True
    samples.write_text("{}\n")
    with pytest.raises(ValueError, match="line 1"):
        read_samples(samples, read_problems(hidden))


async def test_reading_the_hidden_file_while_answers_are_made_ends_the_run(
    hidden: Path, settings: Settings, tmp_path: Path
) -> None:
    samples = tmp_path / "samples.jsonl"
    samples.write_text(json.dumps({"task_id": "HumanEval/0", "solution": RIGHT}) + "\n")
    benchmark = CodeBenchmark(settings=settings, encoder=None, name="humaneval", hidden=hidden, samples=samples)
    with pytest.raises(Peeked):
        async with benchmark.answering(benchmark.ids()):
            read_hidden(hidden)


async def test_nobody_to_write_programs_is_told_at_once(hidden: Path, settings: Settings, encoder: Encoder) -> None:
    benchmark = CodeBenchmark(settings=settings, encoder=encoder, name="humaneval", hidden=hidden)
    with pytest.raises(ValueError, match="TIRTHA_LOCAL_URL"):
        await run_benchmark(benchmark, settings=settings, options=Options(), console=QUIET)


@pytest.mark.parametrize("name", EXPLOITS)
async def test_no_exploit_passes(scorer: Scorer, hidden: Path, name: str) -> None:
    found = await scorer.score(exploit(name, "halve"), read_hidden(hidden)["HumanEval/0"])
    assert (found.base, found.plus) == (False, False)


@pytest.mark.usefixtures("scorer")
async def test_verdicts_are_those_of_evalplus(shared_data: Path, settings: Settings) -> None:
    """A tenth of the tasks keeps it short; `tirtha eval preflight` does all of them."""
    benchmark = Preflight(hidden=shared_data / "HumanEvalPlus.jsonl.gz", per_task=2, limit=16)
    run = await run_benchmark(benchmark, settings=settings, options=Options(at_once=2), console=QUIET)
    assert run.report.figures["not_as_wanted"] == []
    counts: Any = run.report.figures
    assert counts["canonical"] == {"n": 16, "base": 16, "plus": 16, "agrees": 16}
    assert counts["mutant"]["n"] >= 30
    assert counts["exploit"]["base"] == 0


def test_mutants_are_different_deterministic_and_as_many_as_asked() -> None:
    program = "def f(x):\n    if x > 3 and x != 5:\n        return x + 1\n    return [i for i in range(x)]\n"
    made = mutants(program, limit=5)
    assert made == mutants(program, limit=5)
    assert len(set(made)) == 5
    assert all(one != program for one in made)
    assert any("x >= 3" in one for one in mutants(program, limit=100))


@pytest.mark.parametrize(
    ("task", "given", "typed"),
    [
        ("Mbpp/2", [[1, 2], [3]], ((1, 2), (3,))),
        ("Mbpp/63", [[[1, 2]]], ([(1, 2)],)),
        ("Mbpp/124", ["0", "1j"], (0.0, 1j)),
        ("Mbpp/580", [[1, [2]]], ((1, (2,)),)),
        ("Mbpp/3", [7], (7,)),
    ],
)
def test_types_that_json_lost_come_back(task: str, given: list[Any], typed: tuple[Any, ...]) -> None:
    assert with_types(task, given) == typed


def test_tasks_with_rules_of_their_own() -> None:
    assert accepts("Diff", [], [1, 2], [2, 1, 1]) is True
    assert accepts("Diff", [], [1, 2], [1]) is False
    assert accepts("check_str", [], True, "a match") is True
    assert accepts("check_str", [], True, None) is False
    assert accepts("digit_distance_nums", [23, 56], 0, 6) is True
    assert accepts("halve", [], 1, 2) is None
