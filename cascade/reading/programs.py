"""Programs: taken out of a reply with its fences, prose, drafts and trials.

Every fence may open a block, and the block ends at the first fence after it with which it is Python: so a fence in a docstring
ends nothing. Without a block that will do, code is looked for in the prose. What a program needs of the other blocks is put before
it. Whether it is right is not known here; of several that define what is asked for, the longest counts, or a later one that the
prose calls a correction.
"""

import ast
import builtins
import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cascade.reading.syntax import NO_PYTHON, compiles, last_object, parse, parsed
from cascade.reading.thoughts import spoken

__all__ = ["defined_names", "read_program"]

_FENCES = 100  # of a reply that are looked at, at most
_CLOSERS = 12  # fences that a block is tried with, at most
_STARTS = 12  # places in prose where code is looked for, at most
_CUTS = 200  # places where code in prose may end, at most
_BEFORE = 300  # characters of prose before a block that may call it a correction
_FENCE = re.compile(r"`{3,}|(?:(?<=^)|(?<=\n)|(?<=[ \t>]))~{3,}")
_PREFIX = re.compile(r"[ \t>]*(?:(?:[-*+]|\d+[.)])[ \t]+)?")
_LANGUAGE = re.compile(r"[ \t]*(?:python3?|py3?)\b[ \t:]*", re.IGNORECASE)
_CODE_LINE = re.compile(
    r"^[ \t]*(?:(?:async\s+)?def\s+\w+\s*\(|class\s+\w+\s*[:(]|import\s+\w[\w., ]*$|from\s+[\w.]+\s+import\b|@\w"
    r"|[A-Za-z_]\w*\s*(?::[^=\n]+)?=\s*\S)"
)
_CORRECTS = re.compile(
    r"\b(?:correct(?:ed|ion)|fix(?:ed|es)?|final|revis\w+|improv\w+|updated?|actually|wait|instead|mistake|wrong|bugs?|better"
    r"|rewrit\w+|rewrote|simplif\w+|incorrect|fails?)\b",
    re.IGNORECASE,
)
_BUILT_IN = frozenset(dir(builtins)) | {"__name__", "__file__", "__doc__"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    """Python in a reply: its source without trials, its tree, and the prose right before it."""

    source: str
    tree: ast.Module
    before: str = ""

    @property
    def names(self) -> frozenset[str]:
        """What it defines at its top."""
        return defined_names(self.tree)


def read_program(text: str, entry_point: str | None = None) -> str:
    """Take the program out of a reply that defines `entry_point`, or may, without what it runs at once.

    Assertions, prints and a main block are the model's own trials; they are no part of what was asked for. Never raises: a reply
    without a program is given as its longest block, or as it is.
    """
    said = spoken(text).replace("\r\n", "\n").replace("\r", "\n")
    whole = _block(said)
    blocks = [whole] if whole else list(_fenced(said))
    if not any(_may_do(one, entry_point) for one in blocks):
        blocks += [*_unfenced(said), *_in_json(said)]
    if blocks:
        return _with_helpers(_chosen(blocks, entry_point), blocks, entry_point)
    return max(_paired(said), key=len, default=said)


def defined_names(tree: ast.Module) -> frozenset[str]:
    """Return the names that a program defines at its top, also in a branch."""
    return frozenset(_defined(tree.body))


def _defined(body: Sequence[ast.stmt]) -> Iterator[str]:
    for node in body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                yield from ((one.asname or one.name).partition(".")[0] for one in names)
            case ast.If() | ast.Try() | ast.With() | ast.For() | ast.While():
                yield from _defined([one for one in ast.iter_child_nodes(node) if isinstance(one, ast.stmt)])
                yield from _defined([one for handler in getattr(node, "handlers", ()) for one in handler.body])
            case ast.Assign() | ast.AnnAssign() | ast.AugAssign():
                yield from (
                    one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)
                )


# finding blocks


