"""A report: figures for machines, tables and charts for people; the same content on the console, as Markdown and as one HTML page.

Knows no benchmark. The page is self-contained: its charts are drawn as SVG by the template, nothing is fetched.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from rich.table import Table as RichTable

__all__ = ["Chart", "Json", "Report", "Series", "Table", "as_html", "as_markdown", "for_console"]

Json = str | int | float | bool | None | Sequence["Json"] | Mapping[str, "Json"]

_WIDTH, _HEIGHT, _LEFT, _TOP, _RIGHT, _BOTTOM = 640, 320, 56, 14, 170, 42
_COLOURS = ("#2563eb", "#dc2626", "#059669", "#d97706", "#7c3aed", "#0891b2", "#475569")
_TICKS = 5


class Table:
    """Rows of text under column names. `caption` says what the figures rest on."""

    def __init__(self, *columns: str, title: str = "", caption: str = "") -> None:
        self.columns = columns
        self.title = title
        self.caption = caption
        self.rows: list[tuple[str, ...]] = []

    def add_row(self, *cells: str) -> None:
        """Add a row. Raises ValueError unless it has a cell for every column."""
        if len(cells) != len(self.columns):
            raise ValueError(f"{len(cells)} cells for {len(self.columns)} columns")
        self.rows.append(cells)


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A named row of points `(x, y)`."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Lines over two axes. `dots` leaves the points unconnected; `log_x` spaces x by its logarithm; `diagonal` draws y = x."""

    title: str
    x: str
    y: str
    lines: Sequence[Series]
    dots: bool = False
    log_x: bool = False
    diagonal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What follows from the samples of a run.

    `notes` are sentences that a reader must know before the figures; `files` are what official scorers take, by file name.
    """

    title: str
    figures: Mapping[str, Json]
    tables: Sequence[Table]
    charts: Sequence[Chart] = ()
    notes: Sequence[str] = ()
    files: Mapping[str, str] = field(default_factory=dict)


def for_console(table: Table) -> RichTable:
    """Lay a table out for the console."""
    laid = RichTable(*table.columns, title=table.title or None, caption=table.caption or None)
    for row in table.rows:
        laid.add_row(*row)
    return laid


def as_markdown(report: Report, *, facts: Mapping[str, str]) -> str:
    """Write a report as Markdown; `facts` say what was run."""
    parts = [f"# {report.title}", *(f"> {note}" for note in report.notes)]
    parts.append("\n".join(f"- {name}: {value}" for name, value in facts.items()))
    parts += [_markdown_table(table) for table in report.tables]
    return "\n\n".join(parts) + "\n"


def as_html(report: Report, *, facts: Mapping[str, str]) -> str:
    """Write a report as one HTML page."""
    environment = Environment(
        loader=PackageLoader("eval.harness", "templates"), autoescape=select_autoescape(), undefined=StrictUndefined
    )
    charts = [_drawn(chart) for chart in report.charts if any(line.points for line in chart.lines)]
    return environment.get_template("report.html").render(report=report, facts=facts, charts=charts)


def _markdown_table(table: Table) -> str:
    rows = [table.columns, ["---"] * len(table.columns), *table.rows]
    lines = ["| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |" for row in rows]
    heading = [f"## {table.title}"] if table.title else []
    return "\n\n".join([*heading, "\n".join(lines), *([table.caption] if table.caption else [])])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scale:
    """Maps values to pixels, evenly or by their logarithm."""

    low: float
    high: float
    start: float
    stop: float
    log: bool = False

    def __call__(self, value: float) -> float:
        low, high, at = (math.log(v) if self.log else v for v in (self.low, self.high, value))
        share = (at - low) / (high - low) if high > low else 0.5
        return round(self.start + share * (self.stop - self.start), 1)

    def ticks(self) -> list[float]:
        """Return round values to mark."""
        if self.log:
            return [
                10**power for power in range(math.ceil(math.log10(self.low)), math.floor(math.log10(self.high)) + 1)
            ]
        step = _round_step((self.high - self.low) / _TICKS)
        first = math.ceil(self.low / step)
        return [number * step for number in range(first, math.floor(self.high / step) + 1)]


def _round_step(step: float) -> float:
    power = 10 ** math.floor(math.log10(step)) if step > 0 else 1.0
    return float(next(power * factor for factor in (1, 2, 5, 10) if power * factor >= step))


def _drawn(chart: Chart) -> dict[str, object]:
    """Return what the template draws: axes with ticks in pixels, and each line's points."""
    xs = [x for line in chart.lines for x, _ in line.points]
    ys = [y for line in chart.lines for _, y in line.points]
    shares = all(0 <= y <= 1 for y in ys)
    x_at = _Scale(low=min(xs), high=max(xs), start=_LEFT, stop=_WIDTH - _RIGHT, log=chart.log_x and min(xs) > 0)
    y_at = _Scale(low=0.0, high=1.0 if shares else max(ys) or 1.0, start=_HEIGHT - _BOTTOM, stop=_TOP)
    lines = [
        {
            "name": line.name,
            "colour": _COLOURS[n % len(_COLOURS)],
            "points": [(x_at(x), y_at(y)) for x, y in line.points],
        }
        for n, line in enumerate(chart.lines)
    ]
    return {
        "chart": chart, "lines": lines, "width": _WIDTH, "height": _HEIGHT,
        "left": _LEFT, "right": _WIDTH - _RIGHT, "top": _TOP, "bottom": _HEIGHT - _BOTTOM,
        "x_ticks": [(x_at(value), _short(value)) for value in x_at.ticks()],
        "y_ticks": [(y_at(value), _short(value)) for value in y_at.ticks()],
    }  # fmt: skip


def _short(value: float) -> str:
    for size, unit in ((1_000_000, "M"), (1_000, "k")):
        if abs(value) >= size:
            return f"{value / size:g}{unit}"
    return f"{value:g}"
