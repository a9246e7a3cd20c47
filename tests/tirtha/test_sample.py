"""The sample history is what the demo says it is."""

from itertools import pairwise

from tirtha.sample import sample_questions, sample_sessions


def test_the_history_is_eight_sessions_over_half_a_year() -> None:
    sessions = sample_sessions()
    turns = [turn for said in sessions.values() for turn in said]
    moments = [turn.said_at for turn in turns if turn.said_at]
    assert len(sessions) == 8
    assert 145 <= len(turns) <= 160
    assert len({turn.id for turn in turns}) == len(turns) == len(moments)
    assert {turn.speaker for turn in turns} == {"Maya", "Tom"}
    assert all(a < b for a, b in pairwise(moments))
    assert 150 <= (moments[-1] - moments[0]).days <= 200


def test_every_question_has_its_evidence() -> None:
    known = {turn.id for said in sample_sessions().values() for turn in said}
    questions = sample_questions()
    assert len(questions) == 15
    assert {question.kind for question in questions} == {"fact", "when", "changed", "multi", "absent"}
    for question in questions:
        assert question.evidence <= known
        assert bool(question.evidence) == bool(question.answer) == (question.kind != "absent")
