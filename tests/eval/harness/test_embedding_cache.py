"""Embeddings kept on disk."""

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
