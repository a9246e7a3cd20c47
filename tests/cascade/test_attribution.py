"""Which lines an answer rests on, where the model's own citations do not tell."""

import pytest

from cascade.model import Draft
from cascade.reading import attributed
from tests.support.briefs import brief, quote

LINES = (
    quote(1, "We talked about dogs.", 0.9),
    quote(2, "My dog is called Rex.", 0.5),
    quote(3, "Rex is what my cousin calls his boat.", 0.4),
    quote(4, "It rained all day.", 0.3),
)


@pytest.mark.parametrize(
    ("answer", "cited", "rests_on"),
    [
        ("Rex", (2,), (2,)),
        ("Rex", (3,), (3,)),  # it is in the line, and whether that is the right one is not for words to say
        ("Rex", (1,), (2,)),  # of two that hold it the one that holds more of the question
        ("Rex", (1, 2, 3, 4), (2, 3)),
        ("Rex", (1, 2, 4), (1, 2, 4)),  # few lines were named with care
        ("Rex", (9,), (9,)),  # there is no such line
        ("yes", (1,), (1,)),
        ("a hound", (1,), (1,)),
        ("Rex", (), ()),
    ],
)
def test_lines_are_cited_that_hold_the_answer(answer: str, cited: tuple[int, ...], rests_on: tuple[int, ...]) -> None:
    draft = attributed(Draft(answer=answer, citations=cited), brief("What is the dog called?", *LINES))
    assert draft.citations == rests_on
    assert draft.attributed == (cited != rests_on)


def test_an_abstention_rests_on_nothing() -> None:
    draft = Draft(answer="", citations=(1,), abstains=True)
    assert attributed(draft, brief("?", *LINES)) is draft
