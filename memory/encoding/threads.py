"""How many threads torch computes with: set for one computation, and put back after it.

The number belongs to a thread, but a thread that meets torch for the first time begins with whatever any other set last. So what
wants more than one thread sets that, too, and does not rely on what it finds. Knows nothing of what is computed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import torch

__all__ = ["computing_with", "usual_threads"]


@cache
def usual_threads() -> int:
    """Return how many threads torch had when this was first asked, which is before any number of ours was set."""
    return torch.get_num_threads()


@contextmanager
def computing_with(threads: int) -> Iterator[None]:
    """Let torch compute with this many threads, and then with as many as before.

    Args:
        threads: At least 1.
    """
    usual_threads()
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
