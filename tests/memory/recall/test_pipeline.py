"""One search path: what a question finds does not depend on what is in memory, nor on what others remember."""

from pathlib import Path

import anyio
import pytest

from memory import NewTurn, Scope
from memory.api import Memory, MemorySettings
from memory.encoding.encoder import Encoder
from tests.support.memory import memory_in
from tests.support.remembering import indexed, remember
from tests.support.turns import MAY_8, SCOPE, said

NAMES = ["Ana", "Bela", "Caro", "Dario", "Emil", "Fay"]
THINGS = ["support group", "pottery class", "choir", "garden club", "chess club", "running group", "book club"]
PLACES = ["library", "town hall", "old mill", "school", "park", "station"]
QUESTIONS = [
    *(f"Where does the {thing} meet?" for thing in THINGS),
    *(f"What does {name} do at the {place}?" for name, place in zip(NAMES, PLACES, strict=True)),
    "Who goes to the library on Thursdays?",
    "Which club meets in the park?",
    "咖啡馆在哪里?",
    "Where is the cafe?",
]
ALL_COLD = MemorySettings(hot_vectors_mb=0)

Answer = list[tuple[str, str, float]]


def history(first: int, count: int) -> list[NewTurn]:
    talk = [
        f"{NAMES[n % 6]} says the {THINGS[n % 7]} meets at the {PLACES[n * n % 6]}. It begins at {n % 12 + 1}, and {n} people come."
        for n in range(first, first + count)
    ]
    return [said(text, id=f"t{first + n}", speaker=NAMES[n % 3], days=n // 4) for n, text in enumerate(talk)]


OTHERS = [said("我最喜欢的咖啡馆在火车站旁边。", id="zh"), said("The Café Zoë is beside the town hall.", id="accents")]


async def answers(memory: Memory) -> list[Answer]:
    found = [await memory.recall(SCOPE, question, MAY_8) for question in QUESTIONS]
    return [[(one.turn.id, one.quote, one.score) for one in each.evidence] for each in found]


@pytest.mark.slow
async def test_the_same_evidence_and_scores_cold_and_warm_and_beside_noisy_tenants(
    tmp_path: Path, encoder: Encoder
) -> None:
    async with memory_in(tmp_path, encoder) as memory:
        await indexed(memory, await remember(memory, *history(0, 40)))
        await answers(memory)
        await indexed(memory, await remember(memory, *history(40, 40), *OTHERS, session="s2"))
        grown = await answers(memory)
    for question, answer in zip(QUESTIONS, grown, strict=True):
        assert len(answer) > 20, question
    assert grown[-2][0][0] == "zh"
    assert grown[-1][0][0] == "accents"
    async with memory_in(tmp_path, encoder) as memory:
        assert await answers(memory) == grown, "the first is cold, the others are warm"
    async with memory_in(tmp_path, encoder, ALL_COLD) as memory:
        assert await answers(memory) == grown, "each is cold"
        for number, loud in enumerate((13, 14, 25)):
            noise = [said(turn.text * 2, id=turn.id) for turn in history(number, 6 * loud)]
            await indexed(memory, await remember(memory, *noise, scope=Scope(tenant=f"noisy{number}", user_id="u1")))
        assert await answers(memory) == grown, "whatever others hold"
        await memory.optimise()
    async with memory_in(tmp_path, encoder) as memory:
        assert await answers(memory) == grown
        assert await answers(memory) == grown


async def test_scopes_on_their_way_into_memory_hold_no_thread_of_questions(tmp_path: Path, encoder: Encoder) -> None:
    large = [Scope(tenant=f"large{number}", user_id="u1") for number in range(3)]
    async with memory_in(tmp_path, encoder) as memory:
        for scope in (SCOPE, *large):
            await indexed(memory, await remember(memory, *history(0, 4), scope=scope))
    async with memory_in(tmp_path, encoder) as memory, anyio.create_task_group() as tasks:
        await memory.recall(SCOPE, "Who says it?", MAY_8)
        with memory._index._keeping:  # no scope comes into memory meanwhile
            for scope in large:
                tasks.start_soon(memory.recall, scope, "Who says it?", MAY_8)
            with anyio.fail_after(30):
                while memory._questions._loads.borrowed_tokens < len(large):  # noqa: ASYNC110 - nobody says when a thread has begun
                    await anyio.sleep(0.01)
                assert (await memory.recall(SCOPE, "Where does the choir meet?", MAY_8)).evidence
        with anyio.fail_after(30):
            found = [await memory.recall(scope, "Where does the choir meet?", MAY_8) for scope in large]
    assert all(each.evidence for each in found)
