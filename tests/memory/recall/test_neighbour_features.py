"""How candidates stand among one another, worked out by hand for a session of three turns and another of one."""

import numpy as np
import pytest

from language import Passage
from memory.model import EncodedPassage, TurnPk
from memory.recall.features import Candidate, Features
from memory.recall.neighbour_features import PARTS, with_neighbours, with_odds
from tests.support.turns import held

NO_VECTOR = np.zeros(0, np.float32)
OWN: Features = {
    "dense": np.array([0.5, 0.25, 0.0, 1.0]),
    "turn_words": np.array([0.25, 0.25, 0.0, 0.0]),
    "related": np.zeros(4),
    "coverage": np.array([0.5, 0.0, 1.0, 1.0]),
    "speaker": np.ones(4),
    "time": np.ones(4),
    "number": np.ones(4),
    "length": np.ones(4),
}
ODDS = np.array([2.0, -1.0, 0.0, -3.0])


def candidate(pk: int, session: int, position: int, start: int) -> Candidate:
    turn = held("One. Two.", pk=pk, session_pk=session, position=position)
    passage = Passage(start=start, end=start + 4)
    encoded = EncodedPassage(turn_pk=TurnPk(pk), passage=passage, vector=NO_VECTOR, turn_vector=NO_VECTOR)
    return Candidate(turn=turn, encoded=encoded)


FOUND = [candidate(1, 1, 0, 0), candidate(1, 1, 0, 5), candidate(2, 1, 1, 0), candidate(9, 2, 1, 0)]


def test_the_first_look_sees_how_strong_the_turns_beside_are() -> None:
    features = with_neighbours(FOUND, OWN)
    assert features["strength"].tolist() == [1.0, 0.5, 0.5, 1.5]
    assert features["turn_strength"].tolist() == [1.0, 1.0, 0.5, 1.5]
    assert features["previous"].tolist() == [0.5, 0.5, 1.0, 0.5], "what is no candidate is as weak as the weakest"
    assert features["next"].tolist() == [0.5, 0.5, 0.5, 0.5]
    assert features["before_previous"].tolist() == features["after_next"].tolist() == [0.5] * 4


def test_the_second_look_sees_what_became_of_the_others() -> None:
    features = with_odds(FOUND, OWN, ODDS)
    assert features["odds"].tolist() == ODDS.tolist()
    assert features["odds_behind"].tolist() == [0.0, 3.0, 2.0, 5.0]
    assert features["odds_of_turn"].tolist() == [0.0, 3.0, 0.0, 0.0]
    assert features["odds_best"].tolist() == [2.0] * 4
    assert features["odds_rank"].tolist() == [0.0, 2.0, 1.0, 3.0]
    assert features["previous_odds"].tolist() == [-9.0, -9.0, 2.0, -9.0], "another session's turn is no neighbour"
    assert features["next_odds"].tolist() == [0.0, 0.0, -9.0, -9.0]
    first, second, alone = 1 / (1 + np.exp(-ODDS[[0, 2, 3]]))
    assert features["odds_of_session"] == pytest.approx([second, second, first, 0.0])
    assert features["odds_in_all"] == pytest.approx([first + second + alone] * 4), "a turn counts once"


@pytest.mark.parametrize("part", PARTS)
def test_what_is_switched_off_is_zero_in_both_looks(part: str) -> None:
    first = with_neighbours(FOUND, OWN, without=part)
    features = with_odds(FOUND, first, ODDS, without=part)
    assert features.keys() == with_odds(FOUND, with_neighbours(FOUND, OWN), ODDS).keys()
    of_part = {name for name in features if name.startswith(PARTS[part])}
    assert of_part
    assert not any(features[name].any() for name in of_part)
    assert all(features[name].any() for name in ("speaker", "odds") if name not in of_part)


def test_the_neighbours_are_off_in_the_second_look_too() -> None:
    features = with_odds(FOUND, OWN, ODDS, without="neighbours")
    assert not features["previous_odds"].any()
    assert features["odds_rank"].any()


def test_strength_is_reckoned_without_what_is_switched_off() -> None:
    features = with_neighbours(FOUND, OWN, without="meaning")
    assert features["strength"].tolist() == [0.5, 0.25, 0.5, 0.5]


def test_there_is_no_other_part() -> None:
    with pytest.raises(KeyError):
        with_neighbours(FOUND, OWN, without="luck")
