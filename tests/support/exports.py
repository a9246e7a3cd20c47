"""Exports for tests: their parts, one made by hand, and what is sent to import one."""

import json
from collections.abc import Iterable
from hashlib import sha256
from typing import Any

import httpx

__all__ = ["NDJSON", "body_of", "export_of", "lines_of", "sent", "turn_line"]

NDJSON = {"content-type": "application/x-ndjson"}
HEADER = {
    "kind": "header",
    "format": "tirtha-export",
    "version": 1,
    "holds": "user",
    "user_id": "u1",
    "agent_id": None,
    "exported_at": "2026-01-01T00:00:00.000000+00:00",
    "tirtha": "0.1.0",
}
TURN = {
    "kind": "turn",
    "user_id": "u1",
    "agent_id": None,
    "session_id": "s1",
    "role": "user",
    "speaker": None,
    "said_at": "2023-05-08T13:56:00.000000+02:00",
    "remembered_at": "2023-05-09T00:00:00.000000+00:00",
}


def body_of(export: bytes) -> bytes:
    """All but the header, which alone holds the time of the export."""
    return export.split(b"\n", 1)[1]


def lines_of(export: bytes, kind: str) -> list[dict[str, Any]]:
    """The lines of one kind."""
    return [line for line in map(json.loads, export.split(b"\n")[:-1]) if line["kind"] == kind]


def turn_line(number: int, text: str = "", **changed: Any) -> dict[str, Any]:
    """The line of a turn."""
    return TURN | {"id": f"t{number}", "position": number, "text": text or f"This is turn {number}."} | changed


def export_of(lines: Iterable[dict[str, Any] | bytes], **header: Any) -> bytes:
    """An export made by hand, with a trailer that fits."""
    written = [one if isinstance(one, bytes) else json.dumps(one).encode() for one in lines]
    body = b"".join(one + b"\n" for one in written)
    counts = {"turn": len(written), "decision": 0, "answer": 0}
    trailer = {"kind": "trailer", "counts": counts, "sha256": sha256(body).hexdigest()}
    return json.dumps(HEADER | header).encode() + b"\n" + body + json.dumps(trailer).encode() + b"\n"


async def sent(client: httpx.AsyncClient, export: bytes, **query: Any) -> httpx.Response:
    """Send an export to be imported."""
    return await client.post("/v1/import", params=query, content=export, headers=NDJSON)
