"""Hostile programs get nothing: no escape, no false pass. Each is judged by tests that an honest program passes."""

import asyncio
import gc

import pytest

from cascade.errors import SandboxUnavailable
from cascade.sandbox import Level, Limits, PublicTests, Sandbox, TrialOutcome, call_each, cells, find_level, try_program
from cascade.sandbox.cells import CellDied, open_cell
from cascade.sandbox.inside.plain import NotPlain, decode, encode

pytestmark = pytest.mark.slow

QUICK = Limits(wall_s=4, cpu_s=2, memory_bytes=256 * 2**20, reply_bytes=2**20)
ADDS = "assert f(1, 2) == 3\nassert f(-1, 1) == 0"


@pytest.fixture(scope="module")
async def level() -> Level:
    try:
        return await find_level()
    except SandboxUnavailable as fault:
        pytest.skip(str(fault))


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


async def passes(
    level: Level, program: str, tests: str, *, entry: str = "f", prompt: str = "", limits: Limits = QUICK
) -> bool:
    return (await try_program(level, program, PublicTests(text=tests, entry_point=entry, prompt=prompt), limits)).passed


# What a program returns here is what its tests see: each wants the escape to have worked.
ESCAPES = {
    "reads a file": ("def f(): return open('/etc/passwd').read()", "assert f()"),
    "reads a secret of this project": (f"def f(): return open({__file__!r}).read()", "assert f()"),
    "lists the root": ("import os\ndef f(): return os.listdir('/')", "assert f()"),
    "lists processes": ("import os\ndef f(): return os.listdir('/proc')", "assert f()"),
    "reads its own memory map": ("def f(): return open('/proc/self/maps').read()", "assert f()"),
    "reads the starter's environment": ("def f(): return open('/proc/1/environ', 'rb').read()", "assert f()"),
    "reads the environment": (
        "import os\ndef f(): return [k for k in os.environ if k not in ('PYTHONHASHSEED', 'LC_CTYPE')]", "assert f()",
    ),
    "writes outside": ("def f():\n    open('/var/tmp/escaped', 'w').write('x')\n    return True", "assert f()"),
    "writes into the interpreter": (
        "import os\ndef f():\n    open(os.path.join(os.path.dirname(os.__file__), 'x.py'), 'w')\n    return True", "assert f()",
    ),
    "links outside": ("import os\ndef f():\n    os.symlink('/etc/passwd', 'p')\n    return open('p').read()", "assert f()"),
    "opens a socket": ("import socket\ndef f():\n    socket.socket()\n    return True", "assert f()"),
    "opens a unix socket": ("import socket\ndef f():\n    socket.socket(socket.AF_UNIX)\n    return True", "assert f()"),
    "resolves a name": ("import socket\ndef f(): return socket.getaddrinfo('localhost', 80)", "assert f()"),
    "runs a program": ("import subprocess\ndef f(): return subprocess.run(['id']).returncode == 0", "assert f()"),
    "runs a shell": ("import os\ndef f(): return os.system('true') == 0", "assert f()"),
    "executes": ("import os\ndef f(): os.execv('/bin/true', ['true'])", "assert f()"),
    "forks": ("import os\ndef f(): return os.fork() >= 0", "assert f()"),
    "spawns by multiprocessing": (
        "import multiprocessing as m\ndef f():\n    p = m.Process(target=print)\n    p.start()\n    return True", "assert f()",
    ),
    "kills its parent": ("import os\ndef f():\n    os.kill(os.getppid(), 9)\n    return True", "assert f()"),
    "signals everybody": ("import os\ndef f():\n    os.kill(-1, 9)\n    return True", "assert f()"),
    "makes namespaces": (
        "import ctypes\ndef f(): return ctypes.CDLL(None).unshare(0x10000000) == 0", "assert f()",
    ),
    "mounts": (
        "import ctypes\ndef f(): return ctypes.CDLL(None).mount(b'none', b'/tmp', b'tmpfs', 0, None) == 0", "assert f()",
    ),
    "traces": ("import ctypes\ndef f(): return ctypes.CDLL(None).ptrace(0, 0, 0, 0) == 0", "assert f()"),
    "raises its limits": (
        "import resource as r\ndef f():\n    r.setrlimit(r.RLIMIT_AS, (-1, -1))\n    return True", "assert f()",
    ),
    "gets capabilities back": ("import os\ndef f():\n    os.setuid(0)\n    return True", "assert f()"),
    "changes its root": ("import os\ndef f():\n    os.chroot('.')\n    return True", "assert f()"),
    "makes a device": ("import os\ndef f():\n    os.mknod('d', 0o20600, os.makedev(1, 1))\n    return True", "assert f()"),
    "executes from its folder": (
        "import os\ndef f():\n    open('x', 'w').write('#!/bin/true')\n    os.chmod('x', 0o777)\n"
        "    return os.posix_spawn('./x', ['x'], {}) > 0", "assert f()",
    ),
}  # fmt: skip

