"""What a prompt holds already is left out of recall: as if those turns had never been said."""

from pathlib import Path
from typing import Any

import pytest

from memory import Recollection, Remember
from memory.api import Memory, MemorySettings
from memory.encoding.encoder import Encoder
from tests.support.memory import memory_in
from tests.support.turns import MAY_8, SCOPE, said

TOPICS = ["choir", "garden", "boat", "kitchen", "library"]
PAST = [said(f"The {topic} opens at {n} on day {n}, says Ana.", id=f"p{n}") for n, topic in enumerate(TOPICS * 4)]
# Many turns on the subject: without care they would take every place in the searches.
NOW = [said(f"When does the choir open on day {n}? I ask about the choir of Ana.", id=f"n{n}") for n in range(300)]
LAST = [said("The boat of Ana leaves at nine.", id=f"l{n}", days=n) for n in range(2)]
QUESTIONS = ["When does the choir open?", "What does Ana say of the boat?"]
ALL_OF_NOW = frozenset(("now", f"n{n}") for n in range(300))


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    """One that takes its time, so that turns which are to wait for the index do."""
    return Encoder()


def scores_of(found: list[Recollection]) -> dict[str, float]:
    """What was found of each question, and how likely its answer is there."""
    answers = {f"{n}: answerable": each.answerable for n, each in enumerate(found)}
    return answers | {
        f"{n}: {one.quote} ({one.turn.id})": one.score for n, each in enumerate(found) for one in each.evidence
    }


def alike(expected: dict[str, float]) -> Any:
    """As `expected`: a text's vector depends a little on those that were encoded beside it."""
    return pytest.approx(expected, abs=1e-3)


async def fill(memory: Memory, *, now: bool, indexed: bool) -> None:
    await memory.remember(Remember(scope=SCOPE, session_id="past", turns=PAST))
    if indexed:
        await memory.drain()
    if now:
        await memory.remember(Remember(scope=SCOPE, session_id="now", turns=NOW))
    await memory.remember(Remember(scope=SCOPE, session_id="last", turns=LAST))
    if indexed:
        await memory.drain()


@pytest.mark.slow
@pytest.mark.parametrize("indexed", [True, False])
async def test_what_is_left_out_changes_nothing(tmp_path: Path, encoder: Encoder, indexed: bool) -> None:
    """Warm, and cold where everything is indexed; by the session, and turn by turn."""
    async with memory_in(tmp_path / "without", encoder) as memory:
        await fill(memory, now=False, indexed=True)
        expected = scores_of([await memory.recall(SCOPE, question, MAY_8) for question in QUESTIONS])
    home = tmp_path / "home"
    async with memory_in(home, encoder) as memory:
        await fill(memory, now=True, indexed=indexed)
        for left_out in ({"exclude_session_id": "now"}, {"exclude": ALL_OF_NOW}):
            found = [await memory.recall(SCOPE, question, MAY_8, **left_out) for question in QUESTIONS]
            assert scores_of(found) == alike(expected)
        whole = scores_of([await memory.recall(SCOPE, question, MAY_8) for question in QUESTIONS])
        assert whole.keys() != expected.keys()
        await memory.drain()
    async with memory_in(home, encoder, MemorySettings(hot_vectors_mb=0)) as memory:
        found = [await memory.recall(SCOPE, question, MAY_8, exclude_session_id="now") for question in QUESTIONS]
        assert scores_of(found) == alike(expected)


async def test_what_is_named_and_not_there_is_no_error(memory: Memory) -> None:
    await fill(memory, now=False, indexed=True)
    whole = scores_of([await memory.recall(SCOPE, QUESTIONS[1], MAY_8)])
    unknown = frozenset({("past", "none"), ("none", "p1")})
    found = await memory.recall(SCOPE, QUESTIONS[1], MAY_8, exclude=unknown, exclude_session_id="none")
    assert scores_of([found]) == alike(whole)
    one = await memory.recall(
        SCOPE, QUESTIONS[1], MAY_8, exclude=frozenset({("last", "l0")}), exclude_session_id="past"
    )
    assert {evidence.turn.id for evidence in one.evidence} == {"l1"}


async def test_a_session_is_searched_as_of_a_day(memory: Memory) -> None:
    await fill(memory, now=False, indexed=True)
    found = await memory.recall_session(SCOPE, "last", QUESTIONS[1], MAY_8, until=MAY_8)
    assert {evidence.turn.id for evidence in found.evidence} == {"l0"}