def _fenced(said: str) -> Iterator[_Block]:
    """Walk through the blocks in fences; a fence that opens none is passed over."""
    fences = list(_FENCE.finditer(said))[:_FENCES]
    at = place = 0
    while at < len(fences):
        before = said[place : fences[at].start()]
        for closes in range(at + 1, min(len(fences), at + _CLOSERS) + 1):
            end = fences[closes].start() if closes < len(fences) else len(said)
            block = _block(_inside(said, fences[at], end), before)
            if block:
                yield block
                at, place = closes, fences[closes].end() if closes < len(fences) else len(said)
                break
        at += 1


def _inside(said: str, fence: re.Match[str], end: int) -> str:
    """Return what stands between a fence and `end`, without the language and the fence's indentation."""
    inside = said[fence.end() : end]
    first, line_end, rest = inside.partition("\n")
    if not line_end or _CODE_LINE.match(first):
        return _LANGUAGE.sub("", inside, count=1) if _LANGUAGE.match(inside) else inside
    prefix = said[said.rfind("\n", 0, fence.start()) + 1 : fence.start()]
    if not _PREFIX.fullmatch(prefix):
        return rest
    if ">" in prefix:
        return re.sub(r"^[ \t]*> ?", "", rest, flags=re.MULTILINE)
    return re.sub(rf"^[ \t]{{0,{len(prefix)}}}", "", rest, flags=re.MULTILINE)


def _block(source: str, before: str = "") -> _Block | None:
    """Return a source as a block if it is Python that does something, indented as a whole or not."""
    for text in (source, textwrap.dedent(source), _without_prompts(source), _patched(source)):
        tree = parsed(text) if text else None
        if tree and any(not isinstance(node, ast.Expr) or isinstance(node.value, ast.Call) for node in tree.body):
            return _Block(
                source=_without_trials(text.rstrip(" \t>").removesuffix("\n"), tree),
                tree=tree,
                before=before[-_BEFORE:],
            )
    return None


def _without_prompts(source: str) -> str:
    """Return the code of an interactive session, without its prompts and what it printed; "" if it is none."""
    lines = re.findall(r"^[ \t]*(?:>>>|\.\.\.)(?: |$)(.*)$", source, re.MULTILINE)
    return "\n".join(lines) + "\n" if source.lstrip().startswith(">>>") else ""


def _patched(source: str) -> str:
    """Return what a patch leaves of the lines it shows; "" if it is none."""
    lines = [line for line in source.split("\n") if line.strip() and not line.startswith(("+++", "---", "@@", "diff "))]
    if not any(line.startswith("+") for line in lines) or not all(line[0] in "+- " for line in lines):
        return ""
    return "\n".join(line[1:] for line in lines if line[0] != "-") + "\n"


def _unfenced(said: str) -> Iterator[_Block]:
    """Walk through the code that stands in prose: from a line that looks like code as far as it is Python."""
    for inline in re.findall(r"(?<!`)`([^`\n]+)`(?!`)", said)[:_STARTS]:
        block = _block(inline) if _CODE_LINE.match(inline) else None
        if block:
            yield block
    lines = said.split("\n")
    starts = [n for n, line in enumerate(lines) if _CODE_LINE.match(line)][:_STARTS]
    done = 0
    for start in starts:
        if start < done:
            continue
        own = _undented(lines[start:])
        end = _python_until(own)
        block = _block("\n".join(own[:end]), "\n".join(lines[done:start]))
        if block:
            done = start + end
            yield block


def _undented(lines: Sequence[str]) -> list[str]:
    """Return lines without the indentation of the first, up to one that has less."""
    indent = re.match(r"[ \t]*", lines[0])[0]  # type: ignore[index]
    kept: list[str] = []
    for line in lines:
        if line.strip() and not line.startswith(indent):
            break
        kept.append(line.removeprefix(indent))
    return kept


def _python_until(lines: Sequence[str]) -> int:
    """Return how many of the lines are Python, from the first on."""
    end = len(lines)
    for _ in range(_CUTS):
        try:
            parse("\n".join(lines[:end]))
        except NO_PYTHON as fault:
            end = max(0, min(end - 1, (getattr(fault, "lineno", None) or end) - 1))
        else:
            return end
    return 0


