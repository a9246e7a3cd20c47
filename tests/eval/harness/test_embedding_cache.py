"""Embeddings kept on disk."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from eval.harness.embedding_cache import CachedEncoder
from memory.encoding.encoder import Encoder
from tests.support.turns import held

pytestmark = pytest.mark.slow


def test_cached_embeddings_are_those_of_the_model(tmp_path: Path, encoder: Encoder) -> None:
    turns = [held("I redeemed a coupon. It was at Target.", pk=1), held("How are you?", pk=2)]
    first = CachedEncoder(tmp_path / "cache.sqlite3").encode_turns(turns)
    again = CachedEncoder(tmp_path / "cache.sqlite3").encode_turns([turns[1], turns[0], turns[0]])
    fresh = encoder.encode_turns(turns)
    for cached, wanted in ((first, fresh), (again, [fresh[1], fresh[0], fresh[0]])):
        for ours, theirs in zip(cached, wanted, strict=True):
            assert [(one.turn_pk, one.passage) for one in ours] == [(one.turn_pk, one.passage) for one in theirs]
            for one, other in zip(ours, theirs, strict=True):
                assert abs(one.vector - other.vector).max() < 1e-5
                assert abs(one.turn_vector - other.turn_vector).max() < 1e-5


def test_what_was_cut_into_other_passages_is_encoded_again(tmp_path: Path, encoder: Encoder) -> None:
    turn, short = held("I redeemed a coupon. It was at Target.", pk=1), held("How are you?", pk=2)
    CachedEncoder(tmp_path / "cache.sqlite3").encode_turns([turn, short])
    with closing(sqlite3.connect(tmp_path / "cache.sqlite3")) as file, file:  # as if both were one passage then
        one_passage = file.execute("SELECT spans, vectors FROM turn ORDER BY length(spans)").fetchone()
        assert file.execute("UPDATE turn SET spans = ?, vectors = ?", one_passage).rowcount == 2
    [now] = CachedEncoder(tmp_path / "cache.sqlite3").encode_turns([turn])
    [wanted] = encoder.encode_turns([turn])
    assert [one.passage for one in now] == [one.passage for one in wanted]
    for one, other in zip(now, wanted, strict=True):
        assert abs(one.vector - other.vector).max() < 1e-5
