"""What a memory finds: by who said it, by when, through the question before it, and in one session alone."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from memory import NewTurn, Scope
from memory.api import Memory
from memory.encoding.encoder import Encoder
from tests.support.memory import memory_in
from tests.support.remembering import CHAT, found, indexed, remember
from tests.support.turns import MAY_8, SCOPE, said


async def test_recall_is_the_same_from_the_tail_and_from_the_index(tmp_path: Path, encoder: Encoder) -> None:
    question = "Where does the support group meet?"
    async with memory_in(tmp_path, encoder) as memory:
        receipt = await remember(memory, *CHAT)
        waiting = await memory.recall(SCOPE, question, MAY_8)
        await indexed(memory, receipt)
        held = await memory.recall(SCOPE, question, MAY_8)
    assert waiting.evidence[0].turn.id == held.evidence[0].turn.id == "5"
    assert [e.quote for e in waiting.evidence] == [e.quote for e in held.evidence]
    assert [e.score for e in waiting.evidence] == pytest.approx([e.score for e in held.evidence], abs=1e-2)


async def test_the_answer_after_a_question_is_found_through_it(memory: Memory) -> None:
    await indexed(memory, await remember(memory, *CHAT))
    assert (await found(memory, "What is the kitten called?"))[:2] in (["2", "3"], ["3", "2"])


async def test_the_named_speaker_counts(memory: Memory) -> None:
    turns = [
        said("I took a pottery class in spring.", id="1", speaker="Caroline"),
        said("I took a pottery class in spring, too.", id="2", role="assistant", speaker="Mel"),
    ]
    await indexed(memory, await remember(memory, *turns))
    assert (await found(memory, "When did Caroline take a pottery class?"))[0] == "1"
    assert (await found(memory, "When did Mel take a pottery class?"))[0] == "2"


async def test_i_and_you_are_the_user_and_the_assistant(memory: Memory) -> None:
    turns = [
        said("I could cook a mushroom risotto tonight.", id="1"),
        said("You could cook a mushroom risotto tonight.", id="2", role="assistant"),
    ]
    await indexed(memory, await remember(memory, *turns))
    assert (await found(memory, "What did I say I could cook?"))[0] == "1"
    assert (await found(memory, "What did you suggest to cook?"))[0] == "2"


async def test_the_time_asked_about_counts(memory: Memory) -> None:
    for month in range(1, 7):
        at = datetime(2023, month, 10, tzinfo=UTC)
        turn = NewTurn(id=str(month), role="user", text="We had dinner with the neighbours.", said_at=at)
        await remember(memory, turn, session=f"s{month}")
    assert (await found(memory, "Who came to dinner in April 2023?"))[0] == "4"


@pytest.mark.parametrize("in_index", [True, False])
async def test_a_session_is_searched_by_itself(memory: Memory, in_index: bool) -> None:
    loud = [said(f"My cat number {n} is called Miso and likes fish.", id=str(n)) for n in range(300)]
    await remember(memory, *loud, session="loud")
    await remember(memory, said("The weather is fine.", id="q1"), said("Our cat ran off.", id="q2"), session="quiet")
    if in_index:
        await memory.drain()

    async def searched(session: str, question: str, scope: Scope = SCOPE) -> list[str]:
        recollection = await memory.recall_session(scope, session, question, datetime.now(UTC))
        return list(dict.fromkeys(evidence.turn.id for evidence in recollection.evidence))

    assert await searched("quiet", "What is my cat called?") == ["q2", "q1"]
    assert (await searched("loud", "What about cat number 123?"))[0] == "123"
    assert await searched("none", "What is my cat called?") == []
    assert await searched("quiet", "What is my cat called?", Scope(tenant="other", user_id="u1")) == []