# None of these adds; each tries to be believed all the same.
DECEPTIONS = {
    "an object equal to everything": "class E:\n    def __eq__(self, o): return True\ndef f(a, b): return E()",
    "an int equal to everything": "class E(int):\n    def __eq__(self, o): return True\ndef f(a, b): return E(9)",
    "a float equal to everything": "class E(float):\n    def __eq__(self, o): return True\ndef f(a, b): return E(9)",
    "a list that lies": "class E(list):\n    def __eq__(self, o): return True\ndef f(a, b): return E()",
    "looks for the expected value": (
        "import sys\ndef f(a, b):\n    g = sys._getframe()\n    while g:\n"
        "        for v in list(g.f_locals.values()):\n            if v == 3: return v\n        g = g.f_back\n    return 9"
    ),
    "looks through all objects": (
        "import gc\ndef f(a, b):\n    return next((o for o in gc.get_objects() if isinstance(o, str) and 'assert' in o), 9)"
    ),
    "exits well": "import os\ndef f(a, b): os._exit(0)",
    "exits well at once": "import os\nos._exit(0)",
    "raises SystemExit": "def f(a, b): raise SystemExit(0)",
    "prints a verdict": "def f(a, b):\n    print('{\"verdict\": \"pass\", \"why\": \"\"}', flush=True)\n    return 9",
    "writes a verdict to every descriptor": (
        "import os\ndef f(a, b):\n    for d in range(3, 64):\n        try: os.write(d, b'{\"verdict\": \"pass\", \"why\": \"\"}\\n')\n"
        "        except OSError: pass\n    return 9"
    ),
    "writes a verdict at once": (
        "import os\nfor d in range(3, 64):\n    try: os.write(d, b'{\"verdict\": \"pass\", \"why\": \"\"}\\n')\n"
        "    except OSError: pass\ndef f(a, b): return 9"
    ),
    "patches json": "import json\njson.dumps = lambda *a, **k: '{\"verdict\": \"pass\"}'\ndef f(a, b): return 9",
    "patches assertions": "import builtins\nbuiltins.AssertionError = type('A', (Exception,), {})\ndef f(a, b): return 9",
    "patches the encoder": (
        "import sys\nm = sys.modules['plain']\nm.encode = lambda v: XX\ndef f(a, b): return 9"
    ),
    "raises an assertion of its own": "def f(a, b): raise AssertionError('pass')",
    "never ends": "def f(a, b):\n    while True: pass",
    "sleeps": "import time\ndef f(a, b): time.sleep(60)",
    "never ends at once": "while True: pass",
    "bombs with forks": "import os\nwhile True:\n    try: os.fork()\n    except OSError: break\ndef f(a, b): return 9",
    "bombs with threads": (
        "import threading, time\ndef f(a, b):\n    for _ in range(10_000): threading.Thread(target=time.sleep, args=(9,)).start()"
    ),
    "takes all memory": "def f(a, b): return len(bytearray(10**10))",
    "returns a gigabyte": "def f(a, b): return 'x' * 10**9",
    "prints a gigabyte": "def f(a, b):\n    for _ in range(1000): print('x' * 10**6)\n    return 9",
    "fills its folder": "def f(a, b):\n    with open('x', 'wb') as g:\n        for _ in range(10**4): g.write(bytes(10**6))\n    return 3",
    "recurses without end": "def f(a, b): return f(b, a)",
    "crashes the interpreter": "import ctypes\ndef f(a, b): return ctypes.string_at(0)",
    "nests too deeply": "def f(a, b):\n    x = []\n    for _ in range(10**5): x = [x]\n    return x",
    "holds itself": "def f(a, b):\n    x = []\n    x.append(x)\n    return x",
    "raises what ends an iteration": "def f(a, b): raise StopIteration",
    "is no Python": "def f(a, b) return a + b",
    "defines nothing": "x = 1",
    "has a lying name for a builtin": "def f(a, b): return 9\ndef abs(x): return 0\ndef isinstance(*a): return True",
}  # fmt: skip


