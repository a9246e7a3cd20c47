"""Reading a model's answer: JSON as asked for, or plain text with marks such as [2]; and whom an unmarked answer rests on.

Lenient in form only: what the answer claims is for the guards to judge.
"""

import ast
import json
import re
from collections.abc import Mapping
from typing import Any

from cascade.claims import numbers, terms
from cascade.ports import Brief, Completion, Draft
from language import split_sentences

__all__ = ["read_draft", "read_program", "sound"]

_FENCED = re.compile(r"^\s*```(?:json)?\s*\n(.*?)\n?```\s*$", re.DOTALL)
_PROGRAM = re.compile(r"```(?:python|py)?[ \t]*\n(.*?)(?:\n```|\Z)", re.DOTALL)
_MARK = re.compile(r"\s*\[(\d{1,4}(?:\s*,\s*\d{1,4})*)\]")
_NOTHING = re.compile(
    r"^\W*(?:null|none|unknown|n/?a"
    r"|(?:that|this|it|the answer|the information)\s+(?:is\s+not|isn't|was\s+not|wasn't)\s+"
    r"(?:in|part of|mentioned|provided|given|stated)\b.{0,60}"
    r"|not\s+(?:in\s+(?:the\s+)?(?:memory|context)|mentioned|known|stated|specified)"
    r"|i\s+(?:do\s+not|don't)\s+(?:know|have\s+(?:that|any|enough|the)\s+(?:information|answer|context|record)).{0,80}"
    r"|(?:it|that)\s+(?:is|was)\s+not\s+(?:said|told|known|mentioned|stated)|there\s+is\s+no\s+(?:answer|information|mention)\b.{0,60}|no\s+(?:information|mention|answer)\b.{0,80})\W*$",
    re.IGNORECASE,
)


def read_draft(completion: Completion, brief: Brief) -> Draft:
    """Read an answer to `brief`. Never raises: what cannot be read is a draft that is not `parsed`."""
    answer, cited, parsed = _parts(completion.text, {quote.turn_id: quote.n for quote in brief.quotes})
    abstains = answer is None or bool(_NOTHING.match(answer))
    text = "" if answer is None else answer.strip()
    citations = tuple(dict.fromkeys(cited))
    found = _resting_on(text, brief) if text and not abstains and not citations else ()
    return Draft(
        answer=text,
        citations=citations or found,
        abstains=abstains and parsed,
        finish_reason=completion.finish_reason,
        returned_model=completion.model,
        confidence=completion.confidence,
        parsed=parsed,
        attributed=bool(found),
    )


def sound(text: str) -> str:
    """Return `text` with halves of surrogate pairs replaced: JSON may spell them, and nothing can store them."""
    return text.encode("utf-8", "replace").decode("utf-8")


def read_program(text: str) -> str:
    """Take the program out of an answer: its longest code block, or all of it, without what it runs at once.

    Assertions, prints and a main block at its end are the model's own trials; they are no part of what was asked for.
    """
    blocks = _PROGRAM.findall(text)
    program = max(blocks, key=len) if blocks else text
    try:
        tree = ast.parse(program)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return program
    kept = [node for node in tree.body if not _is_trial(node)]
    if len(kept) == len(tree.body):
        return program
    lines = program.splitlines()
    return "\n".join("\n".join(lines[_first_line(node) - 1 : node.end_lineno]) for node in kept) + "\n"


def _is_trial(node: ast.stmt) -> bool:
    """Whether a statement only tries the program out: an assertion, a print, a main block."""
    match node:
        case ast.Assert() | ast.Expr(value=ast.Call(func=ast.Name(id="print"))):
            return True
        case ast.If(test=ast.Compare(left=ast.Name(id="__name__"))):
            return True
    return False


def _first_line(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(one.lineno for one in decorators)])


def _parts(text: str, turns: Mapping[str, int]) -> tuple[str | None, list[int], bool]:
    """Split an answer into its text (None for "there is none"), its citations, and whether it has a form we know.

    `turns` gives the marks of lines by their turns' ids, which some models name instead.
    """
    fenced = _FENCED.match(text)
    bare = (fenced[1] if fenced else text).strip()
    if not bare.startswith("{"):
        cited = [int(n) for marks in _MARK.findall(bare) for n in re.findall(r"\d+", marks)]
        return _MARK.sub("", bare).strip(), cited, bool(bare)
    try:
        read = json.loads(bare)
    except (ValueError, RecursionError):
        return bare, [], False
    answer = read.get("answer")
    if "answer" not in read or isinstance(answer, list | dict | bool):
        return bare, [], False
    return (None if answer is None else sound(str(answer))), _marks(read.get("citations"), turns), True


def _marks(told: Any, turns: Mapping[str, int]) -> list[int]:
    marks: list[int] = []
    for one in told if isinstance(told, list) else [told]:
        if isinstance(one, str) and one in turns:
            marks.append(turns[one])
        elif one is not None:
            marks += [int(n) for n in re.findall(r"\d{1,6}", str(one))]
    return marks


def _resting_on(answer: str, brief: Brief) -> tuple[int, ...]:
    """Find the lines that an answer without marks rests on: of each sentence the line that shares most with it."""
    chosen: list[int] = []
    for sentence in split_sentences(answer):
        wanted = terms(sentence) | {str(n) for n in numbers(sentence)}
        shares = {quote.n: len(wanted & _told(quote.text, *(t.meaning for t in quote.times))) for quote in brief.quotes}
        best = max(shares.values(), default=0)
        if best:
            chosen.append(next(n for n, share in shares.items() if share == best))
    return tuple(dict.fromkeys(chosen))


def _told(*texts: str) -> frozenset[str]:
    whole = " ".join(texts)
    return terms(whole) | {str(n) for n in numbers(whole)}
