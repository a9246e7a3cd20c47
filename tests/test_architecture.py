"""The shape of the house, held by tests: arrows, sizes, and what a user's folder may not hide."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("language", "memory", "compaction", "cascade", "tirtha", "eval")
MODULES = sorted(file for package in PACKAGES for file in (ROOT / package).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
LONGEST_FILE = 400
LONGEST_FUNCTION = 60
MOST_MODULES = 14  # about twelve: the roots of memory and cascade also hold their faces


@pytest.mark.slow  # and `make lint` asks the same
def test_imports_point_down_only() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--config", str(ROOT / "pyproject.toml")]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout


def test_modules_are_short_and_say_what_they_do() -> None:
    assert [fault for module in MODULES for fault in faults_of(module)] == []


def test_modules_of_tests_are_short() -> None:
    lengths = {str(test.relative_to(ROOT)): len(test.read_text("utf-8").splitlines()) for test in TESTS}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FILE} == {}


def faults_of(module: Path) -> Iterator[str]:
    """Yield what is wrong with the shape of a module."""
    name, source = module.relative_to(ROOT), module.read_text("utf-8")
    tree = ast.parse(source)
    if not ast.get_docstring(tree):
        yield f"{name} does not say what it does"
    if (lines := len(source.splitlines())) > LONGEST_FILE:
        yield f"{name} has {lines} lines"
    if "migrations" not in module.parts:
        functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
        lengths = {node.name: (node.end_lineno or node.lineno) - node.lineno for node in functions}
        yield from (f"{name}: {one} is too long" for one, length in lengths.items() if length >= LONGEST_FUNCTION)


def test_the_map_shows_every_folder_and_module_and_no_other() -> None:
    rows = re.findall(
        r"^\| `([a-z_/]+/)` \| .+ \|\s*([^|]*?)\s*\|$", (ROOT / "docs/architecture.md").read_text("utf-8"), re.MULTILINE
    )
    shown = {
        f"{folder}{name}.py" for folder, modules in rows for name in [*re.findall(r"`(\w+)`", modules), "__init__"]
    }
    there = {str(module.relative_to(ROOT)) for module in MODULES}
    assert shown == there, (sorted(shown - there), sorted(there - shown))


def test_no_folder_is_crowded() -> None:
    folders: dict[Path, int] = {}
    for module in MODULES:
        folders[module.parent] = folders.get(module.parent, 0) + (module.name != "__init__.py")
    assert {str(folder.relative_to(ROOT)): n for folder, n in folders.items() if n > MOST_MODULES} == {}


def loaded_by(modules: str, sought: tuple[str, ...]) -> list[str]:
    """Which of the sought packages a new process has after it imported the modules."""
    code = f"import sys, {modules}; print(*(name for name in {sought} if name in sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return run.stdout.split()


def test_talking_to_a_server_imports_no_engine() -> None:
    assert loaded_by("tirtha.cli, tirtha.cli.connection", ("torch", "memory", "lancedb", "numpy", "eval", "mcp")) == []


def test_a_guard_needs_neither_a_client_of_models_nor_statistics() -> None:
    assert loaded_by("cascade.guards", ("openai", "scipy", "tenacity", "pydantic")) == []


@pytest.mark.slow
def test_what_is_wrong_with_a_setting_is_reported_before_the_engine_is_imported() -> None:
    modules = "tirtha.http.server, tirtha.wiring.tiers, tirtha.maintenance.certify, memory.errors, cascade.errors"
    assert loaded_by(modules, ("torch", "lancedb")) == []
    assert loaded_by("memory.api", ("torch", "lancedb")) == ["torch", "lancedb"]


def test_test_folders_are_packages_and_docker_is_not() -> None:
    folders = [folder for folder in (ROOT / "tests").rglob("*") if folder.is_dir() and any(folder.glob("*.py"))]
    assert all((folder / "__init__.py").exists() for folder in folders)
    assert not (ROOT / "docker" / "__init__.py").exists()
