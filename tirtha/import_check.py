"""Makes sure that `language`, `memory`, `compaction`, `cascade` and `eval` are ours: their names are generic."""

from importlib.util import find_spec
from pathlib import Path

from tirtha.errors import Shadowed

__all__ = ["refuse_shadows"]

_OURS = ("language", "memory", "compaction", "cascade", "eval")


def refuse_shadows() -> None:
    """Raise Shadowed if one of our packages would be imported from somewhere else than beside this one."""
    home = Path(__file__).resolve().parent.parent
    for package in _OURS:
        spec = find_spec(package)
        found = Path(spec.origin).resolve() if spec and spec.origin else Path("nowhere")
        if found.parent.parent != home:
            raise Shadowed(package=package, found=found, ours=home / package)