def _in_json(said: str) -> Iterator[_Block]:
    found = last_object(said, {"code", "program", "answer", "solution", "python"}) or {}
    yield from (block for value in found.values() if isinstance(value, str) and (block := _block(value)))


def _paired(said: str) -> list[str]:
    """Return what stands between every second fence and the next, for replies without any Python."""
    fences = [*_FENCE.finditer(said)]
    ends = [*(fence.start() for fence in fences[1::2]), len(said)]
    return [_inside(said, fence, end).rstrip() for fence, end in zip(fences[::2], ends, strict=False)]


# choosing among them


def _may_do(block: _Block, entry_point: str | None) -> bool:
    """Whether a block defines what is asked for, or anything at all if that is not known."""
    return entry_point in block.names if entry_point else bool(block.source.strip())


def _chosen(blocks: Sequence[_Block], entry_point: str | None) -> _Block:
    able = [one for one in blocks if _may_do(one, entry_point)] or blocks
    whole = [one for one in able if not _is_stub(one)] or able
    longest = max(whole, key=lambda one: len(one.source))
    later = [one for one in whole[whole.index(longest) + 1 :] if _CORRECTS.search(one.before)]
    return later[-1] if later and entry_point else longest


def _is_stub(block: _Block) -> bool:
    """Whether all functions of a block are signatures alone."""
    functions = [one for one in block.tree.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
    return bool(functions) and all(_does_nothing(node) for one in functions for node in one.body)


def _does_nothing(node: ast.stmt) -> bool:
    match node:
        case ast.Pass() | ast.Expr(value=ast.Constant()) | ast.Raise():
            return True
    return False


def _with_helpers(block: _Block, blocks: Sequence[_Block], entry_point: str | None) -> str:
    """Put before a program the other blocks that define what it uses and does not."""
    needed, helpers = [block], [one for one in blocks if one is not block and entry_point not in one.names]
    while found := next((one for one in helpers if one.names & _missing(needed)), None):
        helpers.remove(found)
        needed.append(found)
    if len(needed) == 1:
        return block.source
    ordered = [one.source for one in blocks if one in needed and one is not block]
    joined = ("\n\n".join([*ordered, block.source]), "\n\n".join([block.source, *ordered]), block.source)
    return next((one for one in joined if compiles(one)), block.source)


def _missing(blocks: Sequence[_Block]) -> frozenset[str]:
    """Return the names that blocks use and do not bind anywhere."""
    used: set[str] = set()
    bound: set[str] = set(_BUILT_IN)
    for node in (node for block in blocks for node in ast.walk(block.tree)):
        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                used.add(name)
            case ast.Name(id=name) | ast.arg(arg=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                bound.add(name)
            case ast.ClassDef(name=name) | ast.ExceptHandler(name=str(name)):
                bound.add(name)
            case ast.alias(name=name, asname=asname):
                bound.add((asname or name).partition(".")[0])
    return frozenset(used - bound)


# trials


def _without_trials(source: str, tree: ast.Module) -> str:
    """Return a program without what it only tries out at its top; each line that is kept is kept once."""
    kept = [node for node in tree.body if not _is_trial(node)]
    if len(kept) == len(tree.body):
        return source
    lines = source.split("\n")
    numbers = sorted({n for node in kept for n in range(_first_line(node) - 1, node.end_lineno or node.lineno)})
    return "\n".join(lines[n] for n in numbers) + "\n"


def _is_trial(node: ast.stmt) -> bool:
    """Whether a statement only tries the program out, or does nothing: an assertion, a print, a main block, a bare name."""
    match node:
        case (
            ast.Assert() | ast.AnnAssign(value=None) | ast.Expr(value=ast.Name() | ast.Call(func=ast.Name(id="print")))
        ):
            return True
        case ast.If(test=ast.Compare(left=ast.Name(id="__name__"))):
            return True
    return False


def _first_line(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(one.lineno for one in decorators)])
