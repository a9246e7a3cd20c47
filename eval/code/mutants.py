"""Programs that are wrong on purpose: small changes of a right one, for checking that a scorer sees what another one sees.

Classic mutation operators (DeMillo, Lipton & Sayward, IEEE Computer 1978): comparison and arithmetic operators exchanged, constants
off by one, conditions negated, `and` for `or`, a loop one short, a result dropped. Same program, same mutants.
"""

import ast
import copy
import gzip
import json
import sys
from collections.abc import Iterator

__all__ = ["PER_PROBLEM", "mutants"]

PER_PROBLEM = 5

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.Mult, ast.FloorDiv: ast.Div, ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
}  # fmt: skip


def mutants(program: str, *, limit: int) -> list[str]:
    """Return up to `limit` different mutants of a program, spread over its whole length. Raises SyntaxError."""
    tree = ast.parse(program)
    made = list(dict.fromkeys(_each(tree)))
    original = ast.unparse(tree)
    made = [one for one in made if one != original]
    if len(made) <= limit:
        return made
    return [made[round(number * (len(made) - 1) / max(limit - 1, 1))] for number in range(limit)]


def _each(tree: ast.Module) -> Iterator[str]:
    for place, node in enumerate(ast.walk(tree)):
        for number in range(len(_changes(node))):
            other = copy.deepcopy(tree)
            changed = next(found for at, found in enumerate(ast.walk(other)) if at == place)
            _changes(changed)[number]()
            yield ast.unparse(ast.fix_missing_locations(other))


def _changes(node: ast.AST) -> list["_Change"]:
    """Return the changes that can be made to a node, each in place."""
    match node:
        case ast.Compare(ops=[op, *_]) if type(op) in _COMPARISONS:
            return [_Change(node, "ops", [_COMPARISONS[type(op)](), *node.ops[1:]])]
        case ast.BinOp(op=op) | ast.AugAssign(op=op) if type(op) in _ARITHMETIC:
            return [_Change(node, "op", _ARITHMETIC[type(op)]())]
        case ast.BoolOp(op=op):
            return [_Change(node, "op", ast.Or() if isinstance(op, ast.And) else ast.And())]
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test):
            return [_Change(node, "test", ast.UnaryOp(op=ast.Not(), operand=test))]
        case ast.Constant(value=bool(value)):
            return [_Change(node, "value", not value)]
        case ast.Constant(value=int(value)):
            return [_Change(node, "value", value + 1), _Change(node, "value", value - 1)]
        case ast.Call(func=ast.Name(id="range"), args=[*rest, last]):
            shorter = ast.BinOp(left=last, op=ast.Sub(), right=ast.Constant(value=1))
            return [_Change(node, "args", [*rest, shorter])]
        case ast.Return(value=value) if value is not None:
            return [_Change(node, "value", ast.Constant(value=None))]
    return []


class _Change:
    """One field of one node, to be set to something else."""

    def __init__(self, node: ast.AST, field: str, value: object) -> None:
        self._node, self._field, self._value = node, field, value

    def __call__(self) -> None:
        setattr(self._node, self._field, self._value)


if __name__ == "__main__":
    with gzip.open(sys.argv[1], "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            for mutant in mutants(row["prompt"] + row["canonical_solution"], limit=PER_PROBLEM):
                sys.stdout.write(json.dumps({"task_id": row["task_id"], "solution": mutant}) + "\n")
