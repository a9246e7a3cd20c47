"""The LoCoMo runner, on a conversation small enough to check by hand and on the development data where it is."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from eval.baselines import BASELINES
from eval.locomo import LADDER, LocomoRun, run_locomo
from eval.locomo_data import read_locomo
from tirtha.settings import Settings


def conversation(**changes: Any) -> list[dict[str, Any]]:
    record = {
        "sample_id": "conv-1",
        "conversation": {
            "speaker_a": "Caroline",
            "speaker_b": "Mel",
            "session_1_date_time": "1:56 pm on 8 May, 2023",
            "session_1": [
                {"speaker": "Caroline", "dia_id": "D1:1", "text": "I went to a support group yesterday."},
                {"speaker": "Mel", "dia_id": "D1:2", "text": "Look at this!", "blip_caption": "a lake at sunset"},
            ],
            "session_2_date_time": "9:00 am on 1 June, 2023",
            "session_2": [{"speaker": "Mel", "dia_id": "D2:1", "text": "I adopted a cat named Miso."}],
            "session_3_date_time": "9:00 am on 2 June, 2023",
        },
        "qa": [
            {
                "question": "When did Caroline go to the support group?",
                "answer": "7 May 2023",
                "evidence": ["D1:1"],
                "category": 2,
            },
            {"question": "What did Mel show?", "answer": "a lake", "evidence": ["D1:2; D9:9"], "category": 4},
            {"question": "How many cats?", "answer": 1, "evidence": ["D2:1", "D7:7"], "category": 1},
            {"question": "No evidence?", "answer": "none", "evidence": ["D"], "category": 4},
            {"question": "Adversarial?", "adversarial_answer": "x", "evidence": ["D1:1"], "category": 5},
        ],
    }
    record |= changes
    return [record]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    file = tmp_path / "locomo.json"
    file.write_text(json.dumps([record | {"conversation": trimmed(record)} for record in conversation()]))
    return file


def trimmed(record: dict[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = dict(record["conversation"])
    said.pop("session_3_date_time")
    return said


def test_reading_keeps_what_can_be_scored(data: Path) -> None:
    [read] = read_locomo(data)
    assert [question.evidence for question in read.questions] == [{"D1:1"}, {"D1:2"}, {"D2:1"}, {"D1:1"}]
    assert [question.id for question in read.questions] == ["conv-1:0", "conv-1:1", "conv-1:2", "conv-1:4"]
    assert [question.answerable for question in read.questions] == [True, True, True, False]
    assert read.sessions["session_1"][1]["text"] == "Look at this!\n[shows a lake at sunset]"
    assert read.sessions["session_1"][0]["said_at"] == "2023-05-08T13:56:00+00:00"
    assert [turn["role"] for turn in read.sessions["session_1"]] == ["user", "assistant"]


async def test_figures_follow_from_the_samples(data: Path, settings: Settings) -> None:
    results = await run_locomo(data, settings=settings, run=LocomoRun(), console=Console(file=io.StringIO()))
    figures = {row.name: row for row in results.figures()}
    assert (figures["all"].n, figures["temporal"].n, figures["single-hop"].n, figures["multi-hop"].n) == (3, 1, 1, 1)
    assert figures["all"].evidence_recall == figures["all"].all_evidence_rate == 1.0, "it all fits"
    assert figures["temporal"].answer_word_recall == 1.0, "the date is resolved"
    assert figures["all"].tokens_max <= 165
    report = json.loads(results.as_json())
    assert report["compaction_ratio"] == pytest.approx(report["raw_tokens_mean"] / report["context_tokens_mean"])
    assert len(report["samples"]) == 4 + 3 * len(LADDER), "the adversarial question is asked, too"
    assert [row["n"] for row in report["ladder"]] == [3] * len(LADDER)
    assert results.calibration() is not None


async def test_label_errors_can_be_left_out(data: Path) -> None:
    [read] = read_locomo(data, exclude={"conv-1:0", "conv-1:4"})
    assert [question.id for question in read.questions] == ["conv-1:1", "conv-1:2"]


async def test_baselines_get_the_same_questions_and_budget(data: Path, settings: Settings) -> None:
    run = LocomoRun(budget=60, baselines=True, ladder=False)
    results = await run_locomo(data, settings=settings, run=run, console=Console(file=io.StringIO()))
    assert {sample.system for sample in results.others} == set(BASELINES)
    assert all(sample.tokens <= 60 for sample in results.others)
    assert len(results.others) == 3 * len(BASELINES)


async def test_a_small_budget_costs_evidence(data: Path, settings: Settings) -> None:
    results = await run_locomo(
        data, settings=settings, run=LocomoRun(budget=24, limit=1), console=Console(file=io.StringIO())
    )
    assert len(results.samples) == 1
    assert results.samples[0].tokens <= 24


@pytest.mark.parametrize("content", ["not json", "{}", "[1]", '[{"sample_id": "x"}]'])
def test_another_format_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "other.json").write_text(content)
    with pytest.raises(ValueError, match=r"other\.json"):
        read_locomo(tmp_path / "other.json")


async def test_the_development_conversations(shared_data: Path, settings: Settings, tmp_path: Path) -> None:
    """Two of the conversations keep the whole run short; the figures of all five are in docs/benchmarks.md."""
    records = json.loads((shared_data / "locomo_dev.json").read_text())[:2]
    (tmp_path / "two.json").write_text(json.dumps(records))
    console = Console(file=io.StringIO())
    results = await run_locomo(
        tmp_path / "two.json", settings=settings, run=LocomoRun(ladder=False, ablation=False), console=console
    )
    overall = results.figures()[-1]
    assert overall.tokens_max <= 165
    assert overall.evidence_recall >= 0.70
    judged = results.calibration()
    assert judged is not None
    assert judged.auroc >= 0.80
    assert results.compaction()[2] >= 80
