import json
from dataclasses import replace
from time import perf_counter

import pytest

from cascade import Brief, Cascade, Decision, Ended, Policy, dollars
from cascade.decision import Verdict
from cascade.errors import ChatFailed, TierDown, TooLong
from cascade.guards import (
    AnswerabilityGuard,
    Case,
    CitationGuard,
    FactsGuard,
    FinishGuard,
    Guard,
    SchemaGuard,
    SupportGuard,
)
from cascade.guards.guard import Cost
from cascade.model import Completion, Usage
from tests.support.briefs import brief, quote
from tests.support.tiers import DEAR, OneContext, Scripted, tier

ABSTENTION = "That is not in memory."
CAT = quote(2, "My cat is called Miso.", 0.8)
DOG = quote(3, "My dog is called Rex.", 0.7)
ASKED = brief("What is the cat called?", CAT)
WIDER = brief("What is the cat called?", CAT, DOG, budget=660)
GUARDS: tuple[Guard, ...] = (
    FinishGuard(), SchemaGuard(), AnswerabilityGuard(threshold=0.3), CitationGuard(), FactsGuard(), SupportGuard(),
)  # fmt: skip
USED = Usage(prompt_tokens=7, completion_tokens=1)
RIGHT, WRONG, NOTHING = (
    json.dumps({"answer": answer, "citations": cited})
    for answer, cited in (("Miso.", [2]), ("Bella.", [2]), (None, []))
)
DOWN = ChatFailed("server", "the server answered 500")


class UnsureGuard:
    name = "unsure"
    version = "1"
    cost: Cost = "free"

    async def check(self, case: Case) -> Verdict:
        return Verdict(guard="unsure", status="unsure", score=0.5, reason="cannot tell")


def cascade(
    local: Scripted | None = None,
    frontier: Scripted | None = None,
    *,
    policy: Policy | None = None,
    guards: tuple[Guard, ...] = GUARDS,
) -> Cascade:
    return Cascade(
        guards=guards,
        quote_guards=(CitationGuard(), AnswerabilityGuard(threshold=0.3)),
        answerable_from=0.3,
        local=tier(local) if local else None,
        frontier=tier(frontier, name="frontier", price=DEAR) if frontier else None,
        policy=policy or Policy(),
    )


async def end(own: Cascade, *briefs: Brief, raw: Brief | None = None, **how: str) -> Ended:
    contexts = OneContext(briefs or (ASKED, WIDER), raw)
    return await own.answer(contexts, budget=165, started_s=perf_counter(), **how)  # type: ignore[arg-type]


async def decide(own: Cascade, *briefs: Brief, raw: Brief | None = None, **how: str) -> Decision:
    ended = await end(own, *briefs, raw=raw, **how)
    assert ended.fault is None
    return ended.decision


async def test_without_models_a_quote_that_every_guard_passes_is_served() -> None:
    decision = await decide(cascade())
    assert (decision.path, decision.tier, decision.abstained, decision.verified) == (
        "extractive",
        "extractive",
        False,
        True,
    )
    assert decision.citations == (CAT,)
    assert [verdict.status for verdict in decision.verdicts] == ["pass", "pass"]
    assert len(decision.id) == 32


@pytest.mark.parametrize("answerable", [0.0, 0.1, 0.29])
async def test_evidence_that_hardly_holds_the_answer_is_not_served_and_costs_nothing(answerable: float) -> None:
    local = Scripted(RIGHT)
    decision = await decide(cascade(local), brief("What is the dog called?", CAT, answerable=answerable))
    assert (decision.path, decision.answer, decision.citations, decision.tier) == ("abstain", ABSTENTION, (), None)
    assert [(verdict.guard, verdict.status) for verdict in decision.verdicts] == [("answerability", "fail")]
    assert not local.requests


async def test_the_cheap_tier_is_served_if_every_guard_passes() -> None:
    frontier = Scripted(RIGHT)
    decision = await decide(cascade(Scripted(RIGHT), frontier))
    assert (decision.path, decision.tier, decision.answer, decision.citations) == ("local", "local", "Miso.", (CAT,))
    assert not frontier.requests
    assert decision.cost_nanousd == 100 * 500 + 10 * 1_500


async def test_a_rejected_draft_is_mended_once_with_the_reason_in_view() -> None:
    local = Scripted(WRONG, RIGHT)
    decision = await decide(cascade(local, Scripted(RIGHT)))
    assert (decision.path, decision.answer) == ("local_repaired", "Miso.")
    assert "'Bella'" in local.requests[1].messages[1].content
    assert [attempt.accepted for attempt in decision.attempts] == [False, True]


async def test_a_context_without_the_answer_is_widened() -> None:
    decision = await decide(cascade(Scripted(NOTHING, RIGHT), Scripted(RIGHT)))
    assert (decision.path, decision.brief.budget, len(decision.contexts)) == ("widened", 660, 2)


async def test_a_wider_context_that_brings_nothing_new_is_not_tried() -> None:
    local = Scripted(NOTHING)
    decision = await decide(cascade(local, Scripted(RIGHT)), ASKED, replace(ASKED, budget=660))
    assert decision.path == "frontier"
    assert len(local.requests) == 1


async def test_what_the_cheap_tier_cannot_do_goes_to_the_frontier_tier_and_through_the_same_gate() -> None:
    decision = await decide(cascade(Scripted(WRONG), Scripted(RIGHT)))
    assert (decision.path, decision.tier) == ("frontier", "frontier")
    assert [call.purpose for call in decision.calls] == ["draft", "repair", "draft"]
    assert decision.cost_nanousd == 2 * 65_000 + 100 * 10_000 + 10 * 30_000
    rejected = await decide(cascade(Scripted(WRONG), Scripted(WRONG)))
    assert (rejected.path, rejected.answer, rejected.verified) == ("abstain", ABSTENTION, False)


