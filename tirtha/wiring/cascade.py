"""From settings to the cascade: guards, policy and certificate over the tiers that are configured."""

from collections.abc import Sequence
from dataclasses import dataclass

import anyio
import numpy as np
from numpy.typing import NDArray

from cascade import Cascade, CodeCascade, Policy
from cascade.certificate import read_certificate
from cascade.code_tasks import CodePolicy
from cascade.errors import Misconfigured
from cascade.guards import (
    AgreementGuard,
    AnswerabilityGuard,
    CitationGuard,
    CorrectnessGuard,
    EntailmentGuard,
    FactsGuard,
    FinishGuard,
    Guard,
    InjectionGuard,
    PolarityGuard,
    RelevanceGuard,
    SchemaGuard,
    SupportGuard,
)
from cascade.guards.correctness import correctness_score
from cascade.ports import Embed
from cascade.sandbox import Sandbox
from memory.encoding.encoder import Encoder
from tirtha.settings import Settings, TierSettings
from tirtha.wiring.tiers import Name, Tiers, model_name

__all__ = ["GuardEncoder", "make_cascade", "make_code_cascade"]


@dataclass(frozen=True, slots=True)
class GuardEncoder:
    """The memory's encoder, as the guards' source of sentence vectors."""

    encoder: Encoder

    async def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Encode texts: `(len(texts), d) float32`, unit length."""
        return await anyio.to_thread.run_sync(self.encoder.encode_texts, list(texts))


def make_cascade(settings: Settings, tiers: Tiers, embed: Embed) -> Cascade:
    """Make the cascade over questions. Raises Misconfigured for a certificate that cannot be read, or guards without their tier."""
    policy = settings.policy
    answerability = AnswerabilityGuard(threshold=settings.abstain_below)
    return Cascade(
        guards=_guards(settings, tiers, embed, answerability),
        quote_guards=(CitationGuard(), answerability, RelevanceGuard(threshold=policy.quote_from)),
        answerable_from=settings.abstain_below,
        local=tiers.local,
        frontier=tiers.frontier,
        policy=Policy(
            ladder=policy.ladder,
            widen_before=policy.widen_before,
            widen_after=policy.widen_after,
            raw=policy.raw,
            repair=policy.repair,
            unverified=policy.unverified,
        ),
        certificate=read_certificate(settings.certificate.expanduser()) if settings.certificate else None,
        deadline_s=policy.deadline_s,
    )


def _guards(settings: Settings, tiers: Tiers, embed: Embed, answerability: AnswerabilityGuard) -> tuple[Guard, ...]:
    policy = settings.policy
    guards: list[Guard] = [
        FinishGuard(),
        SchemaGuard(),
        answerability,
        CitationGuard(),
        InjectionGuard(),
        FactsGuard(),
        PolarityGuard(),
        SupportGuard(threshold=policy.support_from, embed=embed),
        CorrectnessGuard(thresholds=_thresholds(settings)),
    ]
    if (policy.second_opinion or policy.votes) and tiers.local is None:
        setting = "TIRTHA_POLICY_SECOND_OPINION" if policy.second_opinion else "TIRTHA_POLICY_VOTES"
        raise Misconfigured(setting=setting, why="needs the local tier: set TIRTHA_LOCAL_URL")
    if policy.second_opinion and tiers.local:
        guards.append(AgreementGuard(tier=tiers.local, embed=embed))
    if policy.votes and tiers.local:
        if policy.votes_needed > policy.votes:
            raise Misconfigured(setting="TIRTHA_POLICY_VOTES_NEEDED", why=f"is more than the {policy.votes} votes")
        guards.append(EntailmentGuard(tier=tiers.local, votes=policy.votes, needed=policy.votes_needed))
    return tuple(guards)


def _thresholds(settings: Settings) -> dict[str, float]:
    """Return the probability of being right that each model's answers need.

    The score was fitted on small models. Of a model that is served from a file its threshold is asked for; what a larger one needs
    is for a setting, or a certificate, to say.
    """
    configured: list[tuple[Name, TierSettings | None]] = [("local", settings.local), ("frontier", settings.frontier)]
    own, fitted = settings.policy.correct_from, correctness_score().threshold
    return {
        model_name(name, tier): own if own is not None else fitted if tier.gguf else 0.0
        for name, tier in configured
        if tier
    }


def make_code_cascade(settings: Settings, tiers: Tiers) -> CodeCascade:
    """Make the cascade over code tasks; where code cannot be confined, each task is answered with the reason."""
    policy = settings.policy
    return CodeCascade(
        try_program=Sandbox().try_program,
        local=tiers.local,
        frontier=tiers.frontier,
        policy=CodePolicy(drafts=policy.code_drafts, review=policy.code_review, unverified=policy.unverified),
        deadline_s=policy.code_deadline_s,
    )
