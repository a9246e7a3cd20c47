"""What callers get back of questions: answers, decisions in full, and what decisions add up to."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel

from cascade import Decision, Quote, dollars
from cascade.decision import Attempt, Call, Verdict
from cascade.model import Usage
from cascade.storage.feedback import Feedback
from cascade.storage.ledger import Stats
from tirtha.http.schemas.feedback import FeedbackOut
from tirtha.http.schemas.responses import PROBABILITY_DIGITS, ContextOut, LineOut

__all__ = ["AskOut", "DecisionOut", "StatsOut"]


class CitationOut(BaseModel):
    """A turn that an answer rests on."""

    turn_id: str
    session_id: str
    said_at: datetime
    quote: str


class VerdictOut(BaseModel):
    """A guard's judgement."""

    guard: str
    status: str
    score: float
    reason: str


class UsageOut(BaseModel):
    """Tokens that models were billed for; estimated if a server did not report them and they were counted."""

    prompt_tokens: int
    completion_tokens: int
    estimated: bool


class AskOut(BaseModel):
    """200 of POST /v1/ask, and of GET /v1/decisions/{id}."""

    answer: str
    abstained: bool
    citations: list[CitationOut]
    context: ContextOut
    path: str
    tier: str | None
    model: str | None
    cached: bool
    verified: bool
    reason: str
    verdicts: list[VerdictOut]
    usage: UsageOut
    cost_usd: str
    latency_ms: int
    decision_id: str

    @classmethod
    def of(cls, decision: Decision) -> Self:
        """Report a decision."""
        brief = decision.brief
        return cls(
            answer=decision.answer,
            abstained=decision.abstained,
            citations=[_citation(quote) for quote in decision.citations],
            context=ContextOut(
                text=brief.text,
                tokens=brief.tokens,
                budget=brief.budget,
                lines=[_line(quote) for quote in brief.quotes],
                answerable=round(brief.answerable, PROBABILITY_DIGITS),
                complete=brief.complete,
            ),
            path=decision.path,
            tier=decision.tier,
            model=decision.model,
            cached=decision.path == "cache",
            verified=decision.verified,
            reason=decision.reason,
            verdicts=[_verdict(verdict) for verdict in decision.verdicts],
            usage=_usage(decision.usage),
            cost_usd=dollars(decision.cost_nanousd),
            latency_ms=decision.latency_ms,
            decision_id=decision.id,
        )


class CallOut(BaseModel):
    """One call of a model, and what it cost."""

    tier: str
    model: str
    purpose: str
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    estimated: bool
    cost_usd: str
    latency_ms: int
    fault: str


class AttemptOut(BaseModel):
    """A draft, what it was made from, and how it was judged."""

    path: str
    tier: str
    model: str
    context_tokens: int
    answer: str
    accepted: bool
    verdicts: list[VerdictOut]


class HashesOut(BaseModel):
    """What a decision was made with."""

    policy: str
    prompts: str
    guards: str
    models: str


class DecisionOut(AskOut):
    """200 of GET /v1/decisions/{id}: the answer, all that led to it, and whether somebody said that it was right."""

    decided_at: datetime
    question: str
    attempts: list[AttemptOut]
    calls: list[CallOut]
    hashes: HashesOut
    feedback: FeedbackOut | None

    @classmethod
    def of(cls, decision: Decision, feedback: Feedback | None = None) -> Self:
        """Report a decision in full."""
        hashes = decision.hashes
        return cls(
            **AskOut.of(decision).model_dump(),
            decided_at=decision.decided_at,
            question=decision.brief.question,
            attempts=[_attempt(attempt, decision) for attempt in decision.attempts],
            calls=[_call(call) for call in decision.calls],
            hashes=HashesOut(policy=hashes.policy, prompts=hashes.prompts, guards=hashes.guards, models=hashes.models),
            feedback=FeedbackOut.of(feedback) if feedback else None,
        )


class PathOut(BaseModel):
    """The requests of one path."""

    path: str
    n: int
    share: float
    cost_usd: str
    latency_p50_ms: int
    latency_p95_ms: int


class StatsOut(BaseModel):
    """200 of GET /v1/stats. Shares add up to 1; `frontier_usd` is what `compared` of the requests would have cost there."""

    n: int
    first_at: datetime | None
    last_at: datetime | None
    paths: list[PathOut]
    cost_usd: str
    cost_per_request_usd: str
    compared: int
    compared_usd: str
    frontier_usd: str
    cost_ratio: float | None
    shadows: int
    shadows_agreeing: int
    shadow_cost_usd: str

    @classmethod
    def of(cls, stats: Stats) -> Self:
        """Report what decisions add up to."""
        return cls(
            n=stats.n,
            first_at=stats.first_at,
            last_at=stats.last_at,
            paths=[
                PathOut(
                    path=one.path,
                    n=one.n,
                    share=one.n / stats.n,
                    cost_usd=dollars(one.cost_nanousd),
                    latency_p50_ms=one.p50_ms,
                    latency_p95_ms=one.p95_ms,
                )
                for one in stats.paths
            ],
            cost_usd=dollars(stats.cost_nanousd),
            cost_per_request_usd=dollars(round(stats.cost_nanousd / stats.n) if stats.n else 0),
            compared=stats.frontier_n,
            compared_usd=dollars(stats.frontier_n_cost_nanousd),
            frontier_usd=dollars(stats.frontier_nanousd),
            cost_ratio=stats.frontier_nanousd / stats.frontier_n_cost_nanousd
            if stats.frontier_n_cost_nanousd
            else None,
            shadows=stats.shadows,
            shadows_agreeing=stats.shadows_agreeing,
            shadow_cost_usd=dollars(stats.shadow_cost_nanousd),
        )


def _attempt(attempt: Attempt, decision: Decision) -> AttemptOut:
    return AttemptOut(
        path=attempt.path,
        tier=attempt.tier,
        model=attempt.model,
        context_tokens=decision.contexts[attempt.context].tokens,
        answer=attempt.draft.answer,
        accepted=attempt.accepted,
        verdicts=[_verdict(verdict) for verdict in attempt.verdicts],
    )


def _call(call: Call) -> CallOut:
    return CallOut(
        tier=call.tier,
        model=call.model,
        purpose=call.purpose,
        prompt_tokens=call.usage.prompt_tokens,
        completion_tokens=call.usage.completion_tokens,
        cached_tokens=call.usage.cached_tokens,
        estimated=call.usage.estimated,
        cost_usd=dollars(call.cost_nanousd),
        latency_ms=call.latency_ms,
        fault=call.fault,
    )


def _usage(usage: Usage) -> UsageOut:
    return UsageOut(
        prompt_tokens=usage.prompt_tokens, completion_tokens=usage.completion_tokens, estimated=usage.estimated
    )


def _verdict(verdict: Verdict) -> VerdictOut:
    return VerdictOut(guard=verdict.guard, status=verdict.status, score=verdict.score, reason=verdict.reason)


def _citation(quote: Quote) -> CitationOut:
    return CitationOut(turn_id=quote.turn_id, session_id=quote.session_id, said_at=quote.said_at, quote=quote.text)


def _line(quote: Quote) -> LineOut:
    return LineOut(
        n=quote.n,
        turn_id=quote.turn_id,
        session_id=quote.session_id,
        speaker=quote.speaker,
        said_at=quote.said_at,
        quote=quote.text,
    )
