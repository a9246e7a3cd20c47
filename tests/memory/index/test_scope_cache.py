"""Scopes in memory find what the index on disk finds, and never more than it holds."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import numpy as np
import pytest

from language import Passage
from memory import NewTurn
from memory.api import Memory, MemorySettings
from memory.encoding.encoder import Encoder
from memory.index.lance import PassageIndex
from memory.index.scope_cache import CachedScope, ScopeCache
from memory.model import EncodedPassage, ScopeId, TurnPk
from tests.memory.test_api import CHAT, indexed, remember
from tests.support.memory import memory_in
from tests.support.turns import MAY_8, SCOPE, said

RANDOM = np.random.default_rng(7)
SCOPE_ID = ScopeId(1)


def passages(count: int, first: int = 0) -> list[EncodedPassage]:
    vectors = RANDOM.normal(size=(count, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return [
        EncodedPassage(turn_pk=TurnPk(first + n), passage=Passage(start=0, end=n + 1), vector=v, turn_vector=v)
        for n, v in enumerate(vectors)
    ]


def empty() -> CachedScope:
    return CachedScope.empty(8)


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
    cache = ScopeCache(limit_bytes=2 * scopes[ScopeId(0)].bytes)
    cache.put(ScopeId(0), scopes[ScopeId(0)])
    cache.put(ScopeId(1), scopes[ScopeId(1)])
    assert cache.get(ScopeId(0)) is not None
    cache.put(ScopeId(2), scopes[ScopeId(2)])
    assert cache.get(ScopeId(1)) is None
    assert cache.get(ScopeId(0)) is not None
    cache.append(ScopeId(0), passages(100), wordless(100))
    assert cache.get(ScopeId(0)) is None, "it has outgrown the limit"
    assert cache.get(ScopeId(2)) is not None, "which is no reason to lose another"


@asynccontextmanager
async def index_of(home: Path, encoder: Encoder, *turns: NewTurn) -> AsyncIterator[PassageIndex]:
    """An index that holds these turns as its only scope, on disk until it is warmed."""
    async with memory_in(home, encoder) as memory:
        await indexed(memory, await remember(memory, *turns))
    with closing(
        PassageIndex(home / "index", model=encoder.name, dimension=encoder.dimension, cache_bytes=2**24)
    ) as index:
        yield index


def in_memory(index: PassageIndex) -> bool:
    return isinstance(index.scope(SCOPE_ID), CachedScope)


def test_a_scope_that_turned_out_too_large_is_not_read_again() -> None:
    cache = ScopeCache(limit_bytes=1_000)
    scope = empty()
    scope.append(passages(100), wordless(100))
    assert cache.room_for(ScopeId(0), 900)
    cache.put(ScopeId(0), scope)
    assert not cache.room_for(ScopeId(0), 900)
    assert cache.room_for(ScopeId(1), 900)
    cache.drop(ScopeId(0))
    assert cache.room_for(ScopeId(0), 900)


async def test_a_long_turn_leaves_room_for_others(tmp_path: Path, encoder: Encoder) -> None:
    lecture = " ".join(f"Support group number {n} meets at the library." for n in range(20))
    turns = [said(lecture, id="long"), said("Our support group meets at my place.", id="short")]
    vector = encoder.encode_question("Where does support group number 7 meet?")
    terms = ["support", "group", "number", "7"]
    async with index_of(tmp_path, encoder, *turns) as index:
        for where in ("on disk", "in memory"):
            for room, shares in ((4, [1, 3]), (10, [1, 4]), (100, [1, 20])):
                by_words = index.scope(SCOPE_ID).lexical(terms, room)
                assert sorted(Counter(hit.turn_pk for hit in by_words).values()) == shares
                near = index.scope(SCOPE_ID).nearest(vector, room)  # begins to bring the scope into memory
                assert sorted(Counter(hit.turn_pk for hit in near).values()) == shares
                if where == "on disk":
                    break
            index.warm(SCOPE_ID)
            assert in_memory(index)


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


async def test_a_long_word_is_found_on_disk_and_in_memory(tmp_path: Path, encoder: Encoder) -> None:
    digest = "0123456789abcdef" * 4
    async with index_of(tmp_path, encoder, said(f"The build is {digest}.", id="1")) as index:
        assert len(index.scope(SCOPE_ID).lexical([digest], 5)) == 1
        assert not in_memory(index)
        index.warm(SCOPE_ID)
        assert in_memory(index)
        assert len(index.scope(SCOPE_ID).lexical([digest], 5)) == 1


async def test_recall_is_the_same_from_disk_and_from_memory(tmp_path: Path, encoder: Encoder) -> None:
    question = "Where does the support group meet?"
    async with memory_in(tmp_path, encoder, MemorySettings(hot_vectors_mb=0)) as memory:
        await indexed(memory, await remember(memory, *CHAT))
        await memory.warm(SCOPE)  # there is no room for it
        cold = await memory.recall(SCOPE, question, MAY_8)
    async with memory_in(tmp_path, encoder) as memory:
        await memory.warm(SCOPE)
        hot = await memory.recall(SCOPE, question, MAY_8)
    assert [one.quote for one in hot.evidence] == [one.quote for one in cold.evidence]
    assert [one.score for one in hot.evidence] == pytest.approx([one.score for one in cold.evidence], abs=1e-6)


async def test_what_is_remembered_later_is_found_in_memory_too(memory: Memory) -> None:
    await indexed(memory, await remember(memory, *CHAT))
    await memory.warm(SCOPE)
    later = said("The support group moved to York in June.", id="9", speaker="Caroline", days=40)
    await indexed(memory, await remember(memory, later, session="s2"))
    for question in ("Where does the support group meet?", "What about York?"):
        found = await memory.recall(SCOPE, question, MAY_8)
        assert "9" in {one.turn.id for one in found.evidence}


async def test_words_are_found_in_memory_as_on_disk(tmp_path: Path, encoder: Encoder) -> None:
    questions = [["support", "group"], ["nothing"], ["pottery", "group", "group"]]

    def places(index: PassageIndex) -> list[set[tuple[int, int]]]:
        found = [index.scope(SCOPE_ID).lexical(terms, 100) for terms in questions]
        return [{(hit.turn_pk, hit.passage.start) for hit in hits} for hits in found]

    async with index_of(tmp_path, encoder, *CHAT) as index:
        cold = places(index)
        index.warm(SCOPE_ID)
        assert in_memory(index)
        assert cold[0]
        assert places(index) == cold


async def test_what_is_removed_is_gone_from_memory_and_other_scopes_stay(tmp_path: Path, encoder: Encoder) -> None:
    async with index_of(tmp_path, encoder, *CHAT) as index:
        index.warm(SCOPE_ID)
        index.remove_turns(ScopeId(2), [TurnPk(5)])
        assert in_memory(index), "forgetting in one scope costs the others nothing"
        index.remove_turns(SCOPE_ID, [TurnPk(5)])
        vector = encoder.encode_question("support group")
        assert 5 not in {hit.turn_pk for hit in index.scope(SCOPE_ID).nearest(vector, 10)}
