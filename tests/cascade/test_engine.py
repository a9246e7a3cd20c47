from time import perf_counter

import pytest

from cascade import AnswerabilityGuard, Brief, Cascade, CitationGuard, Decision, ExtractiveTier, dollars
from cascade.engine import ABSTENTION
from cascade.ports import Draft, Usage, Verdict
from tests.support.briefs import brief, quote

CAT = quote(2, "My cat is called Miso.", 0.8)
GUARDS = (CitationGuard(), AnswerabilityGuard(threshold=0.3))


class PricedTier:
    """A shipped port in a test's own shape: answers what it is told, for a price."""

    name = "extractive"
    model = "priced"

    def __init__(self, *citations: int) -> None:
        self._citations = citations

    async def draft(self, brief: Brief) -> Draft | None:
        usage = Usage(prompt_tokens=brief.tokens, completion_tokens=5)
        return Draft(answer="Miso.", citations=self._citations, usage=usage, cost_nanousd=31_005)


class UnsureGuard:
    """A guard that cannot judge."""

    def check(self, brief: Brief, draft: Draft) -> Verdict:
        return Verdict(guard="unsure", status="unsure", score=0.5, reason="cannot tell")


async def decide(cascade: Cascade, asked: Brief) -> Decision:
    return await cascade.answer(asked, started_s=perf_counter())


async def test_a_draft_that_every_guard_passes_is_served() -> None:
    decision = await decide(Cascade(tier=ExtractiveTier(), guards=GUARDS), brief("What is the cat called?", CAT))
    assert (decision.path, decision.tier, decision.abstained) == ("extractive", "extractive", False)
    assert decision.citations == (CAT,)
    assert [verdict.status for verdict in decision.verdicts] == ["pass", "pass"]
    assert len(decision.id) == 32


@pytest.mark.parametrize("answerable", [0.0, 0.1, 0.29])
async def test_evidence_that_hardly_holds_the_answer_is_not_served(answerable: float) -> None:
    asked = brief("What is the dog called?", CAT, answerable=answerable)
    decision = await decide(Cascade(tier=ExtractiveTier(), guards=GUARDS), asked)
    assert (decision.path, decision.answer, decision.citations, decision.tier) == ("abstain", ABSTENTION, (), None)
    assert {verdict.guard: verdict.status for verdict in decision.verdicts} == {
        "citations": "pass",
        "answerability": "fail",
    }


async def test_only_pass_passes() -> None:
    decision = await decide(
        Cascade(tier=ExtractiveTier(), guards=(UnsureGuard(),)), brief("What is the cat called?", CAT)
    )
    assert decision.path == "abstain"


@pytest.mark.parametrize("citations", [(), (7,), (2, 7)])
async def test_a_citation_outside_the_context_is_not_served(citations: tuple[int, ...]) -> None:
    decision = await decide(Cascade(tier=PricedTier(*citations), guards=GUARDS), brief("What is the cat called?", CAT))
    assert decision.path == "abstain"
    assert decision.verdicts[0].status == "fail"


async def test_costs_and_tokens_are_counted_whether_served_or_not() -> None:
    for citations in ((2,), (7,)):
        decision = await decide(Cascade(tier=PricedTier(*citations), guards=GUARDS), brief("What is it called?", CAT))
        assert decision.cost_nanousd == sum(call.cost_nanousd for call in decision.calls) == 31_005
        assert decision.usage == Usage(prompt_tokens=3, completion_tokens=5)


async def test_nothing_to_say_is_an_abstention() -> None:
    decision = await decide(Cascade(tier=ExtractiveTier(), guards=GUARDS), brief("What is it called?", answerable=0.0))
    assert (decision.path, decision.verdicts, decision.calls) == ("abstain", (), ())


@pytest.mark.parametrize(
    ("nanousd", "text"),
    [(0, "0.000000"), (31_000, "0.000031"), (31_005, "0.000031005"), (1_500_000_000, "1.500000"), (1, "0.000000001")],
)
def test_amounts_are_never_rounded(nanousd: int, text: str) -> None:
    assert dollars(nanousd) == text
