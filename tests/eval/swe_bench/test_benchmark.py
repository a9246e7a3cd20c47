"""SWE-bench: gold patches stay out, tiers take turns, predictions come in the official format."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from eval.errors import Unusable
from eval.harness.runs import Run, RunOptions, read_rows, run_benchmark
from eval.swe_bench.benchmark import SweBench, SweOptions, read_instances
from memory.encoding.encoder import Encoder
from tests.eval.swe_bench.repository import PATCH, commit
from tests.support.chat_server import ChatServer, chat_server, says, status
from tirtha.settings import Settings, TierSettings

QUIET = Console(file=io.StringIO())


def asking(instances: Path, **changes: str) -> Path:
    """Change the one instance of the file."""
    row = json.loads(instances.read_text()) | changes
    instances.write_text(json.dumps(row, ensure_ascii=False) + "\n")
    return instances


def test_gold_patches_and_tests_are_dropped(instances: Path) -> None:
    [one] = read_instances(instances).values()
    assert set(one.__slots__) == {"id", "repo", "commit", "issue"}
    assert "GOLD" not in repr(one)
    instances.write_text("{}")
    with pytest.raises(Unusable, match="not in SWE-bench's format"):
        read_instances(instances)


def two_tiers(settings: Settings, local: ChatServer, frontier: ChatServer, *, window_tokens: int = 131_072) -> Settings:
    """The settings, with these two servers as tiers."""
    tiers = {
        name: TierSettings(
            url=server.url, model=model, input_usd_per_mtok=1, output_usd_per_mtok=1, max_tokens=1_024, window_tokens=window
        )
        for name, server, model, window in (
            ("local", local, "openai/gpt (small)", window_tokens), ("frontier", frontier, "frontier", 131_072),
        )
    }  # fmt: skip
    return settings.model_copy(update=tiers)


async def run_on(instances: Path, repos: Path, settings: Settings, encoder: Encoder) -> Run:
    benchmark = SweBench(options=SweOptions(data=instances, repos=repos), settings=settings, encoder=encoder)
    return await run_benchmark("swe-bench", benchmark, options=RunOptions(), console=QUIET)


async def test_a_patch_that_does_not_apply_goes_up_a_tier(
    instances: Path, repos: Path, settings: Settings, encoder: Encoder
) -> None:
    with chat_server() as local, chat_server() as frontier:
        local.script = lambda request: says(PATCH.replace("x // 2", "x * 2"))
        frontier.script = lambda request: says(f"```diff\n{PATCH}```")
        run = await run_on(instances, repos, two_tiers(settings, local, frontier), encoder)
    prompt = local.requests[0]["messages"][-1]["content"]
    assert "def half(x):\n    return x // 2" in prompt, "the file that the issue names, as it was"
    assert "GOLD" not in prompt
    assert run.report.figures["by the frontier tier"] == {"count": 1, "n": 1}
    [file] = run.folder.glob("predictions_*.jsonl")
    assert json.loads(file.read_text()) == {
        "instance_id": "owner__name-1", "model_name_or_path": "tirtha-openai-gpt-small-frontier", "model_patch": PATCH,
    }  # fmt: skip


async def test_what_a_reply_means_last_stands_where_all_of_it_does_not_apply(
    instances: Path, repos: Path, settings: Settings, encoder: Encoder
) -> None:
    draft = PATCH.replace("x / 2", "x / 2.0")
    with chat_server() as local, chat_server() as frontier:
        local.script = lambda request: says(f"```diff\n{draft}```\nNo, simpler:\n```diff\n{PATCH}```")
        run = await run_on(instances, repos, two_tiers(settings, local, frontier), encoder)
    assert not frontier.requests
    assert read_rows(run.folder / "samples.jsonl")[0].value["patch"] == PATCH


@pytest.mark.parametrize(("window", "calls"), [(131_072, 1), (1_100, 0)])
async def test_a_tier_that_is_down_or_too_small_leaves_the_issue_to_the_next(
    instances: Path, repos: Path, settings: Settings, window: int, calls: int, encoder: Encoder
) -> None:
    with chat_server() as local, chat_server() as frontier:
        local.script, frontier.script = lambda request: status(400), lambda request: says(PATCH)
        run = await run_on(instances, repos, two_tiers(settings, local, frontier, window_tokens=window), encoder)
    assert len(local.requests) == calls
    [row] = read_rows(run.folder / "samples.jsonl")
    assert row.value["by"] == "frontier"
    assert str(row.value["passed_over"]).startswith("local: ")


async def test_a_bad_patch_stands_where_the_other_tier_is_only_too_small(
    instances: Path, repos: Path, settings: Settings, encoder: Encoder
) -> None:
    with chat_server() as local, chat_server() as frontier:
        frontier.script = lambda request: says(PATCH.replace("x // 2", "x * 2"))
        run = await run_on(instances, repos, two_tiers(settings, local, frontier, window_tokens=1_100), encoder)
    [row] = read_rows(run.folder / "samples.jsonl")
    assert not row.fault, "it will be too long the next time as well"
    assert row.value["applies"] is False


@pytest.fixture
def named_logo(instances: Path, repos: Path) -> Path:
    """An issue that names a file that is no text, and has a line break of Unicode's."""
    made = commit(repos / "owner__name", "logo.png", b"\x89PNG\xff\x00")
    return asking(instances, base_commit=made, problem_statement="logo.png and half.py \u2028 differ.")


async def test_files_that_are_no_text_are_not_shown(
    named_logo: Path, repos: Path, settings: Settings, encoder: Encoder
) -> None:
    with chat_server() as local, chat_server() as frontier:
        local.script = lambda request: says(PATCH)
        run = await run_on(named_logo, repos, two_tiers(settings, local, frontier), encoder)
    assert read_rows(run.folder / "samples.jsonl")[0].value["applies"] is True
    assert "def half(x):" in local.requests[0]["messages"][-1]["content"]


async def test_without_a_good_patch_a_tier_that_is_down_makes_an_error(
    instances: Path, repos: Path, settings: Settings, encoder: Encoder
) -> None:
    with chat_server() as local, chat_server() as frontier:
        local.script, frontier.script = lambda request: says("no patch"), lambda request: status(400)
        run = await run_on(instances, repos, two_tiers(settings, local, frontier), encoder)
    [row] = read_rows(run.folder / "samples.jsonl")
    assert row.fault.startswith("frontier: ")
    assert row.cost_nanousd > 0, "the local tier was paid"
    assert run.report.figures["errors"] == 1


@pytest.fixture
def two_files(instances: Path, repos: Path) -> Path:
    """An issue that names a file too big to show before one that fits."""
    made = commit(repos / "owner__name", "src/big.py", b"BIG = 1\n" * 4_000)
    return asking(instances, base_commit=made, problem_statement="src/big.py and src/half.py differ.")


async def test_a_file_that_does_not_fit_does_not_hide_the_next(
    two_files: Path, repos: Path, settings: Settings, encoder: Encoder
) -> None:
    with chat_server() as local, chat_server() as frontier:
        local.script = lambda request: says(PATCH)
        await run_on(two_files, repos, two_tiers(settings, local, frontier, window_tokens=4_000), encoder)
    prompt = local.requests[0]["messages"][-1]["content"]
    assert "BIG = 1" not in prompt
    assert "def half(x):" in prompt
