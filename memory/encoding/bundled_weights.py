"""The bundled encoder's weights, checked by their hash before they are loaded.

They come in a package of their own, and 91 MB may be damaged on the way or exchanged later. Other weights would load without a
word, and every vector would be another. Reading and hashing them takes about 80 ms of processor time. So it is done at every start,
and nothing has to be remembered of an earlier one. A model that the settings name is the operator's own and is not checked.
"""

from hashlib import file_digest
from pathlib import Path

from memory.errors import WeightsAltered

__all__ = ["refuse_altered"]

_FILE = "model.safetensors"
_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"  # as published with all-MiniLM-L6-v2


def refuse_altered(folder: Path) -> None:
    """Raise WeightsAltered unless the weights in `folder` are the ones that were shipped."""
    path = folder / _FILE
    with path.open("rb") as file:
        found = file_digest(file, "sha256").hexdigest()
    if found != _SHA256:
        raise WeightsAltered(path=path, found=found, expected=_SHA256)
