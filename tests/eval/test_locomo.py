"""The LoCoMo runner, on a conversation small enough to check by hand and on the development data where it is."""

import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from eval import rescoring
from eval.ablation import SWITCHED_OFF
from eval.baselines import BASELINES
from eval.locomo import LADDER, LocomoEvidence
from eval.locomo_data import read_locomo
from eval.rescoring import ask_conversations, fit_rescorer
from eval.runs import Options, Run, answers_of, run_benchmark
from eval.suite import benchmark_of
from memory.encoder import Encoder
from memory.rescorer import log_odds, prior
from tirtha.settings import Settings

QUIET = Console(file=io.StringIO())


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


async def run(data: Path, settings: Settings, encoder: Encoder, **changes: Any) -> Run:
    benchmark = LocomoEvidence(settings=settings, encoder=encoder, file=data, **changes)
    return await run_benchmark(benchmark, settings=settings, options=Options(), console=QUIET)


async def test_figures_follow_from_the_samples(data: Path, settings: Settings, encoder: Encoder) -> None:
    found = await run(data, settings, encoder)
    figures: Any = found.report.figures
    by_category = figures["by_category"]
    assert {name: one["n"] for name, one in by_category.items()} == {
        "multi-hop": 1, "temporal": 1, "single-hop": 1, "all": 3,
    }  # fmt: skip
    assert by_category["all"]["evidence_recall"] == by_category["all"]["all_evidence_rate"] == 1.0, "it all fits"
    assert by_category["temporal"]["answer_word_recall"] == 1.0, "the date is resolved"
    assert by_category["all"]["tokens_max"] <= 165
    assert figures["compaction_ratio"] == pytest.approx(figures["raw_tokens_mean"] / figures["context_tokens_mean"])
    assert {budget: one["n"] for budget, one in figures["ladder"].items()} == {str(budget): 3 for budget in LADDER}
    assert figures["answerability"] is not None
    answers = answers_of(found.folder)
    assert len(answers) == 4, "the adversarial question is asked, too"
    again = benchmark_of(found.folder, settings=settings, encoder=encoder)
    assert again.report([answers[id_] for id_ in sorted(answers)], {}).figures == figures, "from the rows alone"
    assert again.marks(answers["conv-1:0"], None) == {"evidence recall": 1.0, "all evidence": 1.0}
    assert again.marks(answers["conv-1:4"], None) == {}


async def test_label_errors_can_be_left_out(data: Path) -> None:
    [read] = read_locomo(data, exclude={"conv-1:0", "conv-1:4"})
    assert [question.id for question in read.questions] == ["conv-1:1", "conv-1:2"]


async def test_baselines_get_the_same_questions_and_budget(data: Path, settings: Settings, encoder: Encoder) -> None:
    figures: Any = (await run(data, settings, encoder, budget=60, baselines=True, ladder=False)).report.figures
    assert set(figures["baselines"]) == set(BASELINES)
    assert all(one["n"] == 3 and one["tokens_max"] <= 60 for one in figures["baselines"].values())
    assert figures["ladder"] == {}


async def test_a_small_budget_costs_evidence(data: Path, settings: Settings, encoder: Encoder) -> None:
    figures: Any = (await run(data, settings, encoder, budget=24, limit=1)).report.figures
    assert figures["by_category"]["all"]["n"] == 1
    assert figures["by_category"]["all"]["tokens_max"] <= 24


async def test_the_ablation_takes_two_conversations_with_answers(
    tmp_path: Path, settings: Settings, encoder: Encoder
) -> None:
    [one] = [record | {"conversation": trimmed(record)} for record in conversation()]
    other = one | {"sample_id": "conv-2", "qa": one["qa"][-1:]}
    (tmp_path / "two.json").write_text(json.dumps([one, other]))
    ids = LocomoEvidence(settings=settings, encoder=encoder, file=tmp_path / "two.json").ids()
    assert not any(id_.startswith("without/") for id_ in ids), "one of them has only an adversarial question"


async def test_the_ablation_judges_every_part_by_every_fit(
    tmp_path: Path, settings: Settings, encoder: Encoder
) -> None:
    [one] = [record | {"conversation": trimmed(record)} for record in conversation()]
    (tmp_path / "two.json").write_text(json.dumps([one, one | {"sample_id": "conv-2"}]))
    benchmark = LocomoEvidence(settings=settings, encoder=encoder, file=tmp_path / "two.json", fits=2)
    rows = [id_ for id_ in benchmark.ids() if id_.startswith("without/")]
    assert rows == [f"without/{part}/{seed}" for seed in (1, 2) for part in SWITCHED_OFF]


