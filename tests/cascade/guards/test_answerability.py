"""The guard over the evidence: at least so likely, and the model agrees; what it blames is the context."""

import pytest

from cascade.call_trace import Trace
from cascade.guards import AnswerabilityGuard, Case
from cascade.model import Draft
from tests.support.briefs import brief, quote


def case(probability: float, *, abstains: bool = False) -> Case:
    asked = brief("What is the cat called?", quote(1, "My cat is called Miso.", 0.9), answerable=probability)
    draft = Draft(answer="", citations=(), abstains=True) if abstains else Draft(answer="Miso.", citations=(1,))
    return Case(brief=asked, draft=draft, model="m", trace=Trace(started_s=0, deadline_s=1))


@pytest.mark.parametrize(("probability", "status"), [(0.0, "fail"), (0.29, "fail"), (0.3, "pass"), (1.0, "pass")])
async def test_the_threshold_itself_is_enough(probability: float, status: str) -> None:
    verdict = await AnswerabilityGuard(threshold=0.3).check(case(probability))
    assert (verdict.status, verdict.score, verdict.blames) == (status, probability, "context")
    assert f"{probability:.2f}" in verdict.reason
    assert "0.30 is asked for" in verdict.reason


async def test_a_model_that_finds_nothing_is_believed() -> None:
    verdict = await AnswerabilityGuard(threshold=0.3).check(case(0.9, abstains=True))
    assert (verdict.status, verdict.blames) == ("fail", "context")
    assert verdict.reason == "the model finds no answer in these lines"


async def test_of_what_is_unlikely_the_probability_is_the_reason_whatever_the_model_says() -> None:
    verdict = await AnswerabilityGuard(threshold=0.3).check(case(0.1, abstains=True))
    assert "0.10" in verdict.reason


def test_another_threshold_is_another_version() -> None:
    one, other = AnswerabilityGuard(threshold=0.3), AnswerabilityGuard(threshold=0.4)
    assert one.version != other.version
