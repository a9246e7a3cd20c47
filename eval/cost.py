"""What answering has cost, from decision records alone: by path, blended, and against the frontier tier's price."""

from pathlib import Path

from cascade import dollars
from cascade.storage.ledger import Stats
from eval.harness.report import Table
from tirtha.caller import local_caller
from tirtha.settings import Settings
from tirtha.wiring.service import open_service

__all__ = ["cost_tables"]


async def cost_tables(settings: Settings, *, tenant: str) -> list[Table]:
    """Read the tenant's decisions in the data folder and add them up. Raises as `open_service` does."""
    async with open_service(settings) as service:
        return _tables_of(await service.stats(local_caller(tenant)), settings.folder)


def _tables_of(stats: Stats, folder: Path) -> list[Table]:
    """Lay the sums out, each with its n."""
    since = f"{stats.first_at:%Y-%m-%d} to {stats.last_at:%Y-%m-%d}" if stats.first_at and stats.last_at else "none yet"
    mix = Table(
        "answered by", "n", "share", "US$", "US$ a question", title=f"Decisions in {folder}: {stats.n} ({since})"
    )
    for one in stats.paths:
        mix.add_row(
            one.path,
            str(one.n),
            f"{one.n / stats.n:.1%}",
            dollars(one.cost_nanousd),
            dollars(round(one.cost_nanousd / one.n)),
        )
    blended = round(stats.cost_nanousd / stats.n) if stats.n else 0
    mix.caption = f"blended: US$ {dollars(blended)} a question; shadow calls: US$ {dollars(stats.shadow_cost_nanousd)}"
    saved = Table("the same prompts and answers", "n", "US$", title="Against the frontier tier's price")
    saved.add_row("as answered", str(stats.frontier_n), dollars(stats.frontier_n_cost_nanousd))
    saved.add_row("all by the frontier tier", str(stats.frontier_n), dollars(stats.frontier_nanousd))
    if stats.frontier_n_cost_nanousd:
        ratio = stats.frontier_nanousd / stats.frontier_n_cost_nanousd
        saved.caption = f"{ratio:.2f}x cheaper; shadows agreed on {stats.shadows_agreeing} of {stats.shadows}"
    return [mix, saved]
