import math
from time import perf_counter

import pytest

from cascade.call_trace import Trace
from cascade.guards import Case, RelevanceGuard, guards_hash
from cascade.guards.relevance import quoting_figures
from cascade.model import Draft
from tests.support.briefs import brief, quote
from tirtha.settings import PolicySettings

QUOTE_FROM = 0.42


def case(
    scores: tuple[float, ...], cited: tuple[int, ...], *, answerable: float = 0.5, answer: str | None = None
) -> Case:
    quotes = [quote(n, f"My cat is called Miso {n}.", score) for n, score in enumerate(scores, 1)]
    quoted = "\n".join(f'Caroline said: "{one.text}"' for one in quotes if one.n in cited)
    return Case(
        brief=brief("What is the cat called?", *quotes, answerable=answerable),
        draft=Draft(answer=quoted if answer is None else answer, citations=cited),
        model="extractive",
        trace=Trace(started_s=perf_counter(), deadline_s=5),
    )


async def likely(given: Case) -> float:
    return (await RelevanceGuard(threshold=QUOTE_FROM).check(given)).score


@pytest.mark.parametrize(
    ("scores", "cited", "passes"),
    [
        ((0.9,), (1,), True),
        ((0.05,), (1,), True),  # nothing competes
        ((0.0,), (1,), False),
        ((0.2, 0.1), (1,), True),
        ((0.2, 0.3), (1,), False),
        ((0.2, 0.1, 0.1, 0.1), (1,), False),
        ((0.1, 0.4), (1, 2), True),  # the best of those cited counts
        ((0.1, 0.4), (1,), False),  # ... and no other
        ((0.9,), (), False),
        ((0.9,), (7,), False),
    ],
)
async def test_the_best_cited_line_must_be_useful(
    scores: tuple[float, ...], cited: tuple[int, ...], *, passes: bool
) -> None:
    verdict = await RelevanceGuard(threshold=QUOTE_FROM).check(case(scores, cited, answerable=0.2))
    assert (verdict.status == "pass") == passes
    assert f"{verdict.score:.2f}" in verdict.reason
    assert "0.42" in verdict.reason


async def test_only_the_strongest_lines_compete_and_none_about_another_number() -> None:
    few = await likely(case((0.2, 0.1, 0.1, 0.1, 0.1), (1,)))
    assert await likely(case((0.2, *[0.1] * 20), (1,))) == few
    gyms = [quote(n, f"My locker at gym {n} has the code {n}4.", 0.1) for n in range(1, 9)]
    told = brief("What is the code of my locker at gym 3?", *gyms)
    figures = quoting_figures(told, Draft(answer="", citations=(3,)))
    assert figures
    assert figures["share"] == 1.0


async def test_what_the_memory_probably_lacks_needs_a_better_line() -> None:
    assert await likely(case((0.2, 0.3), (1,), answerable=0.9)) > QUOTE_FROM
    assert await likely(case((0.2, 0.3), (1,), answerable=0.05)) < QUOTE_FROM
    for certain in (0.0, 1.0):
        assert 0 < await likely(case((0.4,), (1,), answerable=certain)) < 1


def test_what_a_quote_is_judged_by() -> None:
    given = case((0.1, 0.4, 0.3), (1, 2))
    assert quoting_figures(given.brief, given.draft) == {"share": pytest.approx(0.5), "answerable": 0.0}


@pytest.mark.parametrize("certain", [0.0, 1.0])
def test_log_odds_of_what_is_certain_are_finite(certain: float) -> None:
    given = case((0.4,), (1,), answerable=certain)
    figures = quoting_figures(given.brief, given.draft)
    assert figures
    assert math.isfinite(figures["answerable"])


async def test_the_threshold_itself_is_enough() -> None:
    given = case((0.4,), (1,))
    exactly = await likely(given)
    assert (await RelevanceGuard(threshold=exactly).check(given)).status == "pass"
    assert (await RelevanceGuard(threshold=math.nextafter(exactly, 1)).check(given)).status == "fail"


async def test_a_draft_that_cites_nothing_fails_whatever_is_asked_for() -> None:
    assert (await RelevanceGuard(threshold=0.0).check(case((0.9,), ()))).status == "fail"


async def test_it_blames_the_context() -> None:
    verdict = await RelevanceGuard(threshold=QUOTE_FROM).check(case((0.1,), (1,)))
    assert (verdict.guard, verdict.blames) == ("relevance", "context")


async def test_the_threshold_is_part_of_the_version() -> None:
    low, high = RelevanceGuard(threshold=0.3), RelevanceGuard(threshold=0.5)
    assert low.version != high.version
    assert guards_hash([low]) != guards_hash([high])


def test_the_threshold_is_what_the_settings_say() -> None:
    assert PolicySettings().quote_from == QUOTE_FROM
