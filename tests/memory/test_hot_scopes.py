"""Scopes in memory find what the index on disk finds, and never more than it holds."""

import asyncio
from collections import Counter
from pathlib import Path

import anyio
import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from memory import Memory, MemorySettings, open_memory
from memory.encoder import Encoder
from memory.hot_scopes import HotScope, HotScopes
from memory.postings import Postings
from memory.turns import EncodedPassage, Passage, ScopeId, TurnPk
from tests.memory.test_memory import CHAT, indexed, remember
from tests.support.turns import MAY_8, SCOPE, said

RANDOM = np.random.default_rng(7)


def passages(count: int, first: int = 0) -> list[EncodedPassage]:
    vectors = RANDOM.normal(size=(count, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return [
        EncodedPassage(turn_pk=TurnPk(first + n), passage=Passage(start=0, end=n + 1), vector=v, turn_vector=v)
        for n, v in enumerate(vectors)
    ]


def empty() -> HotScope:
    none = Postings(pa.chunked_array([[]], type=pa.string()))
    return HotScope(np.zeros((0, 3), np.int64), np.zeros((0, 8), np.float16), np.zeros((0, 8), np.float16), none)


def wordless(count: int) -> list[list[str]]:
    return [[]] * count


def test_the_nearest_are_those_of_the_greatest_dot_product() -> None:
    scope = empty()
    known = passages(300)
    for start in range(0, 300, 7):
        scope.append(known[start : start + 7], wordless(len(known[start : start + 7])))
    vector = passages(1)[0].vector
    products = np.array([one.vector @ vector for one in known])
    found = products[[one.turn_pk for one in scope.nearest(vector, 20)]]
    assert np.abs(found - np.sort(products)[:-21:-1]).max() < 0.001, "which is what half precision rounds to"
    assert len(scope.nearest(vector, 1_000)) == 300
    assert {one.turn_pk for one in scope.of_turns([TurnPk(3), TurnPk(299), TurnPk(9_999)])} == {3, 299}


def test_the_passages_of_turns_are_found_whatever_the_order_they_were_indexed_in() -> None:
    scope = empty()
    for first in (10, 20, 0):  # the last ones had to wait
        twice = sorted(passages(5, first=first) * 2, key=lambda one: one.turn_pk)
        scope.append(twice, wordless(10))
        held = scope.of_turns([TurnPk(first + 4), TurnPk(first), TurnPk(first), TurnPk(99)])
        assert sorted(one.turn_pk for one in held) == [first, first, first + 4, first + 4]
    assert len(scope.of_turns([TurnPk(10), TurnPk(0), TurnPk(24)])) == 6


def test_the_least_recently_asked_scope_makes_room() -> None:
    scopes = {ScopeId(n): empty() for n in range(3)}
    for n, scope in scopes.items():
        scope.append(passages(10, first=int(n)), wordless(10))
    hot = HotScopes(limit_bytes=2 * scopes[ScopeId(0)].bytes)
    hot.put(ScopeId(0), scopes[ScopeId(0)])
    hot.put(ScopeId(1), scopes[ScopeId(1)])
    assert hot.get(ScopeId(0)) is not None
    hot.put(ScopeId(2), scopes[ScopeId(2)])
    assert hot.get(ScopeId(1)) is None
    assert hot.get(ScopeId(0)) is not None
    hot.append(ScopeId(0), passages(100), wordless(100))
    assert hot.get(ScopeId(0)) is None, "it has outgrown the limit"
    assert hot.get(ScopeId(2)) is not None, "which is no reason to lose another"


async def worded(memory: Memory, terms: list[str], limit: int) -> list[EncodedPassage]:
    return await anyio.to_thread.run_sync(memory.index.scope(ScopeId(1)).lexical, terms, limit)


async def nearest(memory: Memory, vector: NDArray[np.float32], limit: int) -> list[EncodedPassage]:
    return await anyio.to_thread.run_sync(memory.index.scope(ScopeId(1)).nearest, vector, limit)


async def warm(memory: Memory) -> None:
    await memory.recall(SCOPE, "Where does the support group meet?", MAY_8)
    await asyncio.gather(*memory.index._warming.values())


def test_a_scope_that_turned_out_too_large_is_not_read_again() -> None:
    hot = HotScopes(limit_bytes=1_000)
    scope = empty()
    scope.append(passages(100), wordless(100))
    assert hot.room_for(ScopeId(0), 900)
    hot.put(ScopeId(0), scope)
    assert not hot.room_for(ScopeId(0), 900)
    assert hot.room_for(ScopeId(1), 900)
    hot.clear()
    assert hot.room_for(ScopeId(0), 900)


async def test_a_long_turn_leaves_room_for_others(memory: Memory) -> None:
    lecture = " ".join(f"Support group number {n} meets at the library." for n in range(20))
    other = "Our support group meets at my place."
    await indexed(memory, await remember(memory, said(lecture, id="long"), said(other, id="short")))
    vector = memory.encoder.encode_question("Where does support group number 7 meet?")
    terms = ["support", "group", "number", "7"]
    for where in ("on disk", "in memory"):
        for room, shares in ((4, [1, 3]), (10, [1, 4]), (100, [1, 20])):
            by_words = await worded(memory, terms, room)
            assert sorted(Counter(hit.turn_pk for hit in by_words).values()) == shares
            near = await nearest(memory, vector, room)  # begins to bring the scope into memory
            assert sorted(Counter(hit.turn_pk for hit in near).values()) == shares
            if where == "on disk":
                break
        await memory.warm(SCOPE)


def test_a_very_long_turn_leaves_room_for_others_too() -> None:
    scope = empty()
    scope.append(passages(1, first=0) * 700 + passages(5, first=1), [["word"]] * 705)
    vector = scope.of_turns([TurnPk(0)])[0].vector
    assert {hit.turn_pk for hit in scope.nearest(vector, 100)} == set(range(6))
    assert {hit.turn_pk for hit in scope.lexical(["word"], 100)} == set(range(6))


async def test_a_long_turn_that_is_alone_is_found_whole(memory: Memory) -> None:
    price = "Dana takes thirty crowns from everyone at the door."
    lecture = " ".join(f"Our support group number {n} meets at the library on day {n}." for n in range(20))
    await indexed(memory, await remember(memory, said(f"{lecture} {price}", id="long")))
    for _ in ("on disk", "in memory"):
        found = await memory.recall(SCOPE, "What does the support group that meets at the library cost?", MAY_8)
        assert price in {one.quote for one in found.evidence}
        await memory.warm(SCOPE)


async def test_a_long_word_is_found_on_disk_and_in_memory(memory: Memory) -> None:
    digest = "0123456789abcdef" * 4
    await indexed(memory, await remember(memory, said(f"The build is {digest}.", id="1")))
    assert len(await worded(memory, [digest], 5)) == 1
    await memory.warm(SCOPE)
    assert memory.index._hot.get(ScopeId(1)) is not None
    assert len(await worded(memory, [digest], 5)) == 1


async def test_recall_is_the_same_from_disk_and_from_memory(tmp_path: Path, encoder: Encoder) -> None:
    question = "Where does the support group meet?"
    async with open_memory(MemorySettings(home=tmp_path, hot_vectors_mb=0), encoder=encoder) as memory:
        await indexed(memory, await remember(memory, *CHAT))
        await warm(memory)
        assert memory.index._hot.get(ScopeId(1)) is None
        cold = await memory.recall(SCOPE, question, MAY_8)
    async with open_memory(MemorySettings(home=tmp_path), encoder=encoder) as memory:
        await warm(memory)
        assert memory.index._hot.get(ScopeId(1)) is not None
        hot = await memory.recall(SCOPE, question, MAY_8)
    assert [one.quote for one in hot.evidence] == [one.quote for one in cold.evidence]
    assert [one.score for one in hot.evidence] == pytest.approx([one.score for one in cold.evidence], abs=1e-6)


async def test_what_is_remembered_later_is_found_in_memory_too(memory: Memory) -> None:
    await indexed(memory, await remember(memory, *CHAT))
    await warm(memory)
    later = said("The support group moved to York in June.", id="9", speaker="Caroline", days=40)
    await indexed(memory, await remember(memory, later, session="s2"))
    found = await memory.recall(SCOPE, "Where does the support group meet?", MAY_8)
    assert "9" in {one.turn.id for one in found.evidence}
    assert await worded(memory, ["york"], 5), "its words are counted"


async def test_words_are_found_in_memory_as_on_disk(memory: Memory) -> None:
    await indexed(memory, await remember(memory, *CHAT))
    questions = [["support", "group"], ["nothing"], ["pottery", "group", "group"]]
    cold = [await worded(memory, terms, 100) for terms in questions]
    await warm(memory)
    assert memory.index._hot.get(ScopeId(1)) is not None
    hot = [await worded(memory, terms, 100) for terms in questions]
    assert cold[0]
    for on_disk, in_memory in zip(cold, hot, strict=True):
        assert {(hit.turn_pk, hit.passage.start) for hit in on_disk} == {
            (hit.turn_pk, hit.passage.start) for hit in in_memory
        }


async def test_what_is_removed_is_gone_from_memory(memory: Memory) -> None:
    await indexed(memory, await remember(memory, *CHAT))
    await warm(memory)
    await memory.index.remove_turns([TurnPk(5)])
    vector = memory.encoder.encode_question("support group")
    assert 5 not in {hit.turn_pk for hit in await nearest(memory, vector, 10)}
