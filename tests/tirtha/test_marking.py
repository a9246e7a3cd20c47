"""When an answer to one of the sample's questions is right: by a rule that counts the partly right as wrong."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from cascade import Decision
from cascade.decision import Path
from tests.support.briefs import brief
from tirtha.sample import SampleQuestion, sample_questions
from tirtha.sample.marking import Mark, in_words_of, mark

_BY_WORDS = {question.question.split()[-1]: question for question in sample_questions()}
_CAT, _NIECE, _CAR, _WHEEL = (_BY_WORDS[word] for word in ("home?", "born?", "car?", "wheel?"))
_VET, _RACE, _CITIES, _RENT, _SUBJECT = (
    _BY_WORDS[word] for word in ("living?", "marathon?", "holiday?", "Bristol?", "university?")
)


def decision(answer: str, path: Path = "extractive") -> Decision:
    return Decision(
        id="d", decided_at=datetime(2025, 9, 3, tzinfo=UTC), path=path, tier=None, model=None, answer=answer, citations=(),
        brief=brief("?"), verdicts=(), calls=(), latency_ms=1,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("question", "answer", "expected"),
    [
        (_CAT, "On 27 March 2025.", "right"),
        (_CAT, "March 27, 2025", "right"),
        (_CAT, "On 27 March.", "right"),
        (_CAT, "In March 2025.", "wrong"),
        (_CAT, "In March.", "wrong"),
        (_CAT, "In 2025.", "wrong"),
        (_CAT, "On 27 March 2024.", "wrong"),
        (_CAT, "On 28 March 2025.", "wrong"),
        (_CAT, "On 27 March 2025, or on 2 April 2025.", "wrong"),
        (_CAT, 'Maya said on 27 March 2025: "I picked her up the day before yesterday."', "wrong"),
        (_CAT, 'Maya said on 29 March 2025: "I picked her up on 27 March 2025."', "right"),
        (_CAR, "In July 2025.", "right"),
        (_CAR, "On 3 July 2025.", "right"),
        (_CAR, "In July 2024.", "wrong"),
        (_WHEEL, "180 pounds.", "right"),
        (_WHEEL, "\u00a3180", "right"),
        (_WHEEL, "45 pounds a month.", "wrong"),
        (_VET, 'Tom said on 29 March 2025: "My sister Ellen is a vet up in Glasgow."', "right"),
        (_VET, "A librarian.", "wrong"),
        (_RACE, "4:20", "right"),
        (_RACE, "Four hours twenty minutes.", "right"),
        (_RACE, "Four hours.", "wrong"),
        (_CITIES, "Bergen, Ghent and Porto.", "right"),
        (_CITIES, "Bergen and Porto.", "wrong"),
        (_RENT, "It rose to 875 pounds; now it is 1,050 pounds a month.", "right"),
        (_RENT, "875 pounds.", "wrong"),
        (_SUBJECT, "Geography.", "wrong"),
    ],
)
def test_an_answer_is_right_if_it_holds_the_whole_expected_one(
    question: SampleQuestion, answer: str, expected: Mark
) -> None:
    assert mark(question, decision(answer)) == expected


def test_abstaining_is_right_where_the_answer_was_never_said() -> None:
    assert mark(_SUBJECT, decision("That is not in memory.", "abstain")) == "right"
    assert mark(_CAT, decision("Das steht nicht im Ged\u00e4chtnis.", "abstain")) == "abstained"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("18 May 2025\n[1] Tom: Ellen had a little girl three days ago (15 May 2025), at four in the morning.", True),
        ("15 May 2025\n[1] Tom: Ellen had a little girl.", False),
        ("", False),
    ],
)
def test_a_context_holds_the_answer_in_its_lines_not_in_its_headings(text: str, found: bool) -> None:
    assert in_words_of(replace(brief("?"), text=text), _NIECE) is found
