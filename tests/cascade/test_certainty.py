"""How sure a model was of its answer: of the answer's own tokens."""

import math

import pytest

from cascade.model import Completion, Usage
from cascade.reading import read_draft
from cascade.reading.certainty import certainty_of
from tests.support.briefs import brief, quote

REPLY = (('{"', -0.0), ("answer", -0.1), ('": "', -0.0), ("R", -1.0), ("ex", -0.5), ('", "', -3.0), ("citations", -0.0))


def test_only_the_tokens_of_the_answer_count() -> None:
    found = certainty_of(REPLY, "Rex")
    assert found
    assert found.mean == pytest.approx(math.exp(-0.75))
    assert found.least == pytest.approx(math.exp(-1.0))


def test_an_answer_that_is_not_found_is_judged_by_the_whole_reply() -> None:
    found = certainty_of(REPLY, "Max")
    assert found
    assert found.least == pytest.approx(math.exp(-3.0))


def test_quotes_in_an_answer_are_found_as_json_writes_them() -> None:
    tokens = (('{"answer": "', -2.0), ('say \\"hi\\"', -0.2), ('"}', -2.0))
    found = certainty_of(tokens, 'say "hi"')
    assert found
    assert found.least == pytest.approx(math.exp(-0.2))


def test_a_server_that_reports_none() -> None:
    assert certainty_of((), "Rex") is None


def test_a_draft_is_told_how_sure_its_model_was() -> None:
    text = '{"answer": "Rex", "citations": [1]}'
    tokens = (('{"answer": "', -2.0), ("Rex", -0.3), ('", "citations": [1]}', -2.0))
    completion = Completion(text=text, model="m", finish_reason="stop", usage=Usage(), confidence=0.5, tokens=tokens)
    draft = read_draft(completion, brief("What is the dog called?", quote(1, "My dog is called Rex.", 0.5)))
    assert draft.confidence == draft.least_confidence == pytest.approx(math.exp(-0.3))
