"""The LongMemEval runner: the official format in, the official hypothesis file out, resumable, nothing leaking from ids."""

import io
import json
import lzma
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from eval.baselines import BASELINES
from eval.embedding_cache import CachedEncoder
from eval.longmemeval import LongMemEval
from eval.longmemeval_data import read_longmemeval
from eval.runs import Options, Run, answers_of, run_benchmark, scores_of
from memory.encoder import Encoder
from tests.support.chat_server import Reply, chat_server, says
from tests.support.turns import held
from tirtha.settings import Settings, TierSettings

QUIET = Console(file=io.StringIO())


def session(*texts: str, answer: int | None = None) -> list[dict[str, Any]]:
    roles = ("user", "assistant")
    turns: list[dict[str, Any]] = [{"role": roles[place % 2], "content": text} for place, text in enumerate(texts)]
    if answer is not None:
        turns = [turn | {"has_answer": place == answer} for place, turn in enumerate(turns)]
    return turns


def question(question_id: str, **changes: Any) -> dict[str, Any]:
    return {
        "question_id": question_id,
        "question_type": "single-session-user",
        "question": "Where did I redeem the coupon?",
        "answer": 5,
        "question_date": "2023/05/30 (Tue) 01:13",
        "haystack_dates": ["2023/05/01 (Mon) 10:00", "2023/05/20 (Sat) 02:21"],
        "haystack_session_ids": ["answer_1", "noise_1"],
        "haystack_sessions": [
            session("I redeemed a coupon at Target.", "Nice! Anything else?", answer=0),
            session("How do I bake bread?", "Mix flour and water."),
        ],
        "answer_session_ids": ["answer_1"],
    } | changes


@pytest.fixture
def data(tmp_path: Path) -> Path:
    records = [
        question("q1"),
        question("q2_abs", question="Where did I buy a yacht?"),
        question(
            "q3",
            haystack_sessions=[
                session("Suggest a bread.", "A redeemed coupon gets you rye.", answer=1),
                session("How do I bake bread?", "Mix flour and water."),
            ],
        ),
    ]
    file = tmp_path / "longmemeval_tiny.json"
    file.write_text(json.dumps(records))
    return file


async def run(data: Path, settings: Settings, encoder: Encoder, folder: Path | None = None, **changes: Any) -> Run:
    benchmark = LongMemEval(settings=settings, encoder=encoder, file=data, **changes)
    found = await run_benchmark(benchmark, settings=settings, options=Options(folder=folder), console=QUIET)
    assert found.report.tables
    return found


def test_ids_that_say_answer_never_reach_the_memory(data: Path) -> None:
    read = list(read_longmemeval(data))
    for one in read:
        assert all("answer" not in each.key for each in one.sessions)
        assert all("answer" not in (turn.id or "") for each in one.sessions for turn in each.turns)
    assert read[0].answer == "5"
    assert [one.abstention for one in read] == [False, True, False]
    assert [len(one.strict_sessions) for one in read] == [1, 1, 0], "an assistant's label is no user's turn"


async def test_the_three_denominators(data: Path, settings: Settings, encoder: Encoder) -> None:
    figures: Any = (await run(data, settings, encoder, baselines=True)).report.figures["retrieval"]
    assert set(figures) == {"tirtha", *BASELINES}
    ours = figures["tirtha"]["sessions"]
    assert [ours[name]["n"] for name in ("all", "without abstention", "strict")] == [3, 2, 1]
    assert ours["strict"]["recall_all@1"] == 1.0
    assert ours["without abstention"]["recall_any@50"] == 0.5, "as the paper prints it: no target, no hit"
    assert ours["without abstention"]["recall_all@50"] == 1.0, "and all of nothing"
    assert ours["all"]["recall_all@50"] == 1.0
    assert figures["tirtha"]["turns"]["strict"]["n"] == 1


