"""The index as many ask it at once: one reading of a scope for all, nothing missed that was added meanwhile, none held up."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from language import Passage
from memory.index.lance import PassageIndex
from memory.index.rows import IndexRow
from memory.index.scope_cache import CachedScope
from memory.model import EncodedPassage, ScopeId, TurnPk

ONE, TWO = ScopeId(1), ScopeId(2)
RANDOM = np.random.default_rng(3)
PATIENCE_S = 60


def rows(scope: ScopeId, turns: range) -> list[IndexRow]:
    """Two passages a turn; the words of a turn say its number."""
    vectors = RANDOM.normal(size=(2 * len(turns), 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return [
        IndexRow(
            scope=scope,
            encoded=EncodedPassage(
                turn_pk=TurnPk(turn),
                passage=Passage(start=10 * part, end=10 * part + 9),
                vector=vectors[2 * place + part],
                turn_vector=vectors[2 * place],
            ),
            terms=f"word w{turn}",
            fingerprint=f"{turn}-{part}",
        )
        for place, turn in enumerate(turns)
        for part in (0, 1)
    ]


class Watched(PassageIndex):
    """The real index, whose readings of a scope are counted, and after which something may happen before the scope is used."""

    reads = 0
    then: Callable[[], None] | None = None

    def _read_scope(self, scope: ScopeId) -> CachedScope:
        held = super()._read_scope(scope)
        self.reads += 1
        then, self.then = self.then, None
        if then:
            then()
        return held


def opened(home: Path, *, cache_bytes: int = 2**24) -> Watched:
    return Watched(home / "index", model="m", dimension=8, cache_bytes=cache_bytes)


def test_rows_that_we_made_wrong_are_no_damage(tmp_path: Path) -> None:
    index = opened(tmp_path)
    one, other = rows(ONE, range(1, 2))
    wrong = replace(other, encoded=replace(other.encoded, vector=other.encoded.vector[:3]))
    with pytest.raises(ValueError, match="shape"):
        index.add([one, wrong])
    assert (index.damage, index.count()) == (None, 0)


def turns_of(scope: CachedScope) -> list[int]:
    held = scope.of_turns([TurnPk(turn) for turn in range(200)])
    assert [one.passage.start for one in held] == [0, 10] * (len(held) // 2)
    return [one.turn_pk for one in held[::2]]


@contextmanager
def elsewhere() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


@pytest.mark.parametrize("cache_bytes", [0, 2**24], ids=["kept never", "kept"])
def test_what_changes_while_a_scope_is_read_is_what_the_question_finds(tmp_path: Path, cache_bytes: int) -> None:
    index = opened(tmp_path, cache_bytes=cache_bytes)
    index.add(rows(ONE, range(1, 4)))
    changes: dict[str, tuple[Callable[[], None], list[int]]] = {
        "added": (lambda: index.add([*rows(ONE, range(4, 6)), *rows(TWO, range(6, 7))]), [1, 2, 3, 4, 5]),
        "removed": (lambda: index.remove_turns(ONE, [TurnPk(2)]), [1, 3, 4, 5]),
        "added before the others": (lambda: index.add(rows(ONE, range(2, 3))), [1, 2, 3, 4, 5]),
        "removed from another scope": (lambda: index.remove_turns(TWO, [TurnPk(6)]), [1, 2, 3, 4, 5]),
        "written anew": (index.purge, [1, 2, 3, 4, 5]),
        "thrown away": (index.begin_anew, []),
    }
    for name, (change, left) in changes.items():
        index._cache.drop(ONE)
        index.then = change
        assert turns_of(index.scope(ONE)) == left, name
        assert turns_of(index.scope(ONE)) == left, name


def test_a_scope_is_read_once_for_all_who_ask_at_once(tmp_path: Path) -> None:
    index = opened(tmp_path)
    index.add(rows(ONE, range(1, 9)))
    asked = threading.Barrier(4, timeout=PATIENCE_S)

    def pause() -> None:
        threading.Event().wait(0.2)

    def ask() -> list[int]:
        asked.wait()
        return turns_of(index.scope(ONE))

    with elsewhere() as pool:
        index.then = pause  # the others come meanwhile
        assert [one.result() for one in [pool.submit(ask) for _ in range(4)]] == [[*range(1, 9)]] * 4
    assert index.reads == 1


def test_while_a_scope_is_read_others_are_asked_and_read_and_everything_is_added_to(tmp_path: Path) -> None:
    index = opened(tmp_path)
    index.add([*rows(ONE, range(1, 4)), *rows(TWO, range(11, 14))])

    def meanwhile() -> None:
        with elsewhere() as pool:
            assert turns_of(pool.submit(index.scope, TWO).result(PATIENCE_S)) == [11, 12, 13]
            pool.submit(index.add, [*rows(ONE, range(4, 5)), *rows(TWO, range(14, 15))]).result(PATIENCE_S)
            assert turns_of(pool.submit(index.scope, TWO).result(PATIENCE_S)) == [11, 12, 13, 14]

    index.then = meanwhile
    assert turns_of(index.scope(ONE)) == [1, 2, 3, 4]


def test_a_scope_is_read_while_the_files_are_being_written_anew(tmp_path: Path) -> None:
    index = opened(tmp_path)
    index.add(rows(ONE, range(1, 4)))
    with index._changing, elsewhere() as pool:  # as while rows are folded into the indexes, which takes seconds
        assert turns_of(pool.submit(index.scope, ONE).result(PATIENCE_S)) == [1, 2, 3]


def test_a_scope_is_read_before_the_index_says_what_it_has_added(tmp_path: Path) -> None:
    index = opened(tmp_path)
    index.add(rows(ONE, range(1, 3)))
    index._cache.drop(ONE)
    read: list[list[int]] = []

    class Words(str):
        """What a passage says, split by the index once its files hold it and before the scopes in memory do."""

        def split(self, *_: Any) -> list[str]:
            read.append(turns_of(index.scope(ONE)))
            return super().split()

    first, second = rows(ONE, range(3, 4))
    index.add([replace(first, terms=Words(first.terms)), second])
    assert read == [[1, 2, 3]]
    assert turns_of(index.scope(ONE)) == [1, 2, 3], "each passage once"


def test_a_scope_from_which_much_is_removed_is_read_in_the_end(tmp_path: Path) -> None:
    index = opened(tmp_path)
    index.add(rows(ONE, range(1, 6)))

    def remove(turn: int) -> None:
        index.remove_turns(ONE, [TurnPk(turn)])
        index.then = (lambda: remove(turn + 1)) if turn < 2 else None

    index._cache.drop(ONE)
    index.then = lambda: remove(1)
    assert turns_of(index.scope(ONE)) == [3, 4, 5]
    assert index.reads == 3


def test_a_reading_that_fails_fails_for_those_who_wait_and_the_next_question_reads_again(tmp_path: Path) -> None:
    index = opened(tmp_path)
    index.add(rows(ONE, range(1, 4)))

    def fail() -> None:
        raise MemoryError

    index.then = fail
    with pytest.raises(MemoryError):
        index.scope(ONE)
    assert turns_of(index.scope(ONE)) == [1, 2, 3]


@pytest.mark.parametrize("cache_bytes", [0, 2**24], ids=["kept never", "kept"])
@pytest.mark.slow
def test_questions_beside_an_import_find_all_that_was_indexed_before(tmp_path: Path, cache_bytes: int) -> None:
    index = opened(tmp_path, cache_bytes=cache_bytes)
    index.add([*rows(ONE, range(1, 2)), *rows(TWO, range(1, 60))])
    added, done = 1, threading.Event()
    vector = rows(TWO, range(1))[0].encoded.vector

    def ask() -> int:
        asked = 0
        while not done.is_set():
            before = added
            scope = index.scope(ONE)
            found = turns_of(scope)
            assert len(found) >= before
            assert found == [*range(1, len(found) + 1)]
            assert {hit.turn_pk for hit in scope.lexical([f"w{before}"], 5)} == {before}
            assert len(scope.nearest(vector, 500)) >= before
            asked += 1
        return asked

    def ask_another() -> int:
        asked = 0
        while not done.is_set():
            index._cache.drop(TWO)
            assert len(turns_of(index.scope(TWO))) == 59
            asked += 1
        return asked

    with elsewhere() as pool:
        askers = [pool.submit(one) for one in (ask, ask, ask_another)]
        try:
            for turn in range(2, 120):
                index.add(rows(ONE, range(turn, turn + 1)))
                added = turn
                if turn % 40 == 0:
                    index.optimise()
                    index.purge()
        finally:
            done.set()
        assert all(one.result(PATIENCE_S) for one in askers)
    grown, read = index.scope(ONE), opened(tmp_path).scope(ONE)
    assert [hit.turn_pk for hit in grown.nearest(vector, 50)] == [hit.turn_pk for hit in read.nearest(vector, 50)]
    terms = ["w7", "word", "w100"]
    own, other = grown.statistics(terms), read.statistics(terms)
    assert (own.rarity.tolist(), own.mean_length) == (other.rarity.tolist(), other.mean_length), "however they came"
    assert [hit.turn_pk for hit in grown.lexical(terms, 50)] == [hit.turn_pk for hit in read.lexical(terms, 50)]