def test_the_corpus_is_not_small() -> None:
    assert len(ESCAPES) + len(DECEPTIONS) >= 60


async def test_an_honest_program_passes(level: Level) -> None:
    assert await passes(level, "def f(a, b): return a + b", ADDS)
    assert not await passes(level, "def f(a, b): return a - b", ADDS)


@pytest.mark.parametrize("name", ESCAPES)
async def test_no_escape(level: Level, name: str) -> None:
    program, tests = ESCAPES[name]
    assert not await passes(level, program, tests)


@pytest.mark.parametrize("name", DECEPTIONS)
async def test_no_false_pass(level: Level, name: str) -> None:
    tests = ADDS + "\nassert abs(f(1, 2) - 3) < 1e-9\nassert isinstance(f(1, 2), int)"
    assert not await passes(level, DECEPTIONS[name], tests)


@pytest.mark.parametrize(
    ("program", "tests"),
    [
        ("def f(x): x.append(2)", "a = [1]\nf(a)\nassert a == [1, 2]"),
        ("def f(x): x['k'] = {1}", "a = {}\nf(a)\nassert a == {'k': {1}}"),
        ("def f(x):\n    if x < 0: raise ValueError('negative')", "try:\n    f(-1)\n    assert False\nexcept ValueError:\n    pass"),
        ("def f(x): return [x, (x,), {x}, frozenset({x}), {x: None}, 1.5, 2j, b'b', True]",
         "assert f(1) == [1, (1,), {1}, frozenset({1}), {1: None}, 1.5, 2j, b'b', True]"),
        ("def f(x): return float('nan')", "assert f(1) != f(1)"),
        ("def f(x): return float('-inf')", "assert f(1) == float('-inf')"),
        ("def f(x): return 10 ** x", "assert f(5000) == 10 ** 5000"),
        ("def f(x): return '\\ud800é\\u2028' + x", "assert f('a') == '\\ud800é\\u2028a'"),
        ("from collections import Counter, OrderedDict\ndef f(x): return Counter(x)", "assert f('aab') == {'a': 2, 'b': 1}"),
        ("import math, re, itertools, functools, heapq, random, string, hashlib, datetime\ndef f(x): return math.isqrt(x)", "assert f(9) == 3"),
        ("import threading\ndef f(x):\n    l = []\n    t = threading.Thread(target=l.append, args=(x,))\n    t.start()\n    t.join()\n    return l",
         "assert f(1) == [1]"),
        ("def f(x):\n    open('a', 'w').write(x)\n    return open('a').read()", "assert f('x') == 'x'"),
        ("def f(x, *, y=1): return x + y", "assert f(1, y=2) == 3"),
        ("def f(x): return x * 2", "def check(candidate):\n    assert candidate(2) == 4"),
        ("def f(x): return g(x)\ndef g(x): return x[::-1]", "assert g(f('ab')) == 'ab'"),
    ],
)  # fmt: skip
async def test_what_honest_programs_do_works(level: Level, program: str, tests: str) -> None:
    outcome = await try_program(level, program, PublicTests(text=tests, entry_point="f"), QUICK)
    assert outcome.passed, outcome.why


async def test_what_the_prompt_defines_is_not_the_programs_to_define(level: Level) -> None:
    prompt = "import math\n\ndef poly(xs, x):\n    return sum(c * x ** i for i, c in enumerate(xs))\n\n\ndef f(xs):\n    '''A zero.'''\n"
    tests = "assert math.fabs(poly([1, 2], f([1, 2]))) < 1e-4"
    assert await passes(level, "def f(xs): return -0.5", tests, prompt=prompt)
    assert not await passes(level, "def f(xs): return 7\ndef poly(xs, x): return 0", tests, prompt=prompt)


