from time import perf_counter

import pytest

from cascade.call_trace import Trace
from cascade.guards import Case, RelevanceGuard, guards_hash
from cascade.ports import Draft
from tests.support.briefs import brief, quote
from tirtha.settings import PolicySettings

QUOTE_FROM = 0.35


def case(scores: tuple[float, ...], cited: tuple[int, ...]) -> Case:
    quotes = [quote(n, f"My cat is called Miso {n}.", score) for n, score in enumerate(scores, 1)]
    return Case(
        brief=brief("What is the cat called?", *quotes),
        draft=Draft(answer="Miso", citations=cited),
        model="extractive",
        trace=Trace(started_s=perf_counter(), deadline_s=5),
    )


@pytest.mark.parametrize(
    ("scores", "cited", "status", "score"),
    [
        ((0.9,), (1,), "pass", 0.9),
        ((0.36,), (1,), "pass", 0.36),
        ((0.35,), (1,), "pass", 0.35),  # the threshold itself is enough
        ((0.34,), (1,), "fail", 0.34),
        ((0.0,), (1,), "fail", 0.0),
        ((0.1, 0.4), (1, 2), "pass", 0.4),  # the best of those cited counts
        ((0.1, 0.4), (1,), "fail", 0.1),  # ... and no other
        ((0.9,), (), "fail", 0.0),
        ((0.9,), (7,), "fail", 0.0),
    ],
)
async def test_the_best_cited_line_must_be_relevant(
    scores: tuple[float, ...], cited: tuple[int, ...], status: str, score: float
) -> None:
    verdict = await RelevanceGuard(threshold=QUOTE_FROM).check(case(scores, cited))
    assert (verdict.status, verdict.score) == (status, score)
    assert f"{score:.2f}" in verdict.reason
    assert "0.35" in verdict.reason


async def test_it_blames_the_context() -> None:
    verdict = await RelevanceGuard(threshold=QUOTE_FROM).check(case((0.1,), (1,)))
    assert (verdict.guard, verdict.blames) == ("relevance", "context")


async def test_the_threshold_is_part_of_the_version() -> None:
    low, high = RelevanceGuard(threshold=0.35), RelevanceGuard(threshold=0.5)
    assert low.version != high.version
    assert guards_hash([low]) != guards_hash([high])


def test_the_threshold_is_what_the_settings_say() -> None:
    assert PolicySettings().quote_from == QUOTE_FROM
