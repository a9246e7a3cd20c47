"""The cascade over recordings, and the scorer that judges what it serves."""

from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from cascade.errors import SandboxUnavailable
from cascade.sandbox import find_level
from eval.cascade import RecordedCascade
from eval.code_data import Hidden, read_hidden
from eval.code_scoring import Scorer
from eval.runs import Options, Run, answers_of, run_benchmark, scores_of
from eval.statistics import auroc_difference, wilson
from eval.suite import benchmark_of
from memory.encoder import Encoder
from tirtha.settings import Settings

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


async def test_a_plus_input_whose_right_value_cannot_be_returned_is_left_out_and_counted(scorer: Scorer) -> None:
    program = "def f(x):\n    return 'a' * x"
    own = {"canonical_solution": program, "base_inputs": ((1,),), "plus_inputs": ((2,), (10**8,), (3,))}
    problem = Hidden(**{name: getattr(PROBLEM, name) for name in PROBLEM.__slots__} | own)
    found = await scorer.score(program, problem)
    assert (found.base, found.plus, found.left_out) == (True, True, 1)
    wrong = await scorer.score("def f(x):\n    return 'aaa'[:min(x, 2)]", problem)
    assert (wrong.base, wrong.plus, wrong.left_out) == (True, False, 1), "what comes after it is tried"


async def test_of_a_match_only_counts_that_there_is_one(scorer: Scorer) -> None:
    program = "import re\ndef check_str(x):\n    return re.search('^a', x)"
    problem = Hidden(
        id="Mbpp/737",
        entry_point="check_str",
        canonical_solution=program,
        base_inputs=(("ab",),),
        plus_inputs=(("b",),),
        atol=0,
    )
    for right in (
        program,
        "def check_str(x):\n    return x.startswith('a')",
        "def check_str(x):\n    return x == 'ab' or None",
    ):
        assert (await scorer.score(right, problem)).plus
    wrong = await scorer.score("def check_str(x):\n    return x", problem)
    assert (wrong.base, wrong.plus) == (True, False)


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


async def run(recordings: Path, settings: Settings, **changes: Any) -> Run:
    benchmark = RecordedCascade(recordings=recordings, **changes)
    return await run_benchmark(benchmark, settings=settings, options=Options(at_once=2), console=Console(quiet=True))


async def test_a_run_adds_up_and_shows_the_curve(shared_data: Path, settings: Settings, encoder: Encoder) -> None:
    try:
        found = await run(shared_data / "humaneval_recorded.jsonl.gz", settings, limit=4)
    except SandboxUnavailable as fault:
        pytest.skip(str(fault))
    figures: Any = found.report.figures["policies"]
    cheap, frontier = figures["solo cheap"], figures["solo frontier"]
    assert [cheap[name] for name in ("n", "escalated", "cheap_share")] == [4, 0, 1]
    assert (frontier["escalated"], frontier["ratio"]) == (1, 1)
    assert cheap["ratio"] > 10
    one = figures["cascade, docstring gate, 1 cheap"]
    assert cheap["cost_nanousd"] <= one["cost_nanousd"] < frontier["cost_nanousd"]
    assert one["cheap_share"] + one["escalated"] == pytest.approx(1)
    answers, scores = answers_of(found.folder), scores_of(found.folder)
    served: list[Any] = [one for answer in answers.values() for one in answer.value["served"]]  # type: ignore[union-attr]
    assert sum(one["cost_nanousd"] for one in served if (one["policy"], one["rotation"]) == ("solo cheap", 0)) == round(
        4 * cheap["cost_nanousd"]
    )
    assert not any("plus" in answer.value for answer in answers.values())
    again = benchmark_of(found.folder, settings=settings, encoder=encoder)
    assert again.report([answers[id_] for id_ in sorted(answers)], scores).figures == found.report.figures
    marks = again.marks(answers["HumanEval/0"], scores["HumanEval/0"])
    assert set(marks) == set(figures)
    assert found.report.tables[0].title == "Recorded: humaneval_recorded.jsonl.gz, n = 4"


@pytest.mark.parametrize("named", [{"cheap": "nobody"}, {"cheap": "gpt-3.5-turbo-0125", "frontier": "gpt-5"}])
async def test_models_that_are_not_recorded_are_named(
    shared_data: Path, settings: Settings, named: dict[str, str]
) -> None:
    with pytest.raises(ValueError, match="name two of the recorded models"):
        await run(shared_data / "humaneval_recorded.jsonl.gz", settings, **named)


def test_wilson_is_wilsons() -> None:
    assert wilson(155, 164) == pytest.approx((0.899, 0.971), abs=0.001)
    assert wilson(0, 10)[0] == 0
    assert wilson(10, 10)[1] == pytest.approx(1)


def test_the_auroc_of_the_better_of_two_is_higher_beyond_its_interval() -> None:
    truths = [True, False] * 100
    good = [float(truth) + (n % 7) / 5 for n, truth in enumerate(truths)]
    found = auroc_difference([good], [[0.5] * 200], truths)
    assert found.low > 0.2
    assert auroc_difference([good], [good], truths).mean == 0
    bad = [-one for one in good]
    assert auroc_difference([good, bad], [[0.5] * 200] * 2, truths).mean == pytest.approx(0), "a mean over fits"
