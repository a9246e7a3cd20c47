"""Names of models: whether the one that a server answers with means the one that was asked for."""

import re

__all__ = ["same_model"]

_RELEASE = re.compile(r"-20\d\d-?[01]\d(?:-?[0-3]\d)?$")


def same_model(asked: str, answered: str) -> bool:
    """Whether the names mean one model: a server may leave the owner out, or add the date of the release."""
    mine, theirs = (name.strip().rsplit("/", 1)[-1].lower() for name in (asked, answered))
    return mine == theirs or (theirs.startswith(mine) and bool(_RELEASE.fullmatch(theirs[len(mine) :])))
