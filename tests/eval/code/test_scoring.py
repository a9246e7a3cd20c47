"""The scorer: a program is right if its values are."""

from pathlib import Path

import pytest

from eval.code.data import Hidden, read_hidden
from eval.code.scoring import Scorer
from eval.errors import Unusable

pytestmark = pytest.mark.slow

PROBLEM = Hidden(
    id="T/0",
    entry_point="f",
    canonical_solution="def f(x):\n    return x / 2\n",
    base_inputs=((4,), (2,)),
    plus_inputs=((5,), (0,), (-3,)),
    atol=0.0,
)


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
    with pytest.raises(Unusable, match="canonical"):
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
