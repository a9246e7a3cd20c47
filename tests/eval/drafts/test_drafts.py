"""From recorded calls to labelled drafts and rows of systems; no model runs."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from time import perf_counter

import numpy as np
import pytest
from numpy.typing import NDArray

from cascade import Cascade, Policy
from cascade.call_trace import Trace
from cascade.guards import AnswerabilityGuard, CitationGuard, FinishGuard, SchemaGuard
from cascade.guards.correctness import correctness_score
from eval.drafts.collecting import RecordedChat, in_order, tier_over
from eval.drafts.contexts import Asked
from eval.drafts.labelled import Labelled, Labelling, read_labelled, write_labelled
from eval.drafts.questions import in_hash_order
from eval.drafts.rejudged import REJUDGED, rejudged
from eval.drafts.report import cascade_table, common, guards_table, systems_table
from eval.drafts.systems import SYSTEMS, read_rows, run_systems, write_rows
from eval.harness.conversations import LabelledQuestion
from tests.support.briefs import brief, quote
from tests.support.tiers import Scripted

SMALL, LARGE = Path("small.gguf"), Path("large.gguf")
UNKNOWN = '{"answer": "unknown", "citations": []}'
RIGHT, WRONG = '{"answer": "Rex", "citations": [1]}', '{"answer": "Max", "citations": [7]}'
GUARDS = (FinishGuard(), AnswerabilityGuard(threshold=0.1), CitationGuard())


def asked(id_: str = "c:0", *, answer: str = "Rex") -> Asked:
    question = LabelledQuestion(
        id=id_, question=f"What is the dog of {id_} called?", answer=answer, kind="fact", evidence=frozenset({"D1:1"}),
        answerable=bool(answer),
    )  # fmt: skip
    own = brief(question.question, quote(1, "My dog is called Rex.", 0.8))
    wider = replace(own, budget=660)
    return Asked(set="sample", use="testing", conversation="c", question=question, briefs=(own, wider))


async def embed(texts: Sequence[str]) -> NDArray[np.float32]:
    return np.ones((len(texts), 1), dtype=np.float32)


async def record(folder: Path, model: Path, one: Asked, reply: str) -> None:
    """Have a model that says `reply` asked for its first draft."""
    chat = RecordedChat(Scripted(reply), model=model.name, folder=folder)
    trace = Trace(started_s=perf_counter(), deadline_s=60)
    await tier_over("local", model, chat).draft(one.briefs[0], trace)


async def labelled(folder: Path, *questions: Asked) -> list[Labelled]:
    chat = RecordedChat(None, model=SMALL.name, folder=folder)
    tier = tier_over("local", SMALL, chat)
    labelling = Labelling(tier=tier, recorded=chat, guards=GUARDS)
    return [row async for row in labelling.rows(questions)]


async def test_what_was_recorded_is_not_asked_again(tmp_path: Path) -> None:
    await record(tmp_path, SMALL, asked(), RIGHT)
    await record(tmp_path, SMALL, asked(), WRONG)
    [row] = await labelled(tmp_path, asked())
    assert row.right


async def test_drafts_are_labelled_and_hold_no_word(tmp_path: Path) -> None:
    await record(tmp_path, SMALL, asked("c:0"), RIGHT)
    await record(tmp_path, SMALL, asked("c:1"), WRONG)
    await record(tmp_path, SMALL, asked("c:2", answer=""), '{"answer": "unknown", "citations": []}')
    rows = await labelled(tmp_path, *(asked(f"c:{n}") for n in range(2)), asked("c:2", answer=""), asked("c:3"))
    assert [(row.question, row.right, row.abstains) for row in rows] == [
        ("c:0", True, False), ("c:1", False, False), ("c:2", True, True),
    ]  # fmt: skip
    assert [row.statuses["citations"] for row in rows] == ["pass", "fail", "pass"]
    assert rows[0].features
    assert not rows[2].features
    assert "| `citations` | 1/2 | 1/1 = 1.00" in guards_table(rows)
    write_labelled(rows, tmp_path / "rows")
    assert sorted(read_labelled(tmp_path / "rows"), key=lambda row: row.question) == rows
    assert not {"Rex", "Max", "dog"} & set(json.dumps([asdict(row) for row in rows]).replace('"', " ").split())


def cut_off(folder: Path) -> None:
    """Begin another line."""
    [file] = folder.glob("*.jsonl")
    with file.open("a") as cut:
        cut.write('{"key": "abc')


async def test_an_interrupted_recording_is_read_up_to_its_last_whole_line(tmp_path: Path) -> None:
    await record(tmp_path, SMALL, asked(), RIGHT)
    cut_off(tmp_path)
    assert len(await labelled(tmp_path, asked())) == 1


@pytest.mark.parametrize(("cheap", "dear", "path"), [(RIGHT, WRONG, "local"), (WRONG, RIGHT, "frontier")])
async def test_systems_answer_from_recordings(tmp_path: Path, cheap: str, dear: str, path: str) -> None:
    small, large = tmp_path / "small", tmp_path / "large"
    await record(small, SMALL, asked(), cheap)
    await record(large, LARGE, asked(), dear)
    chats = {
        "local": RecordedChat(None, model=SMALL.name, folder=small),
        "frontier": RecordedChat(None, model=LARGE.name, folder=large),
    }
    cascade = Cascade(
        guards=(FinishGuard(), SchemaGuard(), CitationGuard()), quote_guards=(), answerable_from=0.0,
        local=tier_over("local", SMALL, chats["local"]), frontier=tier_over("frontier", LARGE, chats["frontier"]),
    )  # fmt: skip
    cascade = replace(cascade, policy=replace(cascade.policy, repair=False))
    rows = {row.system: row for row in await run_systems([asked(), asked("c:9")], cascade, chats)}
    assert tuple(rows) == SYSTEMS, "of the question that was not asked there is nothing"
    assert "1/1 = 1.00" in systems_table(common([*rows.values()], ["cascade", "no-guards"]))
    assert rows["cascade"].path == path
    assert rows["cascade"].right
    assert rows["cascade"].verified
    assert rows["local-alone"].right == (cheap == RIGHT)
    assert rows["frontier-alone"].right == (dear == RIGHT)
    assert rows["no-guards"].path == "local"
    write_rows([*rows.values()], tmp_path / "rows")
    read = read_rows(tmp_path / "rows")
    assert [row.system for row in read] == [*SYSTEMS]
    assert not any(row.answer or row.drafts for row in read)


@pytest.mark.parametrize(("cheap", "above"), [(RIGHT, WRONG), (WRONG, RIGHT), (WRONG, WRONG), (UNKNOWN, RIGHT)])
async def test_labelled_drafts_judged_again_end_as_the_cascade_ended(tmp_path: Path, cheap: str, above: str) -> None:
    """Over the rows alone: what is served, by whom, and which models were asked."""
    small, large = tmp_path / "small", tmp_path / "large"
    await record(small, SMALL, asked(), cheap)
    await record(large, LARGE, asked(), above)
    chats = [RecordedChat(None, model=file.name, folder=at) for file, at in ((SMALL, small), (LARGE, large))]
    cheap_tier, tier_above = tier_over("local", SMALL, chats[0]), tier_over("frontier", LARGE, chats[1])
    rows = [
        row
        for tier, chat in ((cheap_tier, chats[0]), (tier_above, chats[1]))
        async for row in Labelling(tier=tier, recorded=chat, guards=GUARDS).rows([asked()])
    ]
    [again] = rejudged(rows, [SMALL.name, LARGE.name], correctness_score(), 0.0)
    cascade = Cascade(
        guards=GUARDS, quote_guards=(), answerable_from=0.1, local=cheap_tier, frontier=tier_above,
        policy=Policy(repair=False, widen_before=0, widen_after=0),
    )  # fmt: skip
    [ended] = [
        row
        for row in await run_systems([asked()], cascade, {"local": chats[0], "frontier": chats[1]})
        if row.system == REJUDGED
    ]
    served = ("path", "abstained", "right", "verified", "contained")
    assert [getattr(again, name) for name in served] == [getattr(ended, name) for name in served]
    assert {tier: spent.prompt_tokens for tier, spent in again.spent.items()} == {
        tier: spent.prompt_tokens for tier, spent in ended.spent.items()
    }
    assert "| 0.0 | " in cascade_table(rows)


async def test_nothing_is_served_below_the_threshold(tmp_path: Path) -> None:
    await record(tmp_path, SMALL, asked(), RIGHT)
    [again] = rejudged(await labelled(tmp_path, asked()), [SMALL.name], correctness_score(), 1.0)
    assert again.abstained
    assert not again.right
    [best] = rejudged(await labelled(tmp_path, asked()), [SMALL.name], correctness_score(), 1.0, unverified=True)
    assert (best.right, best.verified, best.abstained) == (True, False, False)


def test_any_beginning_of_the_order_is_a_sample_of_all() -> None:
    questions = [asked(f"c:{n}") for n in range(50)]
    assert in_order(questions) != questions
    assert in_order(questions[::-1]) == in_order(questions)
    assert {one.id for one in in_hash_order([one.question for one in questions])} == {
        one.question.id for one in questions
    }
