"""How the turns beside a candidate match, worked out by hand for a session of three turns and another of one."""

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np

from language import Passage
from memory.index.bm25 import TermStatistics
from memory.model import EncodedPassage, TurnPk
from memory.recall.features import Candidate, Features, Found
from memory.recall.neighbour_features import PARTS, with_neighbours
from memory.recall.question import read_question
from tests.support.turns import held

NO_VECTOR = np.zeros(0, np.float32)
OWN: Features = {"fusion": np.array([1.0, 0.5, 0.25, 1.5]), "question": np.array([0.0, 1.0, 0.0, 0.0])}


def candidate(pk: int, session: int, position: int, start: int) -> Candidate:
    turn = held("One. Two.", pk=pk, session_pk=session, position=position)
    passage = Passage(start=start, end=start + 4)
    encoded = EncodedPassage(turn_pk=TurnPk(pk), passage=passage, vector=NO_VECTOR, turn_vector=NO_VECTOR)
    return Candidate(turn=turn, encoded=encoded)


def found(candidates: Sequence[Candidate], *, familiarity: float = 1.0) -> Found:
    asked = read_question("Who?", speakers=(), asked_at=datetime(2025, 3, 4, tzinfo=UTC))
    return Found(
        question=asked,
        vector=NO_VECTOR,
        candidates=candidates,
        statistics=TermStatistics(rarity=np.zeros(0), mean_length=1.0),
        familiarity=familiarity,
    )


CANDIDATES = [candidate(1, 1, 0, 0), candidate(1, 1, 0, 5), candidate(2, 1, 1, 0), candidate(9, 2, 1, 0)]
FOUND = found(CANDIDATES)


def test_a_candidate_is_lifted_to_the_best_of_its_turn_and_of_the_one_before() -> None:
    features = with_neighbours(FOUND, OWN)
    assert features["previous"].tolist() == [0.75, 0.75, 0.75, 1.25], (
        "above the weakest; another session's is no neighbour"
    )
    assert features["answers"].tolist() == [0.75, 0.75, 0.25, 1.25], "only the passage that asks is answered"
    assert (features["fusion"], features["question"]) == (OWN["fusion"], OWN["question"])


def test_the_best_match_has_the_most_of_every_feature() -> None:
    features = with_neighbours(FOUND, OWN)
    assert all(features[name].max() == features[name][3] for name in PARTS["neighbours"])


def test_in_a_language_that_the_encoder_does_not_read_only_the_own_turn_counts() -> None:
    features = with_neighbours(found(CANDIDATES, familiarity=0.0), OWN)
    assert all(features[name].tolist() == [0.75, 0.75, 0.0, 1.25] for name in PARTS["neighbours"])


def test_what_was_a_neighbour_of_others_is_computed_anew() -> None:
    """As when a question's evidence is withheld: its traces beside it go, too."""
    without = with_neighbours(
        found(CANDIDATES[2:]), {name: values[2:] for name, values in with_neighbours(FOUND, OWN).items()}
    )
    assert without["previous"].tolist() == [0.0, 1.25]
    assert without["answers"].tolist() == [0.0, 1.25]


def test_every_feature_is_of_one_part() -> None:
    names = [name for names in PARTS.values() for name in names]
    assert len(names) == len(set(names))
    assert set(PARTS["neighbours"]) == with_neighbours(FOUND, OWN).keys() - OWN.keys()
