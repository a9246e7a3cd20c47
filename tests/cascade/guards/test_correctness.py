"""The calibrated score over a draft: what each feature says, and what becomes of the whole."""

import json
from importlib.resources import files
from time import perf_counter

import pytest

from cascade import Quote, TimeSaid
from cascade.call_trace import Trace
from cascade.guards import Case, CorrectnessGuard, draft_features, guards_hash
from cascade.guards.correctness import Score, correctness_score
from cascade.guards.draft_features import FEATURES
from cascade.model import Draft
from tests.support.briefs import brief, quote

ADOPTED = quote(
    1, "I adopted a grey parrot yesterday.", 0.6, TimeSaid(meaning="7 May 2023", grain="day"), speaker="Ann"
)
DOG = quote(2, "My dog is called Rex.", 0.2, speaker="Bob")
WORK = quote(3, "Do you like your work?", 0.1, speaker="Bob")
LINES = (ADOPTED, DOG, WORK)


def features(
    answer: str,
    *cited: int,
    question: str = "When did Ann adopt a parrot?",
    lines: tuple[Quote, ...] = LINES,
    others: tuple[Draft, ...] = (),
    sure: tuple[float, float] | None = None,
) -> dict[str, float]:
    draft = Draft(
        answer=answer,
        citations=cited or (1,),
        confidence=sure[0] if sure else None,
        least_confidence=sure[1] if sure else None,
    )
    return dict(draft_features(brief(question, *lines), draft, others))


def test_every_feature_is_declared() -> None:
    assert set(features("7 May 2023")) <= set(FEATURES)


def test_what_is_not_at_hand_is_left_out() -> None:
    found = features("7 May 2023")
    assert not {"certainty", "least_certainty", "agrees"} & found.keys()
    assert features("7 May 2023", 9) == {}, "no line of the brief is cited"
    assert {"certainty", "least_certainty"} <= features("7 May 2023", sure=(0.9, 0.4)).keys()


def test_the_line_that_is_asked_about_holds_more_of_the_question() -> None:
    right, wrong = features("7 May 2023", 1), features("7 May 2023", 2)
    assert right["asked_in_line"] > wrong["asked_in_line"]
    assert right["first"] > wrong["first"]


@pytest.mark.parametrize(
    ("question", "answer", "differs"),
    [
        ("When did Ann adopt a parrot?", "7 May 2023", 0),
        ("When did Ann adopt a parrot?", "last summer", 0),
        ("When did Ann adopt a parrot?", "a parrot", 1),
        ("How many parrots does Ann have?", "three", 0),
        ("How many parrots does Ann have?", "3", 0),
        ("How many parrots does Ann have?", "grey ones", 1),
        ("How much did the wheel cost?", "14 April 2025", 1),
        ("How long did the trip take?", "two weeks", 0),
        ("Who called?", "Eve", 0),
        ("Who called?", "her sister", 0),
        ("Who called?", "7 May 2023", 1),
        ("Where does Ann live?", "Oslo", 0),
        ("Where does Ann live?", "near a park", 0),
        ("Does Ann have a parrot?", "yes", 0),
        ("Does Ann have a parrot?", "grey", 1),
        ("What is the dog called?", "7 May 2023", 1),
        ("What is the dog called?", "max", 0),
    ],
)
def test_the_kind_of_answer(question: str, answer: str, differs: float) -> None:
    assert features(answer, question=question)["kind_differs"] == differs


def test_whose_the_line_is() -> None:
    assert features("Rex", 2, question="What is Bob's dog called?")["other_person"] == 0
    assert features("Rex", 2, question="What is Ann's dog called?")["other_person"] == 1


def test_an_answer_that_repeats_the_question() -> None:
    assert features("a parrot")["echo"] == 1
    assert features("7 May 2023")["echo"] == 0


def test_earlier_drafts_agree_or_not() -> None:
    same, other = Draft(answer="on 7 May 2023", citations=(1,)), Draft(answer="in June", citations=(1,))
    none = Draft(answer="", citations=(), abstains=True)
    assert features("7 May 2023", others=(other, same))["agrees"] == 1
    assert features("7 May 2023", others=(other,))["agrees"] == 0
    assert "agrees" not in features("7 May 2023", others=(none,))


def test_a_missing_feature_counts_as_the_mean_one() -> None:
    score = Score(
        intercept=0.0,
        weights={"score": 2.0, "echo": -1.0},
        means={"score": 0.5, "echo": 0.0},
        deviations={"score": 0.5, "echo": 1.0},
        threshold=0.5,
    )
    assert score.probability({}) == 0.5
    assert score.probability({"score": 0.5}) == 0.5
    assert score.probability({"score": 1.0}) > 0.5 > score.probability({"score": 0.0})
    assert score.probability({"score": 1.0, "echo": 1.0}) < score.probability({"score": 1.0})


def test_the_score_that_ships_weighs_declared_features_the_way_they_are_meant() -> None:
    score = correctness_score()
    assert score.weights
    assert all(weight * FEATURES[name] > 0 for name, weight in score.weights.items())
    assert score.weights.keys() == score.means.keys() == score.deviations.keys()
    assert all(deviation > 0 for deviation in score.deviations.values())
    assert 0 < score.threshold < 1
    card = json.loads(files("cascade.guards").joinpath("correctness.json").read_text("utf-8"))["card"]
    assert not {"locomo", "realtalk"} & card["data"].keys(), "they test it, and may not be shipped"


def case(answer: str, *cited: int, model: str = "small.gguf", abstains: bool = False) -> Case:
    return Case(
        brief=brief("When did Ann adopt a parrot?", *LINES),
        draft=Draft(answer=answer, citations=cited, abstains=abstains),
        model=model,
        trace=Trace(started_s=perf_counter(), deadline_s=5),
    )


async def test_only_models_with_a_threshold_are_held_to_it() -> None:
    guard = CorrectnessGuard(thresholds={"small.gguf": 0.999})
    strict, told = await guard.check(case("a parrot", 2)), await guard.check(case("a parrot", 2, model="large"))
    assert (strict.status, told.status) == ("fail", "pass")
    assert strict.score == told.score < 0.999
    assert "1.00 is asked for" in strict.reason


async def test_a_better_draft_is_likelier_and_the_reason_says_what_speaks_against_a_worse_one() -> None:
    guard = CorrectnessGuard(thresholds={"small.gguf": 1.0})
    right, wrong = await guard.check(case("7 May 2023", 1)), await guard.check(case("a parrot", 2))
    assert right.score > wrong.score
    assert "the cited line is of another person" in wrong.reason
    assert "it repeats the question" in wrong.reason


async def test_an_abstention_claims_nothing() -> None:
    verdict = await CorrectnessGuard(thresholds={"small.gguf": 1.0}).check(case("", abstains=True))
    assert verdict.status == "pass"


def test_another_threshold_is_another_guard() -> None:
    one, other = CorrectnessGuard(thresholds={"m": 0.5}), CorrectnessGuard(thresholds={"m": 0.6})
    assert guards_hash([one]) != guards_hash([other])
