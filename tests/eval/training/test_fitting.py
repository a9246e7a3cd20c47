"""Fitting recall's weights: what is learned from, from whom a conversation is hidden, and what a candidate is worth."""

import asyncio
from dataclasses import replace

import numpy as np
import pytest

from eval.harness.conversations import Conversation, LabelledQuestion
from eval.training.answerability import AnswerabilityCase, fit_answerability, make_case, unseen_probabilities
from eval.training.fitting import Asked, ask_conversations, fit_reranker, held_out
from eval.training.unanswerable import FOREIGN
from memory.encoding.encoder import Encoder
from memory.recall.answerability import probability
from memory.recall.neighbour_features import PARTS
from memory.recall.reranker import reranked
from tests.support.turns import MAY_8

KEPT = {"Ann": "cello", "Ben": "harp", "Cleo": "drum", "Dan": "lute"}


def conversation(name: str, *, first_asked: int = 4) -> Conversation:
    """Four people of whom each plays something and says so, and small talk; a question about each, and one about nobody."""
    turns = [
        {"id": f"t{place}", "role": "user", "speaker": who, "text": text, "said_at": MAY_8.isoformat()}
        for place, (who, text) in enumerate(
            (who, text)
            for who, thing in KEPT.items()
            for text in (f"I play the {thing} on Sundays. It is old.", "Good morning!", "The weather is fine today.")
        )
    ]
    questions = [
        LabelledQuestion(
            id=f"{name}:{place}", question=f"What does {who} play on Sundays?", answer=thing, kind="single-hop",
            evidence=frozenset({f"t{3 * place}"}),
        )
        for place, (who, thing) in enumerate(KEPT.items())
    ][:first_asked]  # fmt: skip
    nothing = LabelledQuestion(
        id=f"{name}:9", question="What did Ann cook?", answer="", kind="none", evidence=frozenset(), answerable=False
    )
    return Conversation(id=name, sessions={"s1": turns}, questions=(*questions, nothing), last_said_at=MAY_8)


@pytest.fixture(scope="module")
def asked(encoder: Encoder) -> list[Asked]:
    both = [conversation("one"), conversation("other", first_asked=2)]
    return asyncio.run(ask_conversations("made up", both, encoder))


def test_every_question_is_asked_of_its_conversation_and_described(asked: list[Asked]) -> None:
    assert [(one.conversation, one.question.id) for one in asked] == [
        *(("one", f"one:{place}") for place in (0, 1, 2, 3, 9)),
        *(("other", f"other:{place}") for place in (0, 1, 9)),
    ]
    for one in asked:
        assert one.set == "made up"
        assert {len(values) for values in one.features.values()} == {len(one.found.candidates)}
        assert {"fusion", *(name for names in PARTS.values() for name in names)} <= one.features.keys()
        assert not any(candidate.encoded.vector.size for candidate in one.found.candidates), (
            "they would fill the memory"
        )


def test_a_candidate_is_worth_its_turn_and_its_words(asked: list[Asked]) -> None:
    worth = {
        (candidate.turn.id, candidate.text): useful
        for candidate, useful in zip(asked[0].found.candidates, asked[0].usefulness().tolist(), strict=True)
    }
    assert worth["t0", "I play the cello on Sundays."] == pytest.approx(0.95), "its words, and half of the turn's tenth"
    assert worth["t0", "It is old."] == pytest.approx(0.05)
    assert worth["t3", "I play the harp on Sundays."] == 0.0
    assert sum(worth.values()) == pytest.approx(1.0)


def test_lines_of_a_turn_that_hold_no_word_of_the_answer_divide_its_worth(asked: list[Asked]) -> None:
    one = replace(asked[0], question=replace(asked[0].question, answer="Violoncello"))
    assert sorted(one.usefulness().tolist())[-3:] == pytest.approx([0.0, 0.5, 0.5])


def test_the_fit_puts_evidence_first_and_is_the_same_each_time(asked: list[Asked]) -> None:
    weights = fit_reranker(asked)
    assert weights == fit_reranker(asked)
    for one in asked:
        if one.question.answerable:
            best = int(reranked(weights, one.features).evidence.argmax())
            assert one.found.candidates[best].turn.id in one.question.evidence


@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_is_left_out_has_no_weight_and_the_fusion_stays(asked: list[Asked], part: str) -> None:
    weights = fit_reranker(asked, without=part).weights
    assert not weights.keys() & set(PARTS[part])
    assert "fusion" in weights
    assert len(weights) == 1 + sum(len(names) for other, names in PARTS.items() if other != part)


