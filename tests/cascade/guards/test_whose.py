"""Whose a line is: by names, by grammatical person, by relations."""

from time import perf_counter

import pytest

from cascade.call_trace import Trace
from cascade.guards import Case, WhoseGuard
from cascade.guards.whose import Whose, other_relation, relations, whose
from cascade.model import Draft
from tests.support.briefs import brief, quote

SPEAKERS = ("Ann", "Bob")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("My mum and my two brothers", {"mother", "brother"}),
        ("my sister's dog", {"sister", "dog"}),
        ("The kids are here", {"child"}),
        ("I bought a boat", set()),
    ],
)
def test_relations(text: str, named: set[str]) -> None:
    assert relations(text) == named


@pytest.mark.parametrize(
    ("claimed", "line", "other"),
    [
        ("My brother's name is Ada", "My sister Ada is here.", "brother"),
        ("Your brother is called Ada", "My sister is called Ada.", "brother"),
        ("Your mother lives in Oslo", "My dad lives in Oslo.", ""),  # parents are told of together
        ("Your sister is called Ada", "My sister is called Ada.", ""),
        ("Your sister is called Ada", "Ada is here.", ""),
        ("You have a boat", "My sister has a boat.", ""),
    ],
)
def test_another_relation(claimed: str, line: str, other: str) -> None:
    assert other_relation(claimed, [line]) == other


@pytest.mark.parametrize(
    ("question", "speaker", "text", "found"),
    [
        ("What is Ann's dog called?", "Ann", "I call him Rex.", "unclear"),
        ("What is Ann's dog called?", "Ann", "My dog is called Rex.", "same"),
        ("What is Ann's dog called?", "Bob", "My dog is called Rex.", "other"),
        ("Where does Ann live?", "Bob", "I live in Oslo.", "other"),
        ("Where does Ann live?", "Bob", "Ann lives in Oslo.", "unclear"),
        ("Where does Ann live?", "Bob", "I hear that you live in Oslo.", "unclear"),
        ("Where does Ann work?", "Ann", "My sister works at the port.", "other"),
        ("Where does Ann's sister work?", "Ann", "My sister works at the port.", "same"),
        ("Where does Ann's sister work?", "Ann", "My brother works at the port.", "other"),
        ("Where do I live?", "user", "I live in Oslo.", "same"),
        ("Where does Eve live?", "Ann", "Eve lives in Oslo.", "same"),
        ("Where does Eve live?", "Ann", "It rains in Oslo.", "unclear"),
    ],
)
def test_whose_a_line_is(question: str, speaker: str, text: str, found: Whose) -> None:
    assert whose(question, quote(1, text, 0.5, speaker=speaker), SPEAKERS) == found


@pytest.mark.parametrize(("answer", "status"), [("Your brother is called Ada.", "fail"), ("Ada.", "pass")])
async def test_the_guard(answer: str, status: str) -> None:
    case = Case(
        brief=brief("?", quote(1, "My sister is called Ada.", 0.5)),
        draft=Draft(answer=answer, citations=(1,)),
        model="m",
        trace=Trace(started_s=perf_counter(), deadline_s=5),
    )
    assert (await WhoseGuard().check(case)).status == status
