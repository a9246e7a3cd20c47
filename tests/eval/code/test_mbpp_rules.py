"""MBPP's own ways of typing inputs and of comparing results."""

from typing import Any

import pytest

from eval.code.mbpp_rules import accepts, with_types


@pytest.mark.parametrize(
    ("task", "given", "typed"),
    [
        ("Mbpp/2", [[1, 2], [3]], ((1, 2), (3,))),
        ("Mbpp/63", [[[1, 2]]], ([(1, 2)],)),
        ("Mbpp/124", ["0", "1j"], (0.0, 1j)),
        ("Mbpp/580", [[1, [2]]], ((1, (2,)),)),
        ("Mbpp/3", [7], (7,)),
    ],
)
def test_types_that_json_lost_come_back(task: str, given: list[Any], typed: tuple[Any, ...]) -> None:
    assert with_types(task, given) == typed


def test_tasks_with_rules_of_their_own() -> None:
    assert accepts("Diff", [], [1, 2], [2, 1, 1]) is True
    assert accepts("Diff", [], [1, 2], [1]) is False
    assert accepts("check_str", [], True, "a match") is True
    assert accepts("check_str", [], True, None) is False
    assert accepts("digit_distance_nums", [23, 56], 0, 6) is True
    assert accepts("halve", [], 1, 2) is None
