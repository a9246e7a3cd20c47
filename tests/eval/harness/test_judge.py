"""A judge's reply is a verdict, or the row is an error: silence is no wrong answer."""

import json
from pathlib import Path

import pytest

from eval.harness.judge import ToJudge, judging
from tests.support.chat_server import Reply, chat_server, says
from tirtha.settings import Settings, TierSettings


async def judged(tmp_path: Path, reply: Reply) -> tuple[object, str, int]:
    with chat_server("a-judge") as server:
        server.script = lambda request: reply
        own = TierSettings(url=server.url, model="a-judge", input_usd_per_mtok=1, output_usd_per_mtok=1)
        asked = {"q": ToJudge(type="default", question="Where?", answer="Tromso", reply="In Tromso.")}
        async with judging(Settings(home=tmp_path, frontier=own), "frontier", asked) as judge:
            sample = await judge("q")
    return sample.value.get("right"), sample.fault, sample.cost_nanousd


@pytest.mark.parametrize(
    ("said", "right"),
    [
        ("Yes.", True),
        ("<think>no?</think>**Yes**", True),
        ("No. The gold answer says yes, the reply says yesterday.", False),
        ("Both name the same town.\n\nVerdict: yes", True),
        (json.dumps({"verdict": "no", "why": "yes is not said"}), False),
    ],
)
async def test_a_verdict_is_read_where_it_stands(tmp_path: Path, said: str, right: bool) -> None:
    assert await judged(tmp_path, says(said, model="a-judge")) == (right, "", 110_000)


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (says("", model="a-judge"), "said nothing"),
        (says("<think>yes", finish="length", model="a-judge"), "said nothing"),
        (says("It depends on what yes means.", model="a-judge"), "neither yes nor no"),
    ],
)
async def test_a_judge_that_says_neither_is_an_error_and_paid_for(tmp_path: Path, reply: Reply, why: str) -> None:
    right, fault, cost = await judged(tmp_path, reply)
    assert right is None
    assert why in fault
    assert cost >= 110_000
