import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from cascade.decision import Decision
from cascade.errors import ChatFailed, TierDown
from cascade.shadowing import Shadowing
from tests.support.briefs import brief, quote
from tests.support.tiers import DEAR, Scripted, tier

SERVED = Decision(
    id="0" * 32,
    decided_at=datetime(2024, 4, 1, tzinfo=UTC),
    path="local",
    tier="local",
    model="local",
    answer="The cat is called Miso.",
    verified=True,
    citations=(),
    brief=brief("What is the cat called?", quote(2, "My cat is called Miso.", 0.8)),
    verdicts=(),
    calls=(),
    latency_ms=1,
)


def shadowing(chat: Scripted, share: float = 1.0) -> Shadowing:
    return Shadowing(tier=tier(chat, name="frontier", price=DEAR, tries=1), share=share)


def says(answer: str | None) -> Scripted:
    return Scripted(json.dumps({"answer": answer, "citations": [2] if answer else []}))


@pytest.mark.parametrize(
    ("decision", "chosen"),
    [
        (SERVED, True),
        (replace(SERVED, path="widened"), True),
        (replace(SERVED, path="frontier"), False),
        (replace(SERVED, verified=False), False),
        (replace(SERVED, brief=brief("What is the cat called?")), False),
    ],
)
def test_verified_answers_of_the_cheap_tier_are_chosen(decision: Decision, chosen: bool) -> None:
    assert shadowing(says("Miso.")).chooses(decision) is chosen
    assert not shadowing(says("Miso."), share=0.0).chooses(decision)


def test_the_share_follows_from_the_ids_evenly() -> None:
    decisions = [replace(SERVED, id=f"{n * 2_654_435_761 % 2**32:08x}" + "0" * 24) for n in range(2_000)]
    chosen = [shadowing(says("Miso."), share=0.1).chooses(one) for one in decisions]
    assert 150 < sum(chosen) < 250
    assert chosen == [shadowing(says("Miso."), share=0.1).chooses(one) for one in decisions]


@pytest.mark.parametrize(
    ("answer", "agrees"), [("It is called Miso, the cat.", True), ("Bella.", False), (None, False)]
)
async def test_the_expensive_tiers_answer_is_compared_and_its_cost_noted(answer: str | None, agrees: bool) -> None:
    shadow = await shadowing(says(answer)).ask(SERVED)
    assert (shadow.decision_id, shadow.agrees, shadow.answer) == (SERVED.id, agrees, answer or "")
    assert shadow.agrees == (shadow.overlap >= 0.6)
    assert shadow.cost_nanousd == 100 * 10_000 + 10 * 30_000


async def test_a_tier_that_is_down_says_nothing_of_the_answer() -> None:
    with pytest.raises(TierDown):
        await shadowing(Scripted(ChatFailed("server", "500"))).ask(SERVED)
