"""One way to write each value: JSON with sorted keys and no spaces, in UTF-8; times with microseconds and their own offset.

So an export of the same memory has the same bytes, on whatever machine and database.
"""

import json
from datetime import datetime

__all__ = ["canonical_json", "moment"]


def canonical_json(value: object) -> bytes:
    """Return the bytes of a value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def moment(time: datetime) -> str:
    """Return a time as it is written: 2023-05-08T13:56:00.000000+02:00."""
    return time.isoformat(timespec="microseconds")
