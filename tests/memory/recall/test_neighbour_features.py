"""How the turns beside a candidate match, worked out by hand for a session of three turns and another of one."""

import numpy as np

from language import Passage
from memory.model import EncodedPassage, TurnPk
from memory.recall.features import Candidate, Features
from memory.recall.neighbour_features import PARTS, with_neighbours
from tests.support.turns import held

NO_VECTOR = np.zeros(0, np.float32)
OWN: Features = {"fusion": np.array([1.0, 0.5, 0.25, 1.5]), "length": np.ones(4)}


def candidate(pk: int, session: int, position: int, start: int) -> Candidate:
    turn = held("One. Two.", pk=pk, session_pk=session, position=position)
    passage = Passage(start=start, end=start + 4)
    encoded = EncodedPassage(turn_pk=TurnPk(pk), passage=passage, vector=NO_VECTOR, turn_vector=NO_VECTOR)
    return Candidate(turn=turn, encoded=encoded)


FOUND = [candidate(1, 1, 0, 0), candidate(1, 1, 0, 5), candidate(2, 1, 1, 0), candidate(9, 2, 1, 0)]


def test_a_candidate_sees_the_best_of_its_turn_and_of_those_beside() -> None:
    features = with_neighbours(FOUND, OWN)
    assert features["turn_fusion"].tolist() == [0.75, 0.75, 0.0, 1.25], "above the weakest candidate's"
    assert features["previous"].tolist() == [0.0, 0.0, 0.75, 0.0], "another session's turn is no neighbour"
    assert features["next"].tolist() == [0.0] * 4, "the next is the weakest, as good as none"
    assert features["before_previous"].tolist() == features["after_next"].tolist() == [0.0] * 4
    assert (features["fusion"], features["length"]) == (OWN["fusion"], OWN["length"])


def test_two_turns_away_is_seen_too() -> None:
    far = [candidate(1, 1, 0, 0), candidate(3, 1, 2, 0), candidate(4, 1, 3, 0)]
    features = with_neighbours(far, {"fusion": np.array([1.0, 0.5, 0.0])})
    assert features["before_previous"].tolist() == [0.0, 1.0, 0.0]
    assert features["after_next"].tolist() == [0.5, 0.0, 0.0]
    assert features["previous"].tolist() == [0.0, 0.0, 0.5]


def test_what_was_a_neighbour_of_others_is_computed_anew() -> None:
    """As when a question's evidence is withheld: its traces beside it go, too."""
    without = with_neighbours(FOUND[2:], {name: values[2:] for name, values in with_neighbours(FOUND, OWN).items()})
    assert without["previous"].tolist() == [0.0, 0.0]
    assert without["turn_fusion"].tolist() == [0.0, 1.25]


def test_every_feature_is_of_one_part() -> None:
    names = [name for names in PARTS.values() for name in names]
    assert len(names) == len(set(names))
    assert set(PARTS["neighbours"]) == with_neighbours(FOUND, OWN).keys() - OWN.keys()