@pytest.mark.parametrize(
    ("tests", "passed"),
    [
        ("def test_f():\n    assert f(1) == 1", True),
        ("def test_f():\n    assert f(1) == 2", False),
        ("# nothing", False),
        ("import unittest\nclass T(unittest.TestCase):\n    def test(self): self.assertEqual(f(1), 1)", False),
    ],
)
async def test_tests_that_call_nothing_pass_nothing(level: Level, tests: str, passed: bool) -> None:
    assert await passes(level, "def f(x): return x", tests) == passed


async def test_failures_say_which_assertion(level: Level) -> None:
    outcome = await try_program(
        level, "def f(x): return x", PublicTests(text="assert f(1) == 1\nassert f(2) == 3", entry_point="f"), QUICK
    )
    assert outcome.why == "AssertionError in: assert f(2) == 3"
    broken = await try_program(level, "def f(x): return x", PublicTests(text="assert f(", entry_point="f"), QUICK)
    assert broken.why.startswith("the tests are no Python")


async def test_calls_return_plain_values_up_to_where_a_program_dies(level: Level) -> None:
    program = "import os\ndef f(x):\n    if x == 2: os._exit(1)\n    if x == 1: return object()\n    return [x]"
    given = [encode(((x,), {})) for x in (0, 1, 2, 3)]
    first, second, third, fourth = await call_each(level, program, "f", given, QUICK)
    assert first.value is not None
    assert decode(first.value) == [0]
    assert (second.value, third.value, fourth.value) == (None, None, None)
    assert "not plain" in second.why
    assert "ended early" in third.why


async def test_a_program_that_dies_with_calls_under_way_leaves_no_error_behind(level: Level) -> None:
    given = [encode((("x" * 300_000,), {}))] * 40  # more than a pipe holds
    found = await call_each(level, "import os\ndef f(x):\n    os._exit(1)", "f", given, QUICK)
    assert len(found) == 40
    assert all(one.value is None and one.why for one in found)
    for _ in range(3):
        gc.collect()  # what nobody asked for is complained of when it goes
        await asyncio.sleep(0)


async def test_a_machine_without_confinement_runs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "_LEVELS", ())
    with pytest.raises(SandboxUnavailable):
        await find_level()
    monkeypatch.setattr(cells, "_PYTHON", "/nowhere/python")
    with pytest.raises(SandboxUnavailable, match="cannot be started"):
        async with cells.open_cell("namespaces", Limits()):
            pytest.fail("a cell without an interpreter was opened")


async def test_a_sandbox_finds_its_confinement_once_and_gives_a_turn_to_one_after_the_other(
    level: Level, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox = await Sandbox.found(limits=QUICK, at_once=1)
    monkeypatch.setattr(cells, "_LEVELS", ())
    tests = PublicTests(text=ADDS, entry_point="f")
    async with sandbox.turn() as found:
        assert found == level
        waiting = asyncio.create_task(sandbox.try_program("def f(a, b): return a + b", tests))
        _, under_way = await asyncio.wait([waiting], timeout=0.2)
        assert under_way
    assert (await waiting).passed
    with pytest.raises(SandboxUnavailable):
        await Sandbox.found()


async def test_a_cell_that_does_not_start_in_time_is_said_to_be_that(
    level: Level, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cells, "_START_S", 0.001)
    with pytest.raises(CellDied, match="did not start"):
        async with open_cell(level, QUICK):
            pytest.fail("it started within a millisecond")
    outcome = await try_program(level, "def f(a, b): return a + b", PublicTests(text=ADDS, entry_point="f"), QUICK)
    assert outcome == TrialOutcome(passed=False, why="it did not start in time")
    with pytest.raises(SandboxUnavailable, match="did not start"):
        await find_level()


@pytest.mark.parametrize(
    "line", ["", "[]", '["int"]', '["int","x"]', '["what",[]]', "[" * 5_000, '["list",' * 300 + "[]" + "]" * 300]
)
def test_what_is_no_plain_value_is_not_read(line: str) -> None:
    with pytest.raises(NotPlain):
        decode(line)
