"""Usage: the tokens that a server says a call took, and a count of those that it does not report.

No server's silence is booked as nothing: what is missing is counted from the texts that went to and fro, and marked as estimated.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from cascade.model import Usage

__all__ = ["booked_usage", "contents", "reported_usage"]

_CONTENT = re.compile(r'"(?:content|reasoning|reasoning_content)"\s*:\s*"((?:[^"\\]|\\.)*)')


def reported_usage(reported: object) -> Usage:
    """Read a response's usage; what is missing, or no number, is 0.

    Of a total and one part the other part follows. A total alone is given as the prompt's and marked: `booked_usage` splits it.
    """
    prompt, completion = _number(reported, "prompt_tokens"), _number(reported, "completion_tokens")
    total = _number(reported, "total_tokens")
    alone = bool(total and not prompt and not completion)
    if alone or (completion and not prompt):
        prompt = max(0, total - completion)
    elif not completion:
        completion = max(0, total - prompt)
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        cached_tokens=_number(getattr(reported, "prompt_tokens_details", None), "cached_tokens"),
        reasoning_tokens=_number(getattr(reported, "completion_tokens_details", None), "reasoning_tokens"),
        estimated=alone,
    )


def booked_usage(
    reported: Usage, *, prompt_tokens: Callable[[], int], sent: Sequence[str], count: Callable[[str], int]
) -> Usage:
    """Complete what a server reported by counting: the prompt with `prompt_tokens`, and the texts it `sent` with `count`."""
    missing = not reported.completion_tokens and any(sent)
    if reported.prompt_tokens and not missing:
        return reported
    completion = reported.completion_tokens or sum(count(text) for text in sent if text)
    if reported.estimated:  # a total alone
        completion = min(completion, reported.prompt_tokens)
        return replace(reported, prompt_tokens=reported.prompt_tokens - completion, completion_tokens=completion)
    prompt = reported.prompt_tokens or prompt_tokens()
    return replace(reported, prompt_tokens=prompt, completion_tokens=completion, estimated=True)


def contents(body: str) -> str:
    """Return what a response says whose body cannot be read as a whole: cut off, or typed as something else than JSON."""
    return " ".join(_CONTENT.findall(body))


def _number(reported: object, name: str) -> int:
    """Read one number of tokens."""
    value = getattr(reported, name, None)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return max(0, value) if isinstance(value, int) and not isinstance(value, bool) else 0