async def test_another_seed_is_another_fit(shared_data: Path, encoder: Encoder) -> None:
    [first, *_] = read_locomo(shared_data / "locomo_dev.json")
    asked = await ask_conversations([replace(first, questions=first.questions[:20])], encoder)
    fits = [fit_rescorer(asked, seed=seed).first.model_to_string() for seed in (1, 2, 1)]
    trees = [fit.partition("parameters:")[0] for fit in fits]
    assert trees[0] == trees[2] != trees[1]


async def test_the_second_look_is_taught_on_conversations_that_the_first_did_not_see(
    shared_data: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other, *_ = read_locomo(shared_data / "locomo_dev.json")
    cut = [replace(one, questions=one.questions[:12]), replace(other, questions=other.questions[:7])]
    asked = await ask_conversations(cut, encoder)
    taught: list[set[bytes]] = []
    boosters: list[Any] = []
    lessons_of_second: list[Any] = []
    fit = rescoring._fit

    def noted(lessons: Sequence[Any], *args: Any, **options: Any) -> Any:
        taught.append(labels(lesson.useful for lesson in lessons))
        boosters.append(fit(lessons, *args, **options))
        if "odds" in lessons[0].signals:
            lessons_of_second.extend(lessons)
        return boosters[-1]

    def labels(of: Iterable[Any]) -> set[bytes]:
        return {useful.tobytes() for useful in of if useful.any()}

    monkeypatch.setattr(rescoring, "_fit", noted)
    fit_rescorer(asked)
    [first, second] = (labels(a.usefulness() for a in asked if a.conversation == c.id) for c in cut)
    assert first.isdisjoint(second), "a lesson tells its conversation"
    assert taught[:2] in ([first, second], [second, first])
    assert taught[2:] == [first | second] * 3
    of_other = dict(zip([one.id, other.id], boosters[:2] if taught[0] == second else boosters[1::-1], strict=True))
    for question, lesson in zip([a for a in asked if a.question.answerable], lessons_of_second, strict=True):
        signals = question.signals()
        unseen = prior(signals) + log_odds(of_other[question.conversation], signals)
        assert lesson.start.tolist() == lesson.signals["odds"].tolist() == unseen.tolist()


@pytest.mark.parametrize("content", ["not json", "{}", "[1]", '[{"sample_id": "x"}]'])
def test_another_format_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "other.json").write_text(content)
    with pytest.raises(ValueError, match=r"other\.json"):
        read_locomo(tmp_path / "other.json")


async def test_the_development_conversations(
    shared_data: Path, settings: Settings, encoder: Encoder, tmp_path: Path
) -> None:
    """Two of the conversations keep the whole run short; the figures of all five are in docs/benchmarks.md."""
    records = json.loads((shared_data / "locomo_dev.json").read_text())[:2]
    (tmp_path / "two.json").write_text(json.dumps(records))
    figures: Any = (await run(tmp_path / "two.json", settings, encoder, ladder=False, ablation=False)).report.figures
    overall = figures["by_category"]["all"]
    assert overall["tokens_max"] <= 165
    assert overall["evidence_recall"] >= 0.70
    assert figures["answerability"]["auroc"] >= 0.80
    assert figures["compaction_ratio"] >= 80


async def test_parts_are_switched_off_on_unseen_conversations(
    shared_data: Path, settings: Settings, encoder: Encoder, tmp_path: Path
) -> None:
    records = json.loads((shared_data / "locomo_dev.json").read_text())[:2]
    for record in records:
        record["qa"] = [
            qa for category in (1, 4, 5) for qa in [q for q in record["qa"] if q["category"] == category][:12]
        ]
    (tmp_path / "two.json").write_text(json.dumps(records))
    found = await run(tmp_path / "two.json", settings, encoder, ladder=False, fits=1)
    ablation: Any = found.report.figures["ablation"]
    assert [one["part"] for one in ablation["parts"]] == list(SWITCHED_OFF[1:])
    assert 0 < ablation["mean"]["evidence_recall"] < 1
    assert ablation["mean"]["auroc"] > 0.5
    assert ablation["n"] == found.report.figures["by_category"]["all"]["n"]  # type: ignore[index, call-overload]
    samples = found.folder / "samples.jsonl"
    before = samples.read_text()
    kept = [line for line in before.splitlines() if '"without/news of a turn/1"' not in line]
    samples.write_text("\n".join(kept) + "\n")
    again = await run_benchmark(
        LocomoEvidence(settings=settings, encoder=encoder, file=tmp_path / "two.json", ladder=False, fits=1),
        settings=settings, options=Options(folder=found.folder), console=QUIET,
    )  # fmt: skip
    assert again.report.figures == found.report.figures, "a part alone is judged again as it was"
