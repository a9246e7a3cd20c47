"""What solvers see of a task, and what only the scorer does."""

from pathlib import Path

from eval.code.data import read_hidden, read_problems


def test_solvers_see_no_hidden_input_and_no_solution(hidden: Path) -> None:
    problem = read_problems(hidden)["HumanEval/0"]
    assert set(problem.__slots__) == {"id", "prompt", "entry_point", "public_tests", "base_tests"}
    assert "return" not in problem.prompt
    assert read_hidden(hidden)["HumanEval/0"].canonical_solution.startswith(problem.prompt)