async def test_the_policy_decides_about_widening_after_the_frontier_and_about_raw_history() -> None:
    after = Policy(widen_before=0, widen_after=1)
    decision = await decide(cascade(Scripted(NOTHING), Scripted(NOTHING, RIGHT), policy=after))
    assert (decision.path, decision.brief.budget) == ("frontier", 660)
    whole = brief("What is the cat called?", CAT, DOG, quote(4, "Bye.", 0.1), budget=100_000)
    raw = Policy(raw=True)
    decision = await decide(cascade(Scripted(NOTHING), Scripted(NOTHING, RIGHT), policy=raw), ASKED, raw=whole)
    assert (decision.path, decision.brief.budget) == ("frontier", 100_000)


async def test_the_best_of_rejected_drafts_is_served_only_if_the_policy_says_so_and_is_marked() -> None:
    serve = Policy(unverified="serve")
    decision = await decide(
        cascade(Scripted(WRONG), Scripted(json.dumps({"answer": "Bella", "citations": [9]})), policy=serve)
    )
    assert (decision.path, decision.answer, decision.verified) == ("local_repaired", "Bella.", False)
    assert decision.citations == (CAT,)


@pytest.mark.parametrize(("most", "path"), [("extractive", "extractive"), ("local", "local"), ("frontier", "local")])
async def test_no_tier_above_the_allowed_one_is_asked(most: str, path: str) -> None:
    frontier = Scripted(RIGHT)
    decision = await decide(cascade(Scripted(RIGHT), frontier), max_tier=most)
    assert decision.path == path
    assert not frontier.requests


async def test_a_tier_that_is_down_leaves_the_next_one_to_answer_and_its_calls_are_in_the_record() -> None:
    decision = await decide(cascade(Scripted(DOWN), Scripted(RIGHT)))
    assert decision.path == "frontier"
    assert [bool(call.fault) for call in decision.calls] == [True, True, True, False]


async def test_if_no_tier_that_may_answer_is_up_it_is_an_error_and_says_so() -> None:
    ended = await end(cascade(Scripted(DOWN), Scripted(RIGHT)), max_tier="local")
    assert isinstance(ended.fault, TierDown)
    assert (ended.decision.path, ended.decision.answer, len(ended.decision.calls)) == ("error", "", 3)
    refused = await end(cascade(Scripted(WRONG), Scripted(DOWN)))
    assert (refused.decision.path, type(refused.fault)) == ("error", TierDown)


async def test_what_no_window_holds_is_found_before_any_call() -> None:
    local = Scripted(RIGHT)
    own = replace(cascade(local), local=tier(local, window=150))
    ended = await end(own)
    assert isinstance(ended.fault, TooLong)
    assert ended.fault.window_tokens == 150 < ended.fault.tokens
    assert not local.requests


@pytest.mark.parametrize(
    "broken",
    [
        Completion(text="", model="", finish_reason="stop", usage=USED),
        Completion(text=RIGHT, model="", finish_reason="length", usage=USED),
        Completion(text=RIGHT, model="another-model", finish_reason="stop", usage=USED),
        Completion(text='{"answer": "Mis', model="", finish_reason="stop", usage=USED),
    ],
)
async def test_an_answer_of_the_wrong_form_is_never_served_and_its_cost_is_kept(broken: Completion) -> None:
    decision = await decide(cascade(Scripted(broken), Scripted(RIGHT)))
    assert decision.path == "frontier"
    assert decision.calls[0].cost_nanousd == 5_000


async def test_only_pass_passes() -> None:
    decision = await decide(cascade(Scripted(RIGHT), guards=(UnsureGuard(),)))
    assert decision.path == "abstain"
    assert not (await decide(cascade(Scripted(RIGHT), guards=()))).verified


async def test_verification_can_be_switched_off_for_ablations() -> None:
    decision = await decide(cascade(Scripted(WRONG), policy=Policy(verify=False)))
    assert (decision.path, decision.answer) == ("local", "Bella.")


async def test_nothing_to_say_is_an_abstention() -> None:
    decision = await decide(cascade(Scripted(RIGHT)), brief("What is it called?", answerable=0.9))
    assert (decision.path, decision.calls) == ("abstain", ())


async def test_an_abstention_says_whether_there_was_a_draft_at_all() -> None:
    nothing = await decide(cascade(), brief("Where was the wedding?", CAT, answerable=0.9))
    assert (nothing.path, nothing.attempts, nothing.reason) == ("abstain", (), "no line of the context is about it")
    failed = await decide(cascade(Scripted(WRONG)))
    assert (failed.path, failed.reason) == ("abstain", "no draft passed every guard")
    assert failed.attempts


async def test_two_runs_of_one_thing_differ_in_ids_and_times_only() -> None:
    one, other = [await decide(cascade(Scripted(WRONG), Scripted(RIGHT))) for _ in range(2)]
    assert one != other
    assert one.timeless() == other.timeless()


@pytest.mark.parametrize(
    ("nanousd", "text"),
    [(0, "0.000000"), (31_000, "0.000031"), (31_005, "0.000031005"), (1_500_000_000, "1.500000"), (1, "0.000000001")],
)
def test_amounts_are_never_rounded(nanousd: int, text: str) -> None:
    assert dollars(nanousd) == text
