"""The cascade over recordings, and the scorer that judges what it serves."""

import json
from pathlib import Path

import pytest
from rich.console import Console

from cascade.errors import SandboxUnavailable
from cascade.pricing import Price
from cascade.sandbox import find_level
from eval.cascade import CascadeRun, run_cascade
from eval.code_data import Hidden, read_hidden
from eval.code_scoring import Scorer
from eval.statistics import auroc_difference, wilson

PROBLEM = Hidden(
    id="T/0",
    entry_point="f",
    canonical_solution="def f(x):\n    return x / 2\n",
    base_inputs=((4,), (2,)),
    plus_inputs=((5,), (0,), (-3,)),
    atol=0.0,
)


@pytest.fixture
async def scorer() -> Scorer:
    try:
        return Scorer(await find_level())
    except SandboxUnavailable as fault:
        pytest.skip(str(fault))


@pytest.mark.parametrize(
    ("program", "base", "plus"),
    [
        ("def f(x): return x / 2", True, True),
        ("def f(x): return x / 2 + 1e-9", True, True),
        ("def f(x): return x / 2 + 1e-3", False, False),
        ("def f(x): return x // 2", True, False),
        ("def f(x): return int(x / 2)", True, False),
        ("def f(x): return [x / 2]", False, False),
        ("class E:\n    def __eq__(self, o): return True\ndef f(x): return E()", False, False),
        ("import os\ndef f(x): os._exit(0)", False, False),
        ("def f(x):\n    if x == -3: raise ValueError\n    return x / 2", True, False),
        ("", False, False),
    ],
)
async def test_programs_are_right_if_their_values_are(scorer: Scorer, program: str, base: bool, plus: bool) -> None:
    found = await scorer.score(program, PROBLEM)
    assert (found.base, found.plus) == (base, plus), found.why
    assert bool(found.why) != plus


async def test_a_canonical_solution_that_fails_is_an_error(scorer: Scorer) -> None:
    broken = Hidden(**{name: getattr(PROBLEM, name) for name in PROBLEM.__slots__} | {"canonical_solution": "1 / 0"})
    with pytest.raises(ValueError, match="canonical"):
        await scorer.score("def f(x): return x / 2", broken)


async def test_canonical_solutions_are_right_and_find_zero_is_judged_by_its_zero(
    scorer: Scorer, shared_data: Path
) -> None:
    problems = read_hidden(shared_data / "HumanEvalPlus.jsonl.gz")
    assert len(problems) == 164
    for name in ("HumanEval/0", "HumanEval/2", "HumanEval/32", "HumanEval/38", "HumanEval/53"):
        found = await scorer.score(problems[name].canonical_solution, problems[name])
        assert found.plus, (name, found.why)
    other = await scorer.score("def find_zero(xs): return 0.0", problems["HumanEval/32"])
    assert not other.plus


async def test_a_run_adds_up_and_shows_the_curve(shared_data: Path) -> None:
    run = CascadeRun(recordings=shared_data / "humaneval_recorded.jsonl.gz", prices={}, limit=4)
    try:
        results = await run_cascade(run, console=Console(quiet=True))
    except SandboxUnavailable as fault:
        pytest.skip(str(fault))
    figures = {one.policy: one for one in results.figures()}
    cheap, frontier = figures["solo cheap"], figures["solo frontier"]
    assert (cheap.n, cheap.escalated, cheap.cheap_share, frontier.escalated, frontier.ratio) == (4, 0, 1, 1, 1)
    assert cheap.ratio > 10
    one = figures["cascade, docstring gate, 1 cheap"]
    assert cheap.cost_nanousd <= one.cost_nanousd < frontier.cost_nanousd
    assert one.cheap_share + one.escalated == pytest.approx(1)
    whole = json.loads(results.as_json())
    assert sum(
        s["cost_nanousd"] for s in whole["samples"] if (s["policy"], s["rotation"]) == ("solo cheap", 0)
    ) == round(4 * cheap.cost_nanousd)
    assert next(table.title for table in results.tables()).startswith("Recorded: humaneval_recorded.jsonl.gz, n = 4")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"cheap": "nobody"}, "name two of the recorded models"),
        ({"cheap": "gpt-3.5-turbo-0125", "frontier": "gpt-5"}, "name two of the recorded models"),
    ],
)
async def test_models_that_are_not_recorded_are_named(
    shared_data: Path, settings: dict[str, str], message: str
) -> None:
    prices: dict[str, Price] = {}
    run = CascadeRun(recordings=shared_data / "humaneval_recorded.jsonl.gz", prices=prices, **settings)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=message):
        await run_cascade(run, console=Console(quiet=True))


def test_wilson_is_wilsons() -> None:
    assert wilson(155, 164) == pytest.approx((0.899, 0.971), abs=0.001)
    assert wilson(0, 10)[0] == 0
    assert wilson(10, 10)[1] == pytest.approx(1)


def test_the_auroc_of_the_better_of_two_is_higher_beyond_its_interval() -> None:
    truths = [True, False] * 100
    good = [float(truth) + (n % 7) / 5 for n, truth in enumerate(truths)]
    found = auroc_difference(good, [0.5] * 200, truths)
    assert found.low > 0.2
    assert auroc_difference(good, good, truths).mean == 0
