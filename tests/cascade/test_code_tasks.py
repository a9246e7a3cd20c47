from time import perf_counter

import anyio
import pytest

from cascade import CodeCascade, CodeTask, Decision
from cascade.code_tasks import CodePolicy
from cascade.errors import ChatFailed, SandboxUnavailable, TierDown
from cascade.model import Completion, Usage
from cascade.sandbox import Limits, PublicTests, TrialOutcome, find_level, try_program
from tests.support.tiers import DEAR, Scripted, tier

TASK = CodeTask(question="Add two numbers.", entry_point="add", tests="assert add(1, 2) == 3")
RIGHT = "```python\ndef add(a, b):\n    return a + b\n```"
OTHER = "```python\ndef add(a, b):\n    return b + a\n```"
WRONG = "```python\ndef add(a, b):\n    return a - b\n```"


async def run(program: str, tests: PublicTests) -> TrialOutcome:
    return await try_program(await find_level(), program, tests, Limits(wall_s=5))


async def unsafe(program: str, tests: PublicTests) -> TrialOutcome:
    raise SandboxUnavailable(reason="a test says so")


def cascade(
    local: Scripted | None, frontier: Scripted | None = None, *, policy: CodePolicy | None = None
) -> CodeCascade:
    return CodeCascade(
        try_program=run,
        local=tier(local) if local else None,
        frontier=tier(frontier, name="frontier", price=DEAR) if frontier else None,
        policy=policy or CodePolicy(),
    )


async def decide(own: CodeCascade) -> Decision:
    ended = await own.answer(TASK, started_s=perf_counter())
    assert ended.fault is None
    return ended.decision


@pytest.mark.parametrize(
    ("said", "path", "program"),
    [
        ((RIGHT, OTHER), "local", "return b + a"),  # the review passes too, and is served
        ((RIGHT, WRONG), "local", "return a + b"),  # the review breaks it, and is not
        ((WRONG, RIGHT), "local_repaired", "return a + b"),
    ],
)
async def test_the_review_is_served_only_if_it_clears_the_same_tests(
    said: tuple[str, str], path: str, program: str
) -> None:
    local, frontier = Scripted(*said), Scripted(RIGHT)
    decision = await decide(cascade(local, frontier))
    assert decision.path == path
    assert program in decision.answer
    assert decision.verified
    assert [call.purpose for call in decision.calls] == ["draft", "review"]
    outcome = "every assertion holds" if said[0] == RIGHT else "AssertionError in: assert add(1, 2) == 3"
    assert outcome in local.requests[1].messages[1].content
    assert not frontier.requests


async def test_what_the_cheap_tier_cannot_write_the_frontier_tier_writes_and_the_same_tests_gate_it() -> None:
    assert (await decide(cascade(Scripted(WRONG), Scripted(RIGHT)))).path == "frontier"
    failed = await decide(cascade(Scripted(WRONG), Scripted(WRONG)))
    assert (failed.path, failed.verified, failed.verdicts[-1].status) == ("abstain", False, "fail")


@pytest.mark.parametrize(("review", "calls"), [("always", 2), ("on_failure", 1), ("never", 1)])
async def test_the_policy_says_when_to_review(review: str, calls: int) -> None:
    decision = await decide(cascade(Scripted(RIGHT), policy=CodePolicy(review=review)))  # type: ignore[arg-type]
    assert len(decision.calls) == calls


async def test_several_drafts_are_tried_until_one_passes() -> None:
    local = Scripted(WRONG, RIGHT, WRONG)
    decision = await decide(cascade(local, policy=CodePolicy(drafts=3, review="never")))
    assert (decision.path, len(decision.calls)) == ("local", 2)
    assert [request.sample for request in local.requests] == [0, 1]


async def test_without_tiers_or_a_sandbox_nothing_is_run_and_the_record_says_why() -> None:
    ended = await cascade(None).answer(TASK, started_s=perf_counter())
    assert isinstance(ended.fault, TierDown)
    own = CodeCascade(try_program=unsafe, local=tier(Scripted(RIGHT)))
    ended = await own.answer(TASK, started_s=perf_counter())
    assert isinstance(ended.fault, SandboxUnavailable)
    assert (ended.decision.path, len(ended.decision.calls)) == ("error", 1)


async def test_a_tier_that_is_down_leaves_the_frontier_tier() -> None:
    decision = await decide(cascade(Scripted(ChatFailed("server", "500")), Scripted(RIGHT)))
    assert decision.path == "frontier"


async def test_the_best_failing_program_is_served_only_if_the_policy_says_so() -> None:
    decision = await decide(cascade(Scripted(WRONG), policy=CodePolicy(unverified="serve")))
    assert (decision.path, decision.verified) == ("local_repaired", False)
    unseen = await decide(cascade(Scripted(WRONG), policy=CodePolicy(verify="nothing", review="never")))
    assert (unseen.path, unseen.verified) == ("local", False)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("def add(a, b:", "no Python"),
        ("def plus(a, b):\n    return a + b", "does not define add"),
        (Completion(text=RIGHT, model="", finish_reason="length", usage=Usage()), "did not finish"),
    ],
)
async def test_what_is_no_program_is_not_run(said: str | Completion, why: str) -> None:
    decision = await decide(cascade(Scripted(said)))
    assert decision.path == "abstain"
    assert [verdict.guard for verdict in decision.verdicts] == ["program"]
    assert why in decision.verdicts[0].reason


async def test_tests_that_outlast_the_request_are_no_pass() -> None:
    async def endless(program: str, tests: PublicTests) -> TrialOutcome:
        await anyio.sleep_forever()
        raise AssertionError

    own = CodeCascade(
        try_program=endless, local=tier(Scripted(RIGHT)), policy=CodePolicy(unverified="serve"), deadline_s=0.3
    )
    decision = await decide(own)
    assert (decision.path, decision.verified) == ("local", False)
    assert [(one.guard, one.status) for one in decision.verdicts] == [("program", "pass"), ("code_tests", "error")]
    assert "when the request's time was up" in decision.verdicts[-1].reason
