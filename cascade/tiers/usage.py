"""Usage: the tokens that a server says a call took, and a count of those that it does not tell.

No server's silence is booked as nothing: what is missing is counted from the texts that went to and fro, and marked as estimated.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from cascade.ports import Usage

__all__ = ["booked_usage", "contents", "told_usage"]

_CONTENT = re.compile(r'"(?:content|reasoning|reasoning_content)"\s*:\s*"((?:[^"\\]|\\.)*)')


def told_usage(told: object) -> Usage:
    """Read a response's usage; what is missing, or no number, is 0.

    Of a total and one part the other part follows. A total alone is given as the prompt's and marked: `booked_usage` splits it.
    """
    prompt, completion = _number(told, "prompt_tokens"), _number(told, "completion_tokens")
    total = _number(told, "total_tokens")
    alone = bool(total and not prompt and not completion)
    if alone or (completion and not prompt):
        prompt = max(0, total - completion)
    elif not completion:
        completion = max(0, total - prompt)
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        cached_tokens=_number(getattr(told, "prompt_tokens_details", None), "cached_tokens"),
        reasoning_tokens=_number(getattr(told, "completion_tokens_details", None), "reasoning_tokens"),
        estimated=alone,
    )


def booked_usage(
    told: Usage, *, prompt_tokens: Callable[[], int], sent: Sequence[str], count: Callable[[str], int]
) -> Usage:
    """Complete what a server told by counting: the prompt with `prompt_tokens`, and the texts it `sent` with `count`."""
    untold = not told.completion_tokens and any(sent)
    if told.prompt_tokens and not untold:
        return told
    completion = told.completion_tokens or sum(count(text) for text in sent if text)
    if told.estimated:  # a total alone
        completion = min(completion, told.prompt_tokens)
        return replace(told, prompt_tokens=told.prompt_tokens - completion, completion_tokens=completion)
    prompt = told.prompt_tokens or prompt_tokens()
    return replace(told, prompt_tokens=prompt, completion_tokens=completion, estimated=True)


def contents(body: str) -> str:
    """Give what a response says whose body cannot be read as a whole: cut off, or typed as something else than JSON."""
    return " ".join(_CONTENT.findall(body))


def _number(told: object, name: str) -> int:
    """Read one number of tokens."""
    value = getattr(told, name, None)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return max(0, value) if isinstance(value, int) and not isinstance(value, bool) else 0