async def test_the_hypothesis_file_and_resuming(
    data: Path, settings: Settings, encoder: Encoder, tmp_path: Path
) -> None:
    unbroken = await run(data, settings, encoder, tmp_path / "unbroken")
    folder = tmp_path / "run"
    await run(data, settings, encoder, folder)
    samples = folder / "samples.jsonl"
    samples.write_text(samples.read_text().rstrip()[:-40])  # as a crash in the middle of a line leaves it
    before = samples.read_text()
    whole = await run(data, settings, encoder, folder)
    assert samples.read_text().startswith(before), "what was done is not done again"
    lines = [json.loads(line) for line in (folder / "hypotheses.jsonl").read_text().splitlines()]
    assert [set(line) for line in lines] == [{"question_id", "hypothesis"}] * 3
    assert [line["question_id"] for line in lines] == ["q1", "q2_abs", "q3"]
    assert whole.report.figures == unbroken.report.figures


async def test_answers_are_judged_by_type_and_abstention_apart(
    data: Path, settings: Settings, encoder: Encoder
) -> None:
    asked: list[str] = []

    def judge(request: dict[str, Any]) -> Reply:
        asked.append(request["messages"][-1]["content"])
        return says("Yes.", model="a-judge")

    with chat_server("a-judge") as server:
        server.script = judge
        tier = TierSettings(url=server.url, model="a-judge", input_usd_per_mtok=1, output_usd_per_mtok=1)
        own = settings.model_copy(update={"frontier": tier})
        found = await run(data, own, encoder, judge="frontier")
    answers: Any = found.report.figures["answers"]
    assert answers["overall"] == {"n": 3, "right": 3}
    assert answers["abstention"] == {"n": 1, "right": 1}
    assert any("Unofficial judge: a-judge" in note for note in found.report.notes)
    assert sum("cannot be answered" in prompt for prompt in asked) == 1
    assert found.report.figures["cost_nanousd"] == sum(
        one.cost_nanousd for one in scores_of(found.folder).values()
    ) + sum(one.cost_nanousd for one in answers_of(found.folder).values())


async def test_a_folder_of_another_run_is_refused(
    data: Path, settings: Settings, encoder: Encoder, tmp_path: Path
) -> None:
    await run(data, settings, encoder, tmp_path / "run", limit=1)
    with pytest.raises(ValueError, match="another benchmark, config"):
        await run(data, settings, encoder, tmp_path / "run", budget=330)


@pytest.mark.parametrize("content", ["{}", "[]", "nonsense", '[{"question_id": "x"}]'])
def test_another_format_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "other.json").write_text(content)
    with pytest.raises(ValueError, match=r"other\.json"):
        list(read_longmemeval(tmp_path / "other.json"))


def test_genuine_records_are_read(shared_data: Path) -> None:
    read = list(read_longmemeval(shared_data / "longmemeval_sample.json.xz"))
    assert [one.id for one in read] == ["852ce960", "e47becba", "gpt4_59149c77"]
    raw = json.loads(lzma.decompress((shared_data / "longmemeval_sample.json.xz").read_bytes()))
    assert [len(one.sessions) for one in read] == [len(record["haystack_sessions"]) for record in raw]


def test_cached_embeddings_are_those_of_the_model(tmp_path: Path, encoder: Encoder) -> None:
    turns = [held("I redeemed a coupon. It was at Target.", pk=1), held("How are you?", pk=2)]
    first = CachedEncoder(tmp_path / "cache.sqlite3").encode_turns_blocking(turns)
    again = CachedEncoder(tmp_path / "cache.sqlite3").encode_turns_blocking([turns[1], turns[0], turns[0]])
    fresh = encoder.encode_turns_blocking(turns)
    for cached, wanted in ((first, fresh), (again, [fresh[1], fresh[0], fresh[0]])):
        for ours, theirs in zip(cached, wanted, strict=True):
            assert [(one.turn_pk, one.passage) for one in ours] == [(one.turn_pk, one.passage) for one in theirs]
            for one, other in zip(ours, theirs, strict=True):
                assert abs(one.vector - other.vector).max() < 1e-5
                assert abs(one.turn_vector - other.turn_vector).max() < 1e-5
