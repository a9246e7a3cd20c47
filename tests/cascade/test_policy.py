"""The policy: each of its fields changes what is tried, and its hash tells any two policies apart."""

from dataclasses import fields, replace
from typing import Any

import pytest

from cascade import Policy
from cascade.policy import hash_of
from tests.cascade.test_engine import ASKED, CAT, DOG, NOTHING, RIGHT, WRONG, cascade, decide
from tests.support.briefs import brief, quote
from tests.support.tiers import Scripted

OTHERS: dict[str, Any] = {
    "ladder": (660,),
    "widen_before": 2,
    "widen_after": 1,
    "raw": True,
    "repair": False,
    "verify": False,
    "unverified": "serve",
}
MORE = quote(4, "I feed the cat at noon.", 0.6)
WIDE = brief("What is the cat called?", CAT, DOG, budget=660)
WIDEST = brief("What is the cat called?", CAT, DOG, MORE, budget=2_640)


@pytest.mark.parametrize("name", [field.name for field in fields(Policy)])
def test_another_value_of_any_field_is_another_hash(name: str) -> None:
    usual = Policy()
    assert replace(usual, **{name: OTHERS[name]}).hash != usual.hash
    assert replace(usual, **{name: getattr(usual, name)}).hash == usual.hash


def test_the_hash_is_short_the_same_everywhere_and_of_no_order() -> None:
    assert Policy().hash == Policy().hash
    assert len(bytes.fromhex(Policy().hash)) == 8
    assert hash_of({"a": 1, "b": (2,)}) == hash_of({"b": (2,), "a": 1}) != hash_of({"a": 1, "b": (2, 3)})


async def test_a_draft_that_may_not_be_repaired_goes_on_to_the_next_tier() -> None:
    local = Scripted(WRONG, RIGHT)
    decision = await decide(cascade(local, Scripted(RIGHT), policy=Policy(repair=False)))
    assert decision.path == "frontier"
    assert [call.purpose for call in decision.calls] == ["draft", "draft"]
    assert len(local.requests) == 1


@pytest.mark.parametrize(
    ("ladder", "widen_before", "path", "budget"),
    [
        ((660, 2_640), 2, "widened", 2_640),
        ((660, 2_640), 1, "abstain", 660),
        ((660, 2_640), 0, "abstain", 165),
        ((2_640,), 1, "widened", 2_640),
        ((), 2, "abstain", 165),
    ],
)
async def test_the_cheap_tier_climbs_as_far_as_it_may(
    ladder: tuple[int, ...], widen_before: int, path: str, budget: int
) -> None:
    """The model finds the answer in the widest context alone."""
    steps = min(widen_before, len(ladder))
    local = Scripted(*[NOTHING] * steps, RIGHT) if path == "widened" else Scripted(NOTHING)
    policy = Policy(ladder=ladder, widen_before=widen_before)
    decision = await decide(cascade(local, policy=policy), ASKED, WIDE, WIDEST)
    assert (decision.path, decision.brief.budget) == (path, budget)
    assert len(local.requests) == steps + 1


@pytest.mark.parametrize(
    ("unverified", "path", "answer"), [("serve", "local_repaired", "Bella."), ("abstain", "abstain", None)]
)
async def test_what_is_served_when_nothing_passes(unverified: Any, path: str, answer: str | None) -> None:
    decision = await decide(cascade(Scripted(WRONG), policy=Policy(unverified=unverified)))
    assert (decision.path, decision.verified) == (path, False)
    assert decision.abstained == (answer is None)
    if answer:
        assert decision.answer == answer


async def test_the_decision_holds_the_hash_of_its_policy() -> None:
    policy = Policy(widen_before=2)
    decision = await decide(cascade(Scripted(RIGHT), policy=policy))
    assert decision.hashes.policy == policy.hash
