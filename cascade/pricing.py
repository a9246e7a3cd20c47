"""Prices: what a token costs, in whole billionths of a dollar, from a dated table or from the settings.

A list price in dollars per million tokens is a thousandth of that many nano-dollars a token; three decimals of it are exact.
"""

import json
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from importlib.resources import files

from cascade.model import Usage

__all__ = ["Price", "cost_nanousd", "known_prices"]

_PER_TOKEN = 1_000  # nano-dollars a token for one dollar a million tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """US dollars per million tokens; `cached_usd` is for prompt tokens that the server had in its cache.

    A price of the table is as of a day; one of the settings is as of now.
    """

    input_usd: Decimal
    output_usd: Decimal
    cached_usd: Decimal | None
    as_of: date | None
    source: str

    @property
    def free(self) -> bool:
        """Whether no token costs anything."""
        return not (self.input_usd or self.output_usd or self.cached_usd)

    @property
    def rates(self) -> str:
        """The rates alone, which is what a decision's cost depends on."""
        cached = "" if self.cached_usd is None else f" ({self.cached_usd} cached)"
        return f"{self.input_usd}{cached} / {self.output_usd} US$ a million tokens"


def cost_nanousd(usage: Usage, price: Price) -> int:
    """Return what a call cost, rounded once, to whole nano-dollars."""
    cached = min(usage.cached_tokens, usage.prompt_tokens)
    cached_usd = price.input_usd if price.cached_usd is None else price.cached_usd
    cost = (usage.prompt_tokens - cached) * price.input_usd + cached * cached_usd
    cost += usage.completion_tokens * price.output_usd
    return int((cost * _PER_TOKEN).quantize(Decimal(1), ROUND_HALF_UP))


@cache
def known_prices() -> dict[str, Price]:
    """Read the table that ships with the package: model name to price."""
    rows = json.loads(files("cascade").joinpath("prices.json").read_text("utf-8"))
    return {
        row["model"]: Price(
            input_usd=Decimal(row["input_usd"]),
            output_usd=Decimal(row["output_usd"]),
            cached_usd=Decimal(row["cached_usd"]) if row.get("cached_usd") else None,
            as_of=date.fromisoformat(row["as_of"]),
            source=row["source"],
        )
        for row in rows
    }
