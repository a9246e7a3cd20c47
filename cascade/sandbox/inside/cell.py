"""A confined process: holds a program and calls its functions, or holds tests and asks for calls.

Started as `python -S -s -P -B cell.py LEVEL LIMITS`; speaks lines of JSON over what were its standard input and output. The code
it runs can write there too: the reader must take every line for a claim of that code, and of none else.
"""

import ast
import builtins
import json
import os
import sys
from typing import Any

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import confine  # type: ignore[import-not-found]  # a neighbour, found by path
from plain import decode, encode  # type: ignore[import-not-found]

sys.path.pop(0)

_RAISED_AS_SUCH = (ArithmeticError, LookupError, ValueError, TypeError, AttributeError, AssertionError)


class Wire:
    """Lines of JSON to and from the process that started the cell."""

    def __init__(self) -> None:
        self.calls = 0
        self._reader = open(os.dup(0), encoding="utf-8")
        self._writer = open(os.dup(1), "w", encoding="utf-8", buffering=1)
        nothing = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(nothing, standard)

    def hear(self) -> dict[str, Any]:
        """Wait for a line; ends the cell when the other side is gone."""
        line = self._reader.readline()
        if not line:
            os._exit(0)
        heard: dict[str, Any] = json.loads(line)
        return heard

    def say(self, **message: Any) -> None:
        """Send a line."""
        self._writer.write(json.dumps(message) + "\n")
        self._writer.flush()


def main() -> None:
    """Confine, then serve requests until the wire is cut."""
    level, limits = sys.argv[1], json.loads(sys.argv[2])
    wire = Wire()
    try:
        if level == "namespaces":
            confine.enter_namespaces()
        confine.confine(limits, mount=level == "namespaces")
    except OSError as fault:
        wire.say(refused=str(fault))
        return
    wire.say(ready=True)
    space: dict[str, Any] = {}
    while True:
        request = wire.hear()
        match request["do"]:
            case "load":
                space = _load(wire, request["code"])
            case "call":
                _call(wire, space, request["name"], request["given"])
            case "judge":
                _judge(wire, request["prelude"], request["tests"], request["names"])


def _load(wire: Wire, code: str) -> dict[str, Any]:
    space: dict[str, Any] = {"__name__": "program"}
    try:
        exec(compile(code, "<program>", "exec"), space)
    except BaseException as fault:  # noqa: BLE001 - whatever the program does is its own failure
        wire.say(error=_said(fault))
    else:
        wire.say(loaded=[name for name, value in space.items() if callable(value)])
    return space


def _call(wire: Wire, space: dict[str, Any], name: str, given: str) -> None:
    try:
        args, kwargs = decode(given)
        value = space[name](*args, **kwargs)
        wire.say(value=encode(value), after=encode(args))
    except BaseException as fault:  # noqa: BLE001 - whatever the program does is its own failure
        wire.say(error=_said(fault), kind=type(fault).__name__)


def _judge(wire: Wire, prelude: str, tests: str, names: list[str]) -> None:
    """Run tests against functions that live in another cell."""
    space: dict[str, Any] = {"__name__": "tests"}
    wire.calls = 0
    try:
        exec(compile(prelude, "<prompt>", "exec"), space)
        space |= {name: _proxy(wire, name) for name in names}
        tree = ast.parse(tests, "<tests>")
        exec(compile(tree, "<tests>", "exec"), space)
        _call_what_waits(tree, space, names[0])
        if not wire.calls:
            raise AssertionError("the tests never call the program")  # noqa: TRY301 - as any other failed assertion
    except AssertionError as fault:
        wire.say(verdict="fail", why=_said(fault) + _line_of(fault, tests))
    except BaseException as fault:  # noqa: BLE001 - tests that break have not passed
        wire.say(verdict="fail", why=_said(fault) + _line_of(fault, tests))
    else:
        wire.say(verdict="pass", why="every assertion holds")


def _proxy(wire: Wire, name: str) -> Any:
    def call(*args: Any, **kwargs: Any) -> Any:
        wire.calls += 1
        wire.say(call=name, given=encode((args, kwargs)))
        reply = wire.hear()
        if "error" in reply:
            raise _raised(reply)
        for mine, theirs in zip(args, decode(reply["after"]), strict=True):
            _update(mine, theirs)
        return decode(reply["value"])

    return call


def _raised(reply: dict[str, Any]) -> BaseException:
    kind = getattr(builtins, reply.get("kind", ""), None)
    known = isinstance(kind, type) and issubclass(kind, _RAISED_AS_SUCH)
    return (kind if known else RuntimeError)(reply["error"])  # type: ignore[misc]


def _update(mine: Any, theirs: Any) -> None:
    """Show in the tests' own container what the call did to it."""
    if type(mine) is type(theirs) and mine != theirs:
        if isinstance(mine, list):
            mine[:] = theirs
        elif isinstance(mine, dict | set):
            mine.clear()
            mine.update(theirs)


def _call_what_waits(tree: ast.Module, space: dict[str, Any], entry_point: str) -> None:
    """Call a `check(candidate)` that the tests do not call, and functions `test_...` without parameters, as a test runner would."""
    if _defines_check(tree):
        space["check"](space[entry_point])
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test") and not node.args.args:
            space[node.name]()


def _defines_check(tree: ast.Module) -> bool:
    """Whether the tests are a function `check(candidate)` that they do not call, as in HumanEval."""
    defined = any(isinstance(node, ast.FunctionDef) and node.name == "check" for node in tree.body)
    called = any(
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Name)
        and node.value.func.id == "check"
        for node in tree.body
    )
    return defined and not called


def _said(fault: BaseException) -> str:
    try:
        text = str(fault)
    except BaseException:  # noqa: BLE001 - an exception of the program may do anything
        text = ""
    return f"{type(fault).__name__}: {text}"[:400] if text else type(fault).__name__


def _line_of(fault: BaseException, tests: str) -> str:
    """Quote the line of the tests that the fault came from."""
    found, step = None, fault.__traceback__
    while step:
        if step.tb_frame.f_code.co_filename == "<tests>":
            found = step.tb_lineno
        step = step.tb_next
    return f" in: {tests.splitlines()[found - 1].strip()[:400]}" if found else ""


if __name__ == "__main__":
    main()
