"""What a wrong key costs the server: the same request with keys of several kinds, and `/healthz`, which needs none.

Run by `make bench`; `python -m eval.bench keys` runs it alone. Blocks of each kind take turns over one connection, so the figures
to compare are the ratios. They hold the HTTP client's own work, too, which `/healthz` shows.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter

import httpx
from rich.table import Table

from eval.harness.serving import p95, serving

__all__ = ["key_cost_table"]

ROUNDS = 50
BLOCK = 20  # requests of a kind in a row
UNTIMED = 2
_PATH = "/v1/users?limit=1"
_HEALTH, _RIGHT = "/healthz, without a key", "a right key"


def key_cost_table() -> Table:
    """Ask a server for its users with each kind of key, in turn."""
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder)) as (url, _),
        httpx.Client(base_url=url) as client,
    ):
        right = client.post("/v1/keys", json={"name": "bench"}).raise_for_status().json()["key"]
        prefix, key_id, secret = right.split("_", 2)
        kinds = {
            _HEALTH: _asking(client, "/healthz", None, 200),
            _RIGHT: _asking(client, _PATH, right, 200),
            "no key": _asking(client, _PATH, None, 401),
            "a key of an unknown id": _asking(client, _PATH, f"{prefix}_{key_id[::-1]}_{secret}", 401),
            "a known id with a wrong secret": _asking(client, _PATH, f"{prefix}_{key_id}_{secret[::-1]}", 401),
            "what is no key": _asking(client, _PATH, "x" * 64, 401),
        }
        times: dict[str, list[float]] = {kind: [] for kind in kinds}
        for _ in range(ROUNDS):
            for kind, ask in kinds.items():
                times[kind] += _block(ask)
    table = Table("request", "p50 ms", "p95 ms", "to a right key", "to /healthz", title=f"n = {ROUNDS * BLOCK:,} each")
    for kind, took in times.items():
        to_right, to_health = (median(took) / median(times[base]) for base in (_RIGHT, _HEALTH))
        table.add_row(kind, f"{median(took):.2f}", f"{p95(took):.2f}", f"{to_right:.2f}x", f"{to_health:.2f}x")
    return table


def _asking(client: httpx.Client, path: str, key: str | None, expected: int) -> Callable[[], None]:
    headers = _authorization(key) if key else {}

    def ask() -> None:
        assert client.get(path, headers=headers).status_code == expected

    return ask


def _block(ask: Callable[[], None]) -> list[float]:
    times: list[float] = []
    for number in range(UNTIMED + BLOCK):
        started_s = perf_counter()
        ask()
        if number >= UNTIMED:
            times.append((perf_counter() - started_s) * 1_000)
    return times


def _authorization(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}
