"""Sets of labelled questions answered by several systems: every question, every system, and what the report says of them."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from eval.answers.benchmark import AnswerOptions, SetAnswers
from eval.answers.drafts import drafts_of, write_drafts
from eval.answers.systems import SYSTEMS
from eval.errors import Unusable
from eval.harness.runs import Run, RunOptions, answers_of, run_benchmark, write_report
from eval.suite import benchmark_of
from memory.encoding.encoder import Encoder
from tests.eval.locomo.conversations import conversation
from tests.support.chat_server import Reply, answers, chat_server, says, status
from tirtha.settings import Settings, TierSettings

QUIET = Console(file=io.StringIO())


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write(tmp_path, conversation())


def write(folder: Path, record: dict[str, Any]) -> Path:
    file = folder / "locomo.json"
    file.write_text(json.dumps([record]))
    return file


@contextmanager
def tiers(settings: Settings) -> Iterator[tuple[Settings, Any, Any]]:
    """Settings with two scripted tiers: a local one that is wrong, and a frontier one that is right on a date."""
    with chat_server() as local, chat_server() as frontier:
        local.script = lambda request: answers("On 3 March 1999 in Timbuktu.", 1)
        frontier.script = right_or_absent
        own = settings.model_copy(
            update={
                name: TierSettings(
                    url=server.url, model="scripted", input_usd_per_mtok=price, output_usd_per_mtok=price
                )
                for name, server, price in (("local", local, 0.1), ("frontier", frontier, 10))
            }
        )
        yield own, local, frontier


def right_or_absent(request: dict[str, Any]) -> Reply:
    asked = request["messages"][-1]["content"]
    if "raw" not in asked and "Read the text" in asked:
        return says("not in the text")
    return answers("7 May 2023", 1) if "support group?" in asked else answers(None)


def answering(settings: Settings, encoder: Encoder, data: Path, **changes: Any) -> SetAnswers:
    options = AnswerOptions(**{"set": "locomo", "data": data, **changes})
    return SetAnswers(options=options, settings=settings, encoder=encoder)


async def run(benchmark: SetAnswers) -> Run:
    return await run_benchmark("locomo-qa", benchmark, options=RunOptions(), console=QUIET)


async def test_answers_are_scored_with_and_without_label_errors(
    data: Path, settings: Settings, encoder: Encoder
) -> None:
    errors = data.with_name("errors.txt")
    errors.write_text("conv-1:2\n")
    found = await run(answering(settings, encoder, data, exclude=errors))
    figures: Any = found.report.figures
    kinds = figures["all"]["cascade"]["kinds"]
    assert {name: one["n"] for name, one in kinds.items()} == {
        "adversarial": 1, "multi-hop": 1, "single-hop": 2, "temporal": 1, "answerable": 4, "all": 5
    }  # fmt: skip
    assert figures["without_excluded"]["cascade"]["kinds"]["answerable"]["n"] == 3
    assert kinds["temporal"]["f1"] > 0.8
    assert (kinds["temporal"]["right"], kinds["temporal"]["contained"]) == (1, 1)
    assert figures["all"]["cascade"]["served"]["verified"] >= 1
    assert figures["cache_hits"] == 0
    assert [table.title for table in found.report.tables] == [
        "locomo answers, locomo.json, budget 165",
        "Without 1 known label errors",
        "What can be relied on",
        "What a question costs, on average",
        "Questions of the file",
    ]


async def test_no_question_is_dropped_without_a_word(tmp_path: Path, settings: Settings, encoder: Encoder) -> None:
    record = conversation()
    record["qa"] += [
        {"question": "Which category?", "answer": "x", "evidence": ["D1:1"], "category": 9},
        {"question": "No answer?", "evidence": ["D1:1"], "category": 4},
        {"question": "The last one?", "answer": "x", "evidence": [], "category": 5},
        {"question": "One too many?", "answer": "x", "evidence": ["D2:1"], "category": 4},
    ]
    file = write(tmp_path, record)
    found = await run(answering(settings, encoder, file, limit=6))
    assert found.report.figures["questions"] == {
        "in_file": 9,
        "asked": 6,
        "asked_without_valid_evidence": 2,
        "left_out": {"no category of LoCoMo": 1, "no answer in the file": 1, "beyond --limit 6": 1},
    }
    assert found.report.notes[0].startswith(
        "Of 9 questions of the file 6 were asked, 2 of them without valid evidence; 3 were"
    )


@pytest.mark.slow
async def test_systems_are_compared_over_one_memory(data: Path, settings: Settings, encoder: Encoder) -> None:
    with tiers(settings) as (own, local, _):
        benchmark = answering(own, encoder, data, limit=1, systems=("all",), hour_usd=3.6)
        found = await run(benchmark)
        asked_local = len(local.requests)
    figures: Any = found.report.figures["all"]
    assert set(figures) == set(SYSTEMS)
    right = {name: one["kinds"]["all"]["right"] for name, one in figures.items()}
    assert right["cascade"] == right["frontier-alone"] == 1
    assert right["local-alone"] == right["no-verification"] == right["no-guards"] == right["stuffed"] == 0
    verified = {name: one["served"]["verified"] for name, one in figures.items()}
    assert verified["cascade"] == 1
    assert verified["local-alone"] == verified["frontier-alone"] == verified["stuffed"] == 0, "nobody judged them"
    assert figures["stuffed"]["kinds"]["all"]["abstained"] == 1
    cost = {name: one["cost"] for name, one in figures.items()}
    assert cost["local-alone"]["nanousd"] < cost["frontier-alone"]["nanousd"] < cost["cascade"]["nanousd"]
    assert cost["cascade"]["calls"] == 3, "a draft, its repair, and the frontier tier's"
    assert cost["no-repair"]["calls"] == 2
    seconds = sum(cost["cascade"]["model_seconds"].values())
    assert cost["cascade"]["nanousd_by_seconds"] == pytest.approx(seconds * 1_000_000)
    assert any(table.title == "Compared" for table in found.report.tables)
    assert asked_local == 2 + 1 + 1 + 1 + 1 + 2, "of the cascade, alone, and without each part"
    assert answers_of(found.folder)["cascade/conv-1:0"].value["spent"]["local"]["calls"] == 2  # type: ignore[index, call-overload]


@pytest.mark.slow
async def test_a_run_leaves_labelled_drafts_without_a_word(
    data: Path, tmp_path: Path, settings: Settings, encoder: Encoder
) -> None:
    with tiers(settings) as (own, _, _):
        systems = ("cascade", "no-repair", "local-alone")
        found = await run(answering(own, encoder, data, limit=3, systems=systems))
    file = tmp_path / "drafts.jsonl"
    assert write_drafts(lines := drafts_of([found.folder]), file) == len(lines)
    read = [json.loads(line) for line in file.read_text().splitlines()]
    labels = {(one["question"], one["tier"], one["right"]) for one in read}
    assert {("conv-1:0", "local", False), ("conv-1:0", "frontier", True)} <= labels
    keys = [(one["question"], one["tier"], one["answer_sha256"], one["context_tokens"], one["guards"]) for one in read]
    assert len(set(keys)) == len(keys)
    judged = next(one for one in read if one["tier"] == "frontier" and one["right"])
    assert set(judged["scores"]) == set(judged["statuses"]) >= {"citations", "facts", "support", "answerability"}
    for words in ("Timbuktu", "7 May", "support group", "Caroline", "Miso"):
        assert words not in file.read_text()
    with pytest.raises(Unusable, match=r"no manifest\.json"):
        drafts_of([tmp_path])


@pytest.mark.slow
async def test_a_model_that_says_nothing_is_an_outcome_and_a_tier_that_is_down_an_error(
    data: Path, settings: Settings, encoder: Encoder
) -> None:
    with tiers(settings) as (own, local, frontier):
        local.script = frontier.script = lambda request: says("", finish="length")
        silent = await run(answering(own, encoder, data, limit=1))
        local.script = frontier.script = lambda request: status(400)
        down = await run(answering(own, encoder, data, limit=1, budget=164))
    figures: Any = silent.report.figures
    assert (figures["errors"], figures["all"]["cascade"]["kinds"]["all"]["silent"]) == (0, 1)
    assert figures["all"]["cascade"]["kinds"]["all"]["right"] == 0
    assert figures["cost_nanousd"] > 0, "silence is paid for"
    assert down.report.figures["errors"] == 1


async def test_a_report_is_made_again_without_the_file(data: Path, settings: Settings, encoder: Encoder) -> None:
    found = await run(answering(settings, encoder, data))
    before = (found.folder / "summary.json").read_text()
    data.unlink()  # noqa: ASYNC240 - a test
    write_report(benchmark_of(found.folder, settings=settings, encoder=encoder), found.folder)
    assert json.loads((found.folder / "summary.json").read_text())["figures"] == json.loads(before)["figures"]


@pytest.mark.parametrize(
    ("systems", "why"),
    [
        (("cascade", "best"), "there is no system 'best'"),
        (("cascade", "cascade"), "named twice"),
        (("local-alone",), "needs the local tier"),
        (("frontier-alone",), "needs the frontier tier"),
        (("stuffed",), "needs a model"),
    ],
)
def test_systems_that_cannot_be_are_refused(
    systems: tuple[str, ...], why: str, data: Path, settings: Settings, encoder: Encoder
) -> None:
    with pytest.raises(Unusable, match=why):
        answering(settings, encoder, data, systems=systems).ids()


@pytest.mark.long
async def test_questions_about_chats_of_real_people_are_asked_in_the_same_way(
    shared_data: Path, settings: Settings, encoder: Encoder
) -> None:
    benchmark = answering(settings, encoder, shared_data / "realtalk", set="realtalk", limit=1)
    found = await run(benchmark)
    figures: Any = found.report.figures
    assert figures["all"]["cascade"]["kinds"]["all"]["n"] == len(list((shared_data / "realtalk").glob("*.json")))
    assert figures["all"]["cascade"]["served"]["unanswerable"] == 0
