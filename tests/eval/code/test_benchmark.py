"""HumanEval+ and MBPP+: programs of the tiers, given samples, no peeking at hidden inputs."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from eval.code.benchmark import CodeBenchmark, CodeOptions, read_samples
from eval.code.data import read_hidden, read_problems
from eval.errors import Unusable
from eval.harness.hidden_files import Peeked
from eval.harness.runs import RunOptions, answers_of, run_benchmark, scores_of
from memory.encoding.encoder import Encoder
from tests.support.chat_server import Reply, chat_server, says
from tirtha.settings import Settings, TierSettings

pytestmark = pytest.mark.slow

QUIET = Console(file=io.StringIO())
RIGHT = "def halve(x):\n    return x / 2\n"


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
        benchmark = CodeBenchmark(options=CodeOptions(set="humaneval", hidden=hidden), settings=own, encoder=encoder)
        run = await run_benchmark("humaneval", benchmark, options=RunOptions(at_once=2), console=QUIET)
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
    hidden: Path, settings: Settings, tmp_path: Path, encoder: Encoder
) -> None:
    samples = tmp_path / "samples.jsonl"
    samples.write_text(json.dumps({"task_id": "HumanEval/0", "completion": "    return x / 2\n"}) + "\n")
    benchmark = CodeBenchmark(
        options=CodeOptions(set="humaneval", hidden=hidden, samples=samples), settings=settings, encoder=encoder
    )
    run = await run_benchmark("humaneval", benchmark, options=RunOptions(), console=QUIET)
    assert (run.report.figures["n"], run.report.figures["plus"], run.report.figures["errors"]) == (1, 1, 1)
    assert answers_of(run.folder)["HumanEval/1"].fault
    assert scores_of(run.folder)["HumanEval/0"].value["plus"] is True
    samples.write_text("{}\n")
    with pytest.raises(Unusable, match="line 1"):
        read_samples(samples, read_problems(hidden))


async def test_reading_the_hidden_file_while_answers_are_made_ends_the_run(
    hidden: Path, settings: Settings, tmp_path: Path, encoder: Encoder
) -> None:
    samples = tmp_path / "samples.jsonl"
    samples.write_text(json.dumps({"task_id": "HumanEval/0", "solution": RIGHT}) + "\n")
    benchmark = CodeBenchmark(
        options=CodeOptions(set="humaneval", hidden=hidden, samples=samples), settings=settings, encoder=encoder
    )
    with pytest.raises(Peeked):
        async with benchmark.answering(benchmark.ids()):
            read_hidden(hidden)


async def test_a_missing_model_is_reported_at_once(hidden: Path, settings: Settings, encoder: Encoder) -> None:
    benchmark = CodeBenchmark(options=CodeOptions(set="humaneval", hidden=hidden), settings=settings, encoder=encoder)
    with pytest.raises(Unusable, match="TIRTHA_LOCAL_URL"):
        await run_benchmark("humaneval", benchmark, options=RunOptions(), console=QUIET)
