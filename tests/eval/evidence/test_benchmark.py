"""The evidence report, on files small enough to check by hand and on the development data where it is."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from eval.errors import Unusable
from eval.evidence.benchmark import EvidenceBenchmark, EvidenceOptions
from eval.evidence.report import BUDGETS, OURS
from eval.evidence.sets import SetName
from eval.harness.baselines import SEARCHES
from eval.harness.runs import Run, RunOptions, answers_of, run_benchmark
from eval.suite import benchmark_of
from memory.encoding.encoder import Encoder
from tests.eval.beam.chats import write_chat
from tests.eval.locomo.conversations import conversation
from tests.eval.longmemeval.questions import question, session
from tests.eval.realtalk.test_data import CHAT
from tirtha.settings import Settings

QUIET = Console(file=io.StringIO())


async def run(name: SetName, path: Path, settings: Settings, encoder: Encoder, **changes: Any) -> Run:
    benchmark = EvidenceBenchmark(
        options=EvidenceOptions(set=name, data=path, **changes), settings=settings, encoder=encoder
    )
    return await run_benchmark(name, benchmark, options=RunOptions(), console=QUIET)


async def test_every_measure_of_every_system_is_reported_by_kind_and_budget(
    tmp_path: Path, settings: Settings, encoder: Encoder
) -> None:
    (tmp_path / "locomo.json").write_text(json.dumps([conversation()]))
    found = await run("locomo", tmp_path / "locomo.json", settings, encoder)
    figures: Any = found.report.figures
    assert {kind: one["n"] for kind, one in figures["by_kind"].items()} == {
        "all": 3, "multi-hop": 1, "single-hop": 1, "temporal": 1,
    }  # fmt: skip
    systems = figures["by_kind"]["temporal"]["systems"]
    assert set(systems) == {OURS, *SEARCHES}
    for one in systems.values():
        assert one["evidence recall"] == one["answer words"] == one["answer contained"] == [1.0] * len(BUDGETS)
        assert one["right first"] == 1.0
        assert all(tokens <= budget for tokens, budget in zip(one["tokens"], BUDGETS, strict=True))
    assert figures["answerability"] is not None, "the adversarial question is asked, too"
    assert figures["questions_not_asked"] == 1
    assert any(note.startswith("1 questions are not asked") for note in found.report.notes)
    answers = answers_of(found.folder)
    again = benchmark_of(found.folder, settings=settings, encoder=encoder)
    assert again.report([answers[id_] for id_ in answers], {}).figures == figures, "from the rows alone"
    assert again.marks(answers["conv-1:0"], None)["answer words, 165"] == 1.0
    assert again.marks(answers["conv-1:4"], None) == {}


async def test_beam_is_reported_by_its_kinds(tmp_path: Path, settings: Settings, encoder: Encoder) -> None:
    write_chat(tmp_path / "100K" / "2")
    write_chat(tmp_path / "500K" / "2")
    figures: Any = (await run("beam", tmp_path, settings, encoder, size="100K")).report.figures
    kinds = {kind: one["n"] for kind, one in figures["by_kind"].items()}
    assert kinds["all"] == 6
    assert "abstention" not in kinds
    assert figures["answerability"] is not None


async def test_chats_of_a_folder_each_have_a_memory_of_their_own(
    tmp_path: Path, settings: Settings, encoder: Encoder
) -> None:
    other = CHAT | {"session_1": [CHAT["session_1"][0] | {"clean_text": "I build boats."}, CHAT["session_1"][1]]}
    (tmp_path / "Chat_1.json").write_text(json.dumps(CHAT))
    (tmp_path / "Chat_2.json").write_text(json.dumps(other))
    found = await run("realtalk", tmp_path, settings, encoder)
    rows = {id_: one.value for id_, one in answers_of(found.folder).items()}
    words: dict[str, Any] = {id_: value["held"][OURS]["words"] for id_, value in rows.items()}  # type: ignore[index,call-overload]
    assert words == {"Chat_1:0": [1.0] * 6, "Chat_2:0": [0.0] * 6}, "the second chat's label is wrong: nothing leaks in"
    assert found.report.figures["answerability"] is None, "all questions have an answer"


async def test_sessions_count_where_turns_have_no_labels(tmp_path: Path, settings: Settings, encoder: Encoder) -> None:
    sessions = [session("I redeemed a coupon at Target.", "Nice!"), session("How do I bake bread?", "Mix flour.")]
    (tmp_path / "lme.json").write_text(json.dumps([question("q1"), question("q2", haystack_sessions=sessions)]))
    found = await run("longmemeval", tmp_path / "lme.json", settings, encoder)
    figures: Any = found.report.figures
    assert (figures["labelled_by_session"], figures["by_kind"]["all"]["n"]) == (1, 2)
    assert figures["by_kind"]["all"]["systems"][OURS]["evidence recall"] == [1.0] * len(BUDGETS)
    assert "1 of 2 questions are labelled by session" in found.report.notes[0]


@pytest.mark.slow
async def test_plain_facts_need_no_file_and_are_reported_by_language(settings: Settings, encoder: Encoder) -> None:
    benchmark = EvidenceBenchmark(
        options=EvidenceOptions(set="plain-facts", limit=1), settings=settings, encoder=encoder
    )
    found = await run_benchmark("plain-facts", benchmark, options=RunOptions(), console=QUIET)
    figures: Any = found.report.figures
    assert {"all", "en", "zh", "ar"} < set(figures["by_kind"])
    assert figures["by_kind"]["all"]["systems"]["BM25, sentences"]["right first"] > 0.5
    again = benchmark_of(found.folder, settings=settings, encoder=encoder)
    assert again.options == benchmark.options


def test_a_set_without_labels_is_refused(tmp_path: Path, settings: Settings, encoder: Encoder) -> None:
    (tmp_path / "Chat_1.json").write_text(json.dumps(CHAT | {"qa": CHAT["qa"][1:]}))
    benchmark = EvidenceBenchmark(
        options=EvidenceOptions(set="realtalk", data=tmp_path), settings=settings, encoder=encoder
    )
    with pytest.raises(Unusable, match="no question with labelled evidence"):
        benchmark.ids()


def test_label_errors_can_be_left_out(tmp_path: Path, settings: Settings, encoder: Encoder) -> None:
    (tmp_path / "locomo.json").write_text(json.dumps([conversation()]))
    errors = tmp_path / "errors.txt"
    errors.write_text("conv-1:1\n")
    benchmark = EvidenceBenchmark(
        options=EvidenceOptions(set="locomo", data=tmp_path / "locomo.json", exclude=errors, limit=2),
        settings=settings,
        encoder=encoder,
    )
    assert benchmark.ids() == ["conv-1:0", "conv-1:2"]


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "file", "least"), [("locomo", "locomo_dev.json", 0.45), ("realtalk", "realtalk", 0.4)]
)
async def test_the_development_conversations(
    name: SetName, file: str, least: float, shared_data: Path, settings: Settings, encoder: Encoder, tmp_path: Path
) -> None:
    """A few questions of each conversation keep the run short; the figures of all are in docs/benchmarks/memory.md."""
    figures: Any = (await run(name, shared_data / file, settings, encoder, limit=5)).report.figures
    ours = figures["by_kind"]["all"]["systems"][OURS]
    assert all(tokens <= budget for tokens, budget in zip(ours["tokens"], BUDGETS, strict=True))
    assert ours["evidence recall"][BUDGETS.index(165)] >= least
    assert sorted(ours["evidence recall"]) == ours["evidence recall"], "a wider context holds no less"