def test_only_what_may_speak_against_a_passage_does(asked: list[Asked]) -> None:
    """Evidence that is far, of another speaker and without a word in common: the data ask for weights below 0."""
    odd = [replace(one, features={name: -values for name, values in one.features.items()}) for one in asked]
    below = {name for name, weight in fit_reranker(odd).weights.items() if weight < 0}
    assert below <= {"mentions", "question", "filler", "length"}


def test_a_conversation_is_judged_by_a_fit_that_never_saw_it(asked: list[Asked]) -> None:
    [own, other] = ([one for one in asked if one.conversation == name] for name in ("one", "other"))
    judged = held_out(asked, fitted_on=asked)
    for seen, unseen in ((other, own), (own, other)):
        weights = fit_reranker(seen)
        for one, of_one in zip(asked, judged, strict=True):
            if one in unseen:
                assert (of_one.evidence == reranked(weights, one.features).evidence).all()
    passed: list[None] = []
    held_out(asked, fitted_on=asked, advance=lambda: passed.append(None))
    assert len(passed) == 2


def test_sets_count_alike_whatever_their_size(asked: list[Asked]) -> None:
    small = [replace(one, set="small") for one in asked if one.conversation == "other"]
    large = [one for one in asked if one.conversation == "one"]
    assert fit_reranker([*large, *small]).weights == pytest.approx(fit_reranker([*large * 5, *small]).weights, abs=0.01)
    assert fit_reranker([*large, *small]).weights != pytest.approx(fit_reranker(asked).weights, abs=0.001)


def test_a_question_without_its_evidence_is_as_if_it_had_never_been_said(asked: list[Asked]) -> None:
    kept = asked[0].withheld()
    assert kept is not None
    assert {one.turn.id for one in kept.found.candidates} == {one.turn.id for one in asked[0].found.candidates} - {"t0"}
    assert {len(values) for values in kept.features.values()} == {len(kept.found.candidates)}
    assert not kept.usefulness().any()
    everything = replace(
        asked[0],
        question=replace(asked[0].question, evidence=frozenset(one.turn.id for one in asked[0].found.candidates)),
    )
    assert everything.withheld() is None


def cases(count: int, *, name: str = "c", seed: int = 1) -> list[AnswerabilityCase]:
    """Answerable questions have strong evidence, others weak; `related_ahead` says nothing."""
    random = np.random.default_rng(seed)
    return [
        AnswerabilityCase(
            set="made up",
            kind="answerable" if place % 2 else "asked",
            conversation=f"{name}{place % 4}",
            figures={
                "best": (1.0 if place % 2 else -1.0) + float(random.normal()),
                "related_ahead": float(random.normal()),
            },
        )
        for place in range(count)
    ]


def test_answerability_separates_answerable_questions_from_others() -> None:
    model = fit_answerability(cases(400))
    assert model.weights["best"] > 5 * model.weights["related_ahead"] >= 0
    unseen = cases(400, seed=2)
    likely = np.array([probability(model, case.figures) for case in unseen])
    true = np.array([case.kind == "answerable" for case in unseen])
    assert likely[true].mean() > 0.65
    assert likely[~true].mean() < 0.35
    assert fit_answerability(cases(400), names={"related_ahead"}).weights.keys() == {"related_ahead"}


def test_more_of_a_figure_never_speaks_against_an_answer() -> None:
    turned = [replace(case, figures={name: -value for name, value in case.figures.items()}) for case in cases(400)]
    assert fit_answerability(turned).weights["best"] == 0


def test_a_case_is_judged_by_a_fit_on_other_conversations() -> None:
    known = cases(40)
    likely = unseen_probabilities(known)
    model = fit_answerability([case for case in known if case.conversation != "c1"])
    for case, probable in zip(known, likely, strict=True):
        if case.conversation == "c1":
            assert probable == probability(model, case.figures)


def test_the_kind_of_a_case_is_the_questions_unless_it_is_said(asked: list[Asked]) -> None:
    weights = fit_reranker(asked)
    scores = [reranked(weights, one.features) for one in asked]
    assert make_case(asked[0], scores[0]).kind == "answerable"
    assert make_case(asked[4], scores[4]).kind == "asked"
    assert make_case(asked[0], scores[0], kind="withheld").kind == "withheld"
    foreign = replace(asked[4], question=replace(asked[4].question, kind=FOREIGN))
    assert make_case(foreign, scores[4]).kind == FOREIGN
    assert make_case(asked[0], scores[0]).figures["best"] == scores[0].evidence.max()
