"""Ranking, with weights chosen here: what is judged, in what order it comes out, and what stands in for nothing."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest

from memory.index.bm25 import Postings
from memory.model import Turn
from memory.recall.features import Candidate, Found
from memory.recall.question import read_question
from memory.recall.ranking import described, rank, ranked_evidence
from memory.recall.reranker import RecallModels, Reranked, Weights, reranked
from tests.memory.recall.test_features import ASKED, LATER, encoded
from tests.support.turns import MAY_8, held

DENSE = Weights(intercept=-1.0, weights={"dense": 4.0})
SAME = Weights(intercept=0.0, weights={"dense": 0.0})
ALIKE = Weights(intercept=0.5, weights={})


def found(asked: str, turns: Sequence[Turn], cosines: Sequence[float]) -> Found:
    """Whole turns, as the searches propose them, each with its cosine to the question."""
    question = read_question(asked, speakers={turn.speaker for turn in turns if turn.speaker}, asked_at=LATER)
    candidates = [
        Candidate(turn=turn, encoded=encoded(turn, cosine)) for turn, cosine in zip(turns, cosines, strict=True)
    ]
    rows = [" ".join(one.analysed.terms) for one in candidates]
    statistics = Postings(pa.chunked_array([rows], type=pa.string())).statistics(question.terms)
    return Found(question=question, vector=ASKED, candidates=candidates, statistics=statistics)


def models(weights: Weights, answerability: Weights = ALIKE) -> RecallModels:
    return RecallModels(fitted=True, reranker=weights, answerability=answerability)


def scores(*odds: float) -> Reranked:
    return Reranked(evidence=np.array(odds), topic=np.array(odds))


def test_without_candidates_there_is_no_evidence_and_no_answer() -> None:
    question = read_question("Where is the key?", speakers=(), asked_at=LATER)
    statistics = Postings(pa.chunked_array([[]], type=pa.string())).statistics(question.terms)
    nothing = Found(question=question, vector=ASKED, candidates=[], statistics=statistics)
    recalled = rank(nothing, models(DENSE))
    assert (recalled.evidence, recalled.answerable) == ((), 0.0)


def test_the_best_comes_first_with_its_probability_and_its_row_of_the_features() -> None:
    turns = [
        held(text, pk=pk, position=5 * pk) for pk, text in enumerate(("I like tea.", "The key is blue.", "Bye."), 1)
    ]
    recalled = rank(found("Where is the key?", turns, (0.2, 0.9, 0.5)), models(DENSE))
    assert [one.turn.pk for one in recalled.evidence] == [2, 3, 1]
    assert [one.row for one in recalled.evidence] == [1, 2, 0]
    assert recalled.features is not None
    for one in recalled.evidence:
        odds = -1.0 + 4.0 * recalled.features["dense"][one.row]
        assert one.score == pytest.approx(1 / (1 + np.exp(-odds)))


def test_whether_the_answer_is_there_is_asked_of_the_other_model() -> None:
    turns = [held("The key is blue.", pk=1), held("I like tea.", pk=2, position=5)]
    one = found("Where is the key?", turns, (0.9, 0.1))
    best = Weights(intercept=0.0, weights={"best": 1.0})
    recalled = rank(one, models(DENSE, best))
    assert recalled.answerable == pytest.approx(recalled.evidence[0].score), "the odds of the best, as a probability"
    assert rank(one, models(DENSE, ALIKE)).answerable == pytest.approx(1 / (1 + np.exp(-0.5)))


def test_equal_scores_come_in_the_order_of_time() -> None:
    moments = {3: 2, 1: 0, 4: 0, 2: 1}  # days after 8 May, by turn
    turns = [
        held(f"Note {pk} on gardens.", pk=pk, said_at=MAY_8 + timedelta(days=days)) for pk, days in moments.items()
    ]
    recalled = rank(found("What of gardens?", turns, (0.5,) * 4), models(SAME))
    assert [one.turn.pk for one in recalled.evidence] == [1, 4, 2, 3]


def test_of_many_candidates_the_most_promising_and_the_best_of_each_session_are_judged() -> None:
    crowd = [held(f"Note {pk} on ponds.", pk=pk, position=pk) for pk in range(1, 301)]
    alone = [held(f"Note {pk} on ponds.", pk=pk, position=pk, session_pk=2, session_id="s2") for pk in (301, 302)]
    cosines = [0.9 - pk / 1_000 for pk in range(1, 301)] + [0.05, 0.1]
    judged, features = described(found("What of ponds?", crowd + alone, cosines))
    kept = [one.turn.pk for one in judged.candidates]
    assert kept == [*range(1, 161), 302], "in the order in which they were proposed"
    assert {len(values) for values in features.values()} == {len(kept)}
    assert features["dense"].tolist() == pytest.approx([cosines[pk - 1] for pk in kept], abs=1e-3)


def test_a_few_candidates_are_all_judged() -> None:
    turns = [held(f"Note {pk} on ponds.", pk=pk, position=pk) for pk in range(1, 161)]
    one = found("What of ponds?", turns, (0.1,) * 160)
    judged, features = described(one)
    assert judged is one
    assert len(features["fusion"]) == 160


def test_a_candidate_is_ranked_alike_however_many_are_not_judged() -> None:
    turns = [held(f"Note {pk} on ponds.", pk=pk, position=9 * pk) for pk in range(1, 400)]
    cosines = [0.9 - pk / 1_000 for pk in range(1, 400)]
    judged, features = described(found("What of ponds?", turns, cosines))
    ranked = ranked_evidence(judged.candidates, reranked(DENSE, features))
    assert [one.turn.pk for one in ranked[:3]] == [1, 2, 3]


def test_the_newest_of_statements_comes_first_and_the_older_is_marked() -> None:
    old = held("I live in Berlin.", pk=1)
    new = held("I live in Paris now.", pk=2, said_at=MAY_8 + timedelta(days=90), session_pk=2, session_id="s2")
    candidates = [Candidate(turn=turn, encoded=encoded(turn, 0.5)) for turn in (old, new)]
    ranked = ranked_evidence(candidates, scores(2.0, 1.0))
    assert [one.turn.pk for one in ranked] == [2, 1]
    assert [one.superseded_by for one in ranked] == [None, (2, 0)]
    by_score = ranked_evidence(candidates, scores(2.0, 1.0), supersession=False)
    assert [one.turn.pk for one in by_score] == [1, 2]
    assert {one.superseded_by for one in by_score} == {None}


def test_what_another_person_says_replaces_nothing() -> None:
    old = held("I live in Berlin.", pk=1)
    new = replace(held("I live in Paris now.", pk=2, said_at=MAY_8 + timedelta(days=90)), speaker="Mel")
    candidates = [Candidate(turn=turn, encoded=encoded(turn, 0.5)) for turn in (old, new)]
    ranked = ranked_evidence(candidates, scores(2.0, 1.0))
    assert [(one.turn.pk, one.superseded_by) for one in ranked] == [(1, None), (2, None)]
