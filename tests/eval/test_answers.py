"""LoCoMo's F1 as its own code has it, perturbed answers, the guards as detectors, other sets' formats."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from eval.faithfulness import Faithfulness
from eval.faithfulness_data import read_judged
from eval.locomo_qa import LocomoAnswers, answer_f1, token_f1
from eval.perturbing import perturb
from eval.policy_ablation import ARMS, PolicyAblation
from eval.runs import Options, run_benchmark
from memory.encoder import Encoder
from tests.eval.test_locomo import conversation, trimmed
from tests.support.chat_server import answers, chat_server
from tirtha.settings import Settings, TierSettings

QUIET = Console(file=io.StringIO())


@pytest.fixture
def data(tmp_path: Path) -> Path:
    file = tmp_path / "locomo.json"
    file.write_text(json.dumps([record | {"conversation": trimmed(record)} for record in conversation()]))
    return file


@pytest.mark.parametrize(
    ("gold", "answer", "f1"),
    [
        ("7 May 2023", "7 May 2023", 1.0),
        ("the cat", "A cat!", 1.0),
        ("running", "runs", 1.0),
        ("red and blue", "red", 2 / 3),
        ("red", "green", 0.0),
        ("red", "", 0.0),
    ],
)
def test_token_f1(gold: str, answer: str, f1: float) -> None:
    assert token_f1(gold, answer) == pytest.approx(f1)


def test_each_category_is_scored_as_the_paper_does() -> None:
    assert answer_f1(1, "Paris, Rome", "Rome, Berlin", abstained=False) == pytest.approx(0.5)
    assert answer_f1(3, "yes; since she likes cats", "yes", abstained=False) == 1
    assert answer_f1(2, "7 May 2023", "7 May", abstained=False) == pytest.approx(0.8)
    assert answer_f1(5, "", "It is not mentioned.", abstained=False) == 1
    assert answer_f1(5, "", "That is not in memory.", abstained=True) == 1
    assert answer_f1(5, "", "A boat.", abstained=False) == 0


async def test_answers_are_scored_with_and_without_label_errors(
    data: Path, settings: Settings, encoder: Encoder
) -> None:
    benchmark = LocomoAnswers(settings=settings, encoder=encoder, file=data, exclude={"conv-1:2"})
    run = await run_benchmark(benchmark, settings=settings, options=Options(), console=QUIET)
    figures: Any = run.report.figures
    assert figures["all"]["categories 1 to 4"]["n"] == 3
    assert figures["without_excluded"]["categories 1 to 4"]["n"] == 2
    assert figures["all"]["adversarial"]["n"] == 1
    assert figures["all"]["temporal"]["f1"] > 0.8
    assert len(run.report.tables) == 2


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("number", "She has 3 cats"),
        ("number", "two dogs"),
        ("date", "7 May 2023"),
        ("date", "in June 2022"),
        ("name", "She met Oliver there"),
        ("negation", "She is happy"),
        ("negation", "He does not smoke"),
        ("paraphrase", "She bought a car"),
    ],
)
def test_one_thing_is_changed(kind: str, answer: str) -> None:
    changed = perturb(answer, kind, seed="1", strangers=["Zoe"])
    assert changed
    assert changed != answer
    assert changed == perturb(answer, kind, seed="1", strangers=["Zoe"])


def test_what_is_not_there_cannot_be_changed() -> None:
    assert not perturb("a painting", "number", seed="1", strangers=[])
    assert not perturb("a painting", "date", seed="1", strangers=[])
    assert not perturb("a painting", "name", seed="1", strangers=["Zoe"])
    assert perturb("7 May 2023", "number", seed="1", strangers=[]) == "", "a date is no number"


async def test_guards_tell_changed_facts_from_given_ones(
    shared_data: Path, settings: Settings, encoder: Encoder
) -> None:
    """The first answers only; docs/benchmarks.md has all of them."""
    benchmark = Faithfulness(
        settings=settings, encoder=encoder, source="locomo", file=shared_data / "locomo_dev.json", limit=500
    )
    run = await run_benchmark(benchmark, settings=settings, options=Options(), console=QUIET)
    figures: Any = run.report.figures
    assert figures["number, date, name"]["auroc"] >= 0.90
    assert figures["number, date, name"]["caught"] >= 0.95
    assert "negation" in figures, "what is hard to see is shown"


def test_other_sets_are_read(tmp_path: Path) -> None:
    (tmp_path / "source_info.jsonl").write_text(
        json.dumps(
            {
                "source_id": "s",
                "task_type": "QA",
                "source_info": {"question": "Who?", "passages": "Ann came. Bob left."},
            }
        )
    )
    responses = tmp_path / "response.jsonl"
    responses.write_text(
        "\n".join(
            json.dumps({"id": n, "source_id": "s", "response": text, "labels": labels})
            for n, (text, labels) in enumerate([("Ann came.", []), ("Carl came.", [{"start": 0, "end": 4}])])
        )
    )
    read = list(read_judged("ragtruth", responses, seed=1))
    assert [one.faithful for one in read] == [True, False]
    assert [quote.text for quote in read[0].brief.quotes] == ["Ann came.", "Bob left."]
    halueval = tmp_path / "qa_data.json"
    halueval.write_text(
        json.dumps(
            {"knowledge": "Ann came.", "question": "Who came?", "right_answer": "Ann", "hallucinated_answer": "Bob"}
        )
    )
    assert [one.faithful for one in read_judged("halueval", halueval, seed=1)] == [True, False]
    halueval.write_text("[1]")
    with pytest.raises(ValueError, match="not in the format of halueval"):
        list(read_judged("halueval", halueval, seed=1))


async def test_the_cascade_without_its_parts_is_worse_or_dearer(
    data: Path, settings: Settings, encoder: Encoder
) -> None:
    with chat_server() as local, chat_server() as frontier:
        local.script = lambda request: answers("On 3 March 1999 in Timbuktu.", 1)  # of which no line says anything
        frontier.script = lambda request: answers("7 May 2023", 1)
        own = settings.model_copy(
            update={
                name: TierSettings(
                    url=server.url, model="scripted", input_usd_per_mtok=price, output_usd_per_mtok=price
                )
                for name, server, price in (("local", local, 0.1), ("frontier", frontier, 10))
            }
        )
        benchmark = PolicyAblation(settings=own, encoder=encoder, file=data, limit=1)
        run = await run_benchmark(benchmark, settings=own, options=Options(), console=QUIET)
    figures: Any = run.report.figures
    assert set(ARMS) <= set(figures)
    assert figures["full"]["frontier"] == 1.0, "guards stop what no line says"
    assert figures["full"]["f1"] == 1.0
    assert figures["no verification"]["cheap"] == 1.0, "without them it is served"
    assert figures["no verification"]["difference"] < 0
    assert figures["no cache"]["cost_nanousd"] == 2 * figures["full"]["cost_nanousd"], "a repeat costs nothing"
    assert figures["no repair"]["cost_nanousd"] < figures["full"]["cost_nanousd"]


async def test_an_ablation_without_a_model_is_refused(data: Path, settings: Settings, encoder: Encoder) -> None:
    benchmark = PolicyAblation(settings=settings, encoder=encoder, file=data)
    with pytest.raises(ValueError, match="nothing to switch off"):
        await run_benchmark(benchmark, settings=settings, options=Options(), console=QUIET)
