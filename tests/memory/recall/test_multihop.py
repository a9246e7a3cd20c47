"""Following names from turn to turn: where a question starts from a rare name, and nowhere else."""

from datetime import UTC, datetime

import pytest

from memory import Remember
from memory.api import Memory
from tests.support.turns import SCOPE, said

CHAIN = (
    "The silver casket of Yodolu is looked after by Tressik.",
    "Tressik rents a room in Pellworth.",
    "The mill in Pellworth opens with 4417.",
)
SMALL_TALK = [f"On day {n} it rained and we stayed in, reading number {n} of the old magazines." for n in range(60)]
OTHERS = [f"The mill in Town{n} opens with {5000 + n}." for n in range(12)]


async def quotes(memory: Memory, question: str) -> list[str]:
    found = await memory.recall(SCOPE, question, datetime.now(UTC))
    return [one.quote for one in found.evidence]


@pytest.fixture
async def filled(memory: Memory) -> Memory:
    texts = [*SMALL_TALK[:20], CHAIN[0], *SMALL_TALK[20:40], CHAIN[1], *OTHERS, *SMALL_TALK[40:], CHAIN[2]]
    turns = [said(text, id=str(place), days=place) for place, text in enumerate(texts)]
    receipt = await memory.remember(Remember(scope=SCOPE, session_id="s1", turns=turns))
    assert await memory.until_indexed(receipt)
    return memory


async def test_a_chain_is_followed_to_its_end(filled: Memory) -> None:
    found = await quotes(
        filled, "What opens the mill in the town where the keeper of the casket of Yodolu rents a room?"
    )
    assert set(found[:4]) >= set(CHAIN)


async def test_nothing_is_followed_without_a_rare_name(filled: Memory) -> None:
    found = await quotes(filled, "What did we read when it rained?")
    assert set(found[:5]) <= set(SMALL_TALK)


async def test_a_name_that_many_turns_hold_leads_nowhere(memory: Memory) -> None:
    everywhere = [said(f"Tressik came by on day {n}.", id=f"t{n}") for n in range(8)]
    turns = [said(CHAIN[0], id="casket"), *everywhere]
    receipt = await memory.remember(Remember(scope=SCOPE, session_id="s1", turns=turns))
    assert await memory.until_indexed(receipt)
    found = await memory.recall(SCOPE, "Who looks after the casket of Yodolu?", datetime.now(UTC))
    assert found.evidence[0].quote == CHAIN[0]
    assert all(one.score < 0.99 * found.evidence[0].score for one in found.evidence[1:]), "none was put right behind it"


async def test_features_are_those_of_the_passage(filled: Memory) -> None:
    found = await filled.recall(SCOPE, "Who looks after the casket of Yodolu?", datetime.now(UTC))
    judged = found.features_of(found.evidence[0])
    assert judged["turn_coverage"] == max(found.features["turn_coverage"])
    assert all(one.row is not None or one.quote in CHAIN for one in found.evidence)
    followed = next(one for one in found.evidence if one.quote == CHAIN[1])
    assert followed.row is not None or found.features_of(followed) == {}
