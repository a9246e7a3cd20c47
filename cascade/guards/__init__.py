"""Guards: each judges a draft alone, by one thing. Only `pass` lets a draft through; what a guard cannot judge is no pass.

Those without a model come first and cost nothing; those that ask one are there only if they are configured, and are given a tier.
So none of them imports a client of models.
"""

from cascade.guards.answerability import AnswerabilityGuard
from cascade.guards.citations import CitationGuard
from cascade.guards.correctness import CorrectnessGuard
from cascade.guards.draft_features import draft_features
from cascade.guards.facts import FactsGuard
from cascade.guards.form import FinishGuard, SchemaGuard
from cascade.guards.guard import Case, Guard, guards_hash, judge
from cascade.guards.injection import InjectionGuard
from cascade.guards.polarity import PolarityGuard
from cascade.guards.relevance import RelevanceGuard
from cascade.guards.support import SupportGuard
from cascade.guards.votes import AgreementGuard, EntailmentGuard
from cascade.guards.whose import WhoseGuard

__all__ = [
    "AgreementGuard",
    "AnswerabilityGuard",
    "Case",
    "CitationGuard",
    "CorrectnessGuard",
    "EntailmentGuard",
    "FactsGuard",
    "FinishGuard",
    "Guard",
    "InjectionGuard",
    "PolarityGuard",
    "RelevanceGuard",
    "SchemaGuard",
    "SupportGuard",
    "WhoseGuard",
    "draft_features",
    "guards_hash",
    "judge",
]
