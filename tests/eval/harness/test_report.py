"""Reports as Markdown and as a page."""

import pytest

from eval.harness.report import Chart, Report, Series, Table, as_html, as_markdown


def test_the_page_is_self_contained_and_escapes_what_it_is_given() -> None:
    chart = Chart(
        title="Curve", x="x", y="y", lines=[Series(name="<b>", points=[(1, 0.5), (1_000_000, 1.0)])], log_x=True
    )
    table = Table("a|b", title="T")
    table.add_row("<script>")
    with pytest.raises(ValueError, match="2 cells for 1 columns"):
        table.add_row("1", "2")
    report = Report(title="R & D", figures={}, tables=[table], charts=[chart], notes=["careful"])
    page = as_html(report, facts={"data": "x.json"})
    assert "<svg" in page
    assert "&lt;script&gt;" in page
    assert "<script>" not in page
    assert "http" not in page
    assert "1M" in page
    assert "a\\|b" in as_markdown(report, facts={})
