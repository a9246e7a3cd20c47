"""The runner: run folders, resuming after kill -9, costs, seals, reports from rows alone."""

import io
import json
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from eval.errors import Unusable
from eval.harness.benchmark import Benchmark, Options, Sample, Work
from eval.harness.hidden_files import Peeked, closed
from eval.harness.report import Json, Report, Table
from eval.harness.runs import CostReached, RunOptions, answers_of, run_benchmark, write_report
from memory.encoding.encoder import Encoder
from tests.support.command import tirtha_here
from tests.support.server import COMMAND, environment
from tirtha.settings import Settings, TierSettings

QUIET = Console(file=io.StringIO())


class CountingOptions(Options):
    label: str = "plain"
    peeks_at: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Counting(Benchmark[CountingOptions]):
    """A benchmark of ten numbers; those in `broken` fail, each costs a tenth of a dollar."""

    broken: set[str] = field(default_factory=set)
    text: str = ""

    def ids(self) -> list[str]:
        return [str(number) for number in range(10)]

    @asynccontextmanager
    async def answering(self, wanted: Sequence[str]) -> AsyncIterator[Work]:
        async def work(id_: str) -> Sample:
            if id_ in self.broken:
                return Sample(id=id_, fault="it broke")
            if self.options.peeks_at:
                self.options.peeks_at.read_text()
            return Sample(id=id_, value={"number": int(id_), "text": self.text}, cost_nanousd=100_000_000)

        with closed(self.options.files()):
            yield work

    def marks(self, answer: Sample, score: Sample | None) -> dict[str, float]:
        return {"number": float(str(answer.value["number"]))}

    def report(self, answers: Sequence[Sample], scores: Mapping[str, Sample]) -> Report:
        done = [one for one in answers if not one.fault]
        table = Table("n", "errors", title="Counted")
        table.add_row(str(len(done)), str(len(answers) - len(done)))
        total = sum(int(str(one.value["number"])) for one in done)
        figures: dict[str, Json] = {"n": len(done), "errors": len(answers) - len(done), "total": total}
        return Report(title="Counting", figures=figures, tables=[table], files={"extra.txt": "official"})


@pytest.fixture
def counting(settings: Settings, encoder: Encoder) -> Counting:
    return Counting(options=CountingOptions(), settings=settings, encoder=encoder)


async def run(benchmark: Counting, **how: Any) -> Path:
    return (await run_benchmark("counting", benchmark, options=RunOptions(**how), console=QUIET)).folder


async def test_a_run_folder_says_everything(counting: Counting) -> None:
    folder = await run(counting)
    assert {file.name for file in folder.iterdir()} == {
        "manifest.json", "samples.jsonl", "seal.json", "summary.json", "report.md", "report.html", "extra.txt",
    }  # fmt: skip
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["benchmark"] == "counting"
    assert {"version", "commit", "dirty", "sha256"} == set(manifest["code"])
    assert manifest["machine"]["cpus"] >= 1
    assert "prompts_sha256" in manifest
    assert folder.name.split("_")[1] == "counting"
    assert json.loads((folder / "summary.json").read_text())["figures"] == {"n": 10, "errors": 0, "total": 45}
    assert "| 10 | 0 |" in (folder / "report.md").read_text()


async def test_errors_are_no_wrong_answers_and_are_tried_again(counting: Counting, tmp_path: Path) -> None:
    folder = await run(replace(counting, broken={"3", "4"}), folder=tmp_path / "run")
    assert json.loads((folder / "summary.json").read_text())["figures"] == {"n": 8, "errors": 2, "total": 38}
    await run(counting, folder=folder)
    assert json.loads((folder / "summary.json").read_text())["figures"] == {"n": 10, "errors": 0, "total": 45}


async def test_nothing_is_begun_once_the_money_is_spent_and_the_run_goes_on_with_more(counting: Counting) -> None:
    with pytest.raises(CostReached) as stopped:
        await run(counting, max_cost_usd=0.35)
    assert len(answers_of(stopped.value.folder)) == 4, "0.3 was still below it"
    assert not (stopped.value.folder / "summary.json").exists()
    folder = await run(counting, at_once=3)
    assert folder == stopped.value.folder, "the unfinished run of the same config is found"
    assert json.loads((folder / "summary.json").read_text())["figures"]["total"] == 45


async def test_any_text_survives_its_row(counting: Counting) -> None:
    odd = "a\u2028b\x85c\ud800 \x1c"
    folder = await run(replace(counting, text=odd))
    assert {one.value["text"] for one in answers_of(folder).values()} == {odd}
    assert len(answers_of(folder)) == 10


async def test_another_model_is_another_run(counting: Counting, settings: Settings, tmp_path: Path) -> None:
    folder = await run(counting, folder=tmp_path / "run")
    tier = TierSettings(url="http://127.0.0.1:1/v1", model="m", input_usd_per_mtok=1, output_usd_per_mtok=1)
    with pytest.raises(Unusable, match="another benchmark"):
        await run(replace(counting, settings=settings.model_copy(update={"local": tier})), folder=folder)


async def test_another_config_is_refused_and_a_finished_run_is_not_touched(
    counting: Counting, settings: Settings
) -> None:
    folder = await run(counting)
    with pytest.raises(Unusable, match="another benchmark, config"):
        await run(replace(counting, options=CountingOptions(label="other")), folder=folder)
    (settings.folder / "full").mkdir()
    (settings.folder / "full" / "file").touch()
    with pytest.raises(Unusable, match="is not empty"):
        await run(counting, folder=settings.folder / "full")


async def test_a_report_follows_from_the_rows_and_changed_answers_are_seen(counting: Counting) -> None:
    folder = await run(counting)
    summary = (folder / "summary.json").read_text()
    (folder / "summary.json").unlink()
    write_report(counting, folder)
    assert (folder / "summary.json").read_text() == summary
    samples = folder / "samples.jsonl"
    samples.write_text(samples.read_text().replace('"number": 7', '"number": 8', 1))
    with pytest.raises(Unusable, match="not what was sealed"):
        write_report(counting, folder)


async def test_a_run_that_peeks_is_caught_even_if_it_hides_the_error(counting: Counting, tmp_path: Path) -> None:
    hidden = tmp_path / "hidden.jsonl"
    hidden.write_text("secret")
    with pytest.raises(Peeked):
        await run(replace(counting, options=CountingOptions(peeks_at=hidden)))
    assert hidden.read_text() == "secret", "it is open again"


@pytest.mark.slow
def test_kill_9_halfway_ends_with_the_same_summary(tmp_path: Path) -> None:
    unbroken, broken = tmp_path / "unbroken", tmp_path / "broken"
    home, command = tmp_path / "home", ["eval", "niah", "--lengths", "1000", "--hops", "1,2", "--run"]
    assert tirtha_here(home, *command, str(unbroken)).returncode == 0
    with subprocess.Popen(
        [COMMAND, *command, str(broken)],
        env=environment(home),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as child:
        while len(answers_of(broken)) < 4:
            time.sleep(0.01)
            assert child.poll() is None
        child.send_signal(signal.SIGKILL)
    done = len(answers_of(broken))
    assert 4 <= done < 10
    assert not (broken / "summary.json").exists()
    assert tirtha_here(home, *command, str(broken)).returncode == 0
    assert (broken / "summary.json").read_text() == (unbroken / "summary.json").read_text()
