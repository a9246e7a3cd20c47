"""Code tasks: the cheap tier drafts, public tests gate, it reviews once with their outcome in view, else the frontier tier writes.

The review is served only if it clears the same tests, and the draft it replaces if the review does not but the draft did: monotonic
on the tests that are given, and silent on those that are not. Source of the flow: execution as the gate, as in CodeT (arXiv
2207.10397) and Reflexion (arXiv 2303.11366), with tests that are given instead of imagined.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Literal

from cascade.call_trace import Trace
from cascade.decision import Attempt, Hashes, MaxTier, Path, Verdict
from cascade.errors import SandboxUnavailable, TierDown
from cascade.fixed_sentences import no_program_passed
from cascade.guards.form import finish_fault
from cascade.model import Brief, ChatRequest, Completion, Draft, Message
from cascade.policy import hash_of
from cascade.prompts import code_messages, prompts_hash, review_messages
from cascade.reading import NO_PYTHON, defined_names, parse, read_program
from cascade.run import UNASKED, Ended, Run
from cascade.sandbox import PublicTests, TrialOutcome
from cascade.tiers.model import ModelTier

__all__ = ["CodeCascade", "CodePolicy", "CodeTask", "Try"]

Try = Callable[[str, PublicTests], Awaitable[TrialOutcome]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeTask:
    """A program to write: what it shall do, the function that tests call, and the public tests (Python assertions)."""

    question: str
    entry_point: str
    tests: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CodePolicy:
    """How many drafts the cheap tier may try until one passes, and when it reviews one: always, once all failed, or never.

    `verify`: by the tests; for ablations only by the form of the program, or not at all.
    """

    drafts: int = 1
    review: Literal["always", "on_failure", "never"] = "always"
    verify: Literal["tests", "form", "nothing"] = "tests"
    unverified: Literal["abstain", "serve"] = "abstain"

    @property
    def hash(self) -> str:
        """Return a short hash of all of it."""
        return hash_of(asdict(self))


def code_task_messages(task: CodeTask) -> tuple[Message, ...]:
    """Ask for the program of a task."""
    return code_messages(task.question, task.entry_point, task.tests)


@dataclass(slots=True, kw_only=True)
class _Run(Run):
    task: CodeTask


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeCascade:
    """The tiers there are, and the sandbox that runs what they write."""

    try_program: Try
    local: ModelTier | None = None
    frontier: ModelTier | None = None
    policy: CodePolicy = field(default_factory=CodePolicy)
    deadline_s: float = 120.0
    temperature: float = 0.2
    draft_messages: Callable[[CodeTask], tuple[Message, ...]] = field(default=code_task_messages)

    async def answer(
        self, task: CodeTask, *, started_s: float, max_tier: MaxTier = "frontier", paid: bool = True
    ) -> Ended:
        """Write the program; what goes wrong with tiers or the sandbox is a decision whose path is `error`.

        Without `paid`, tiers that cost money are not asked; if there is no other, that is an abstention.
        """
        run = _Run(
            task=task,
            trace=Trace(started_s=started_s, deadline_s=self.deadline_s),
            max_tier=max_tier,
            contexts=[Brief.without_evidence(task.question, asked_at=datetime.now(UTC))],
            hashes=self.hashes,
        )
        local, frontier = (tier if tier and (paid or tier.price.free) else None for tier in self._allowed(max_tier))
        if not paid and not (local or frontier):
            return run.abstain(no_program_passed(task.question), "no model wrote a program")
        try:
            if not (local and await self._cheaply(run, local)) and frontier:
                await self._draft(run, frontier, "frontier")
        except SandboxUnavailable as fault:
            run.faults.append(fault)
        return self._ended(run)

    def may_cost(self, max_tier: MaxTier) -> bool:
        """Return whether a tier that costs money may be asked, up to `max_tier`."""
        return any(tier and not tier.price.free for tier in self._allowed(max_tier))

    @property
    def hashes(self) -> Hashes:
        """Return what a decision is made with."""
        models = [tier.described for tier in (self.local, self.frontier) if tier]
        return Hashes(
            policy=self.policy.hash, prompts=prompts_hash(), guards="program 3; code_tests 2", models="; ".join(models)
        )

    def _allowed(self, max_tier: MaxTier) -> tuple[ModelTier | None, ModelTier | None]:
        local = self.local if max_tier != "extractive" else None
        return local, (self.frontier if max_tier == "frontier" else None)

    async def _cheaply(self, run: _Run, tier: ModelTier) -> bool:
        """Draft until one passes; review as the policy says. True if something passed."""
        passed = False
        for sample in range(self.policy.drafts):
            passed = await self._draft(run, tier, "local", sample=sample)
            if passed:
                break
        reviews = self.policy.review == "always" or (self.policy.review == "on_failure" and not passed)
        if run.last and reviews:
            passed = await self._review(run, tier, run.last) or passed
        return passed

    async def _draft(self, run: _Run, tier: ModelTier, path: Path, *, sample: int = 0) -> bool:
        task = run.task
        messages = self.draft_messages(task)
        request = ChatRequest(
            messages=messages, max_tokens=tier.max_tokens, temperature=self.temperature, sample=sample
        )
        return await self._try(run, tier, path, request, purpose="draft")

    async def _review(self, run: _Run, tier: ModelTier, draft: Attempt) -> bool:
        """Have the cheap tier review its own draft, with what the tests showed; a review that breaks it changes nothing."""
        outcome = draft.verdicts[-1].reason
        messages = review_messages(run.task.question, draft.draft.answer, run.task.tests, outcome)
        request = ChatRequest(messages=messages, max_tokens=tier.max_tokens, temperature=self.temperature)
        path: Path = "local" if draft.accepted else "local_repaired"
        return await self._try(run, tier, path, request, purpose="review")

    async def _try(self, run: _Run, tier: ModelTier, path: Path, request: ChatRequest, *, purpose: str) -> bool:
        completion = await run.drafted(tier.ask(request, run.trace, purpose=purpose))
        if completion is None:
            return False
        draft = _read(completion, run.task)
        verdicts = await self._verdicts(run, draft, tier.model)
        return run.add(Attempt(path=path, tier=tier.name, model=tier.model, context=0, draft=draft, verdicts=verdicts))

    async def _verdicts(self, run: _Run, draft: Draft, model: str) -> tuple[Verdict, ...]:
        """Judge a program by its form, which is free, and then by the tests."""
        if self.policy.verify == "nothing":
            return (UNASKED,)
        form = _form(run.task, draft, model)
        if self.policy.verify == "form" or form.status != "pass":
            return (form,)
        return form, await self._tested(run, draft)

    async def _tested(self, run: _Run, draft: Draft) -> Verdict:
        tests = PublicTests(text=run.task.tests, entry_point=run.task.entry_point, prompt=run.task.question)
        try:
            async with asyncio.timeout(run.trace.remaining_s()):
                outcome = await self.try_program(draft.answer, tests)
        except TimeoutError:
            why = "the tests were not done when the request's time was up"
            return Verdict(guard="code_tests", status="error", score=0.0, reason=why)
        status: Literal["pass", "fail"] = "pass" if outcome.passed else "fail"
        return Verdict(guard="code_tests", status=status, score=float(outcome.passed), reason=outcome.why)

    def _ended(self, run: _Run) -> Ended:
        if run.accepted:
            return run.serve(run.accepted, "it passes the public tests", verified=self.policy.verify == "tests")
        if run.best and self.policy.unverified == "serve":
            return run.serve(run.best, "no program passed; this is the best of them", verified=False)
        unsandboxed = next((fault for fault in run.faults if isinstance(fault, SandboxUnavailable)), None)
        settled = run.last and (not run.faults or run.last.path == "frontier")
        if unsandboxed or not settled:
            nothing = TierDown(
                tier="local", reason="no model is configured, or allowed, that could write code", retry_after_s=60
            )
            return run.fail(unsandboxed or (run.faults[-1] if run.faults else nothing))
        return run.abstain(no_program_passed(run.task.question), "no program passed the public tests")


def _form(task: CodeTask, draft: Draft, model: str) -> Verdict:
    """Judge whether the draft is a finished Python program of the model asked, and defines what it should."""
    fault = finish_fault(draft, model)
    try:
        tree = parse(draft.answer)
    except NO_PYTHON as broken:
        fault = fault or f"it is no Python: {broken}"
    else:
        if task.entry_point not in defined_names(tree):
            fault = fault or f"it does not define {task.entry_point}"
    reason = fault or f"it defines {task.entry_point}"
    return Verdict(guard="program", status="fail" if fault else "pass", score=float(not fault), reason=reason)


def _read(completion: Completion, task: CodeTask) -> Draft:
    return Draft(
        answer=read_program(completion.text, task.entry_point),
        citations=(),
        finish_reason=completion.finish_reason,
        returned_model=completion.model,
    )
