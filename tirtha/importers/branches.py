"""A conversation as a tree: an edited or regenerated message begins a branch beside the one before it, and one branch is current.

Exports keep all of them. What was said is the current branch; the others are what was taken back.
"""

from collections.abc import Mapping

__all__ = ["OTHER_BRANCH", "branch_to", "newest_leaf"]

OTHER_BRANCH = "in another branch: edited or regenerated"


def branch_to(leaf: str, parents: Mapping[str, str]) -> list[str]:
    """Return the ids from the root to `leaf`. `parents` has every id; a parent that is none of them is before the root.

    Raises ValueError: a message is its own ancestor.
    """
    path: dict[str, None] = {}
    at = leaf
    while at in parents:
        if at in path:
            raise ValueError("a message is its own ancestor")
        path[at] = None
        at = parents[at]
    return [*path][::-1]


def newest_leaf(parents: Mapping[str, str], times: Mapping[str, float]) -> str:
    """Return the newest message without an answer, the last of equals; "" where there is no message. `times` may lack some.

    Raises ValueError: every message is answered, so they go round.
    """
    if not parents:
        return ""
    answered = set(parents.values())
    leaves = [one for one in parents if one not in answered]
    if not leaves:
        raise ValueError("a message is its own ancestor")
    return max(reversed(leaves), key=lambda one: times.get(one, float("-inf")))
