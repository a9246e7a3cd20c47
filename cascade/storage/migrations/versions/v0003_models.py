"""A decision's `tier` is the tier's name and `model` the model's; before, `tier` held the model's name."""

import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "cascade_0003"
down_revision = "cascade_0002"

DECISION = sa.table("decision", sa.column("id", sa.String), sa.column("record", sa.Text))
_TIER_OF_PATH = {"extractive": "extractive", "local": "local", "local_repaired": "local", "widened": "local"}
_PAGE = 500


def upgrade() -> None:
    for id_, record in _records():
        model = record["tier"]
        _write(id_, record | {"tier": _tier(record) if model else None, "model": model})


def downgrade() -> None:
    for id_, record in _records():
        _write(id_, {name: value for name, value in record.items() if name != "model"} | {"tier": record["model"]})


def _records() -> Iterator[tuple[str, dict[str, Any]]]:
    """Read the records page by page, so that no history has to fit in memory."""
    last = ""
    query = sa.select(DECISION.c.id, DECISION.c.record).order_by(DECISION.c.id).limit(_PAGE)
    while rows := op.get_bind().execute(query.where(DECISION.c.id > last)).all():
        yield from ((id_, json.loads(record)) for id_, record in rows if record)
        last = rows[-1][0]


def _write(id_: str, record: dict[str, Any]) -> None:
    op.get_bind().execute(
        sa.update(DECISION)
        .where(DECISION.c.id == id_)
        .values(record=json.dumps(record, separators=(",", ":"), ensure_ascii=False))
    )


def _tier(record: dict[str, Any]) -> str:
    """Return the tier by the path, or, of a cached answer, by what the record says of the models that were configured."""
    if record["path"] in _TIER_OF_PATH:
        return _TIER_OF_PATH[record["path"]]
    if record["tier"] == "extractive":
        return "extractive"
    described = record.get("hashes", {}).get("models", "")
    return "local" if described.startswith(f"local {record['tier']}, ") and record["path"] == "cache" else "frontier"
