"""Wrong programs, made from right ones."""

from eval.code.mutants import mutants


def test_mutants_are_different_deterministic_and_as_many_as_asked() -> None:
    program = "def f(x):\n    if x > 3 and x != 5:\n        return x + 1\n    return [i for i in range(x)]\n"
    made = mutants(program, limit=5)
    assert made == mutants(program, limit=5)
    assert len(set(made)) == 5
    assert all(one != program for one in made)
    assert any("x >= 3" in one for one in mutants(program, limit=100))
