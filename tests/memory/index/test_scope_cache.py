"""A scope in memory: what its searches find, what it says of its terms, and which scopes are kept."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from language import Passage
from memory import NewTurn
from memory.api import Memory
from memory.encoding.encoder import Encoder
from memory.index.bm25 import bm25_of, frequencies
from memory.index.lance import PassageIndex
from memory.index.scope_cache import CachedScope, ScopeCache
from memory.model import EncodedPassage, ScopeId, TurnPk
from tests.support.memory import memory_in
from tests.support.remembering import CHAT, indexed, remember
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


def test_a_scope_that_turns_come_late_to_is_read_anew() -> None:
    cache = ScopeCache(limit_bytes=2**20)
    cache.put(SCOPE_ID, empty())
    cache.append(SCOPE_ID, passages(5, first=10), wordless(5))
    cache.append(SCOPE_ID, passages(5, first=20), wordless(5))
    kept = cache.get(SCOPE_ID)
    assert kept is not None
    held = kept.of_turns([TurnPk(24), TurnPk(10), TurnPk(10), TurnPk(99)])
    assert [one.turn_pk for one in held] == [10, 24]
    cache.append(SCOPE_ID, passages(5, first=0), wordless(5))  # they had to wait
    assert cache.get(SCOPE_ID) is None, "its passages stand in the order of their turns"


def test_equals_are_found_in_the_order_of_their_turns() -> None:
    scope = empty()
    vector = passages(1)[0].vector
    for first in range(0, 900, 90):
        same = [replace(one, vector=vector) for one in passages(90, first=first)]
        scope.append(same, [["tea"]] * 90)
    assert [hit.turn_pk for hit in scope.nearest(vector, 50)] == list(range(50))
    assert [hit.turn_pk for hit in scope.lexical(["tea"], 50)] == list(range(50))


def test_a_scope_without_some_turns_is_searched_as_if_they_were_not_there() -> None:
    every = passages(300)
    terms = [[f"w{n % 7}", *(["tea"] if n % 3 else []), *["long"] * (n % 5)] for n in range(300)]
    gone = {TurnPk(n) for n in range(0, 300, 2)} | {TurnPk(9_999)}
    kept = [n for n in range(300) if TurnPk(n) not in gone]
    whole, part = empty(), empty()
    whole.append(every, terms)
    part.append([every[n] for n in kept], [terms[n] for n in kept])
    shown = whole.without(sorted(gone))
    whole.append(passages(50, first=300), [["tea", "w1"]] * 50)  # what comes later is not in it
    for count in (5, 40, 1_000):
        nearest = [one.turn_pk for one in shown.nearest(every[0].vector, count)]
        assert nearest == [one.turn_pk for one in part.nearest(every[0].vector, count)]
        lexical = [one.turn_pk for one in shown.lexical(["tea", "w1", "long"], count)]
        assert lexical == [one.turn_pk for one in part.lexical(["tea", "w1", "long"], count)]
    asked, beside = ["tea", "w1", "none"], [["tea"], ["w1", "w1"]]
    assert shown.statistics(asked, beside).rarity.tolist() == part.statistics(asked, beside).rarity.tolist()
    assert shown.statistics(asked, beside).mean_length == part.statistics(asked, beside).mean_length
    assert [one.turn_pk for one in whole.without([]).lexical(["none"], 5)] == []
    assert not whole.without([TurnPk(n) for n in range(350)]).nearest(every[0].vector, 5)


def test_a_scope_says_how_rare_a_term_is_as_its_search_has_it() -> None:
    scope = empty()
    texts = [["tea", "cup"], ["tea", "tea", "pot", "lid"], ["milk"], [], ["tea", "milk"]]
    known = passages(5)
    scope.append(known[:3], texts[:3])
    scope.append(known[3:], texts[3:])
    held = np.array([3, 2, 0])
    found = scope.statistics(["tea", "milk", "gin"])
    assert found.rarity == pytest.approx(np.log1p((5 - held + 0.5) / (held + 0.5)), rel=1e-12)
    assert found.mean_length == 9 / 5
    assert scope.statistics([]).rarity.shape == (0,)
    terms = ["tea", "pot", "gin"]
    scores = bm25_of(frequencies(terms, texts), [*map(len, texts)], scope.statistics(terms))
    order = [place for place in np.argsort(-scores, kind="stable").tolist() if scores[place]]
    assert [hit.turn_pk for hit in scope.lexical(terms, 5)] == [known[place].turn_pk for place in order] == [1, 0, 4]
    nothing = empty().statistics(["tea"])
    assert (nothing.rarity.tolist(), nothing.mean_length) == ([pytest.approx(np.log(2))], 1.0)


def test_texts_that_wait_count_beside_as_if_they_were_there() -> None:
    texts = [["tea", "cup"], ["tea", "tea", "pot", "lid"], ["milk"], [], ["tea", "milk"]]
    whole, part = empty(), empty()
    known = passages(5)
    whole.append(known, texts)
    part.append(known[:2], texts[:2])
    terms = ["tea", "milk", "gin"]
    all_there, beside = whole.statistics(terms), part.statistics(terms, texts[2:])
    assert (all_there.rarity.tolist(), all_there.mean_length) == (beside.rarity.tolist(), beside.mean_length)
    assert part.statistics(terms).rarity.tolist() != beside.rarity.tolist()


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
    cache.append(ScopeId(0), passages(100, first=10), wordless(100))
    assert cache.get(ScopeId(0)) is None, "it has outgrown the limit"
    assert cache.get(ScopeId(2)) is not None, "which is no reason to lose another"


async def index_of(home: Path, encoder: Encoder, *turns: NewTurn) -> PassageIndex:
    """An index that holds these turns as its only scope, on disk until somebody asks."""
    async with memory_in(home, encoder) as memory:
        await indexed(memory, await remember(memory, *turns))
    return PassageIndex(home / "index", model=encoder.name, dimension=encoder.dimension, cache_bytes=2**24)


async def test_a_long_turn_leaves_room_for_others(tmp_path: Path, encoder: Encoder) -> None:
    lecture = " ".join(f"Support group number {n} meets at the library." for n in range(20))
    turns = [said(lecture, id="long"), said("Our support group meets at my place.", id="short")]
    vector = encoder.encode_question("Where does support group number 7 meet?")
    terms = ["support", "group", "number", "7"]
    scope = (await index_of(tmp_path, encoder, *turns)).scope(SCOPE_ID)
    for room, shares in ((4, [1, 3]), (10, [1, 4]), (100, [1, 20])):
        for hits in (scope.lexical(terms, room), scope.nearest(vector, room)):
            assert sorted(Counter(hit.turn_pk for hit in hits).values()) == shares


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
    found = await memory.recall(SCOPE, "What does the support group that meets at the library cost?", MAY_8)
    assert price in {one.quote for one in found.evidence}


async def test_a_long_word_is_found(tmp_path: Path, encoder: Encoder) -> None:
    digest = "0123456789abcdef" * 4
    index = await index_of(tmp_path, encoder, said(f"The build is {digest}.", id="1"))
    assert len(index.scope(SCOPE_ID).lexical([digest], 5)) == 1


async def test_what_is_remembered_later_is_found_in_memory_too(memory: Memory) -> None:
    await indexed(memory, await remember(memory, *CHAT))
    await memory.warm(SCOPE)
    later = said("The support group moved to York in June.", id="9", speaker="Caroline", days=40)
    await indexed(memory, await remember(memory, later, session="s2"))
    for question in ("Where does the support group meet?", "What about York?"):
        found = await memory.recall(SCOPE, question, MAY_8)
        assert "9" in {one.turn.id for one in found.evidence}


async def test_what_is_removed_is_gone_from_memory_and_other_scopes_stay(tmp_path: Path, encoder: Encoder) -> None:
    index = await index_of(tmp_path, encoder, *CHAT)
    kept = index.scope(SCOPE_ID)
    index.remove_turns(ScopeId(2), [TurnPk(5)])
    assert index.scope(SCOPE_ID) is kept, "forgetting in one scope costs the others nothing"
    index.remove_turns(SCOPE_ID, [TurnPk(5)])
    vector = encoder.encode_question("support group")
    assert 5 not in {hit.turn_pk for hit in index.scope(SCOPE_ID).nearest(vector, 10)}
