"""The measurement of machine text runs and reports what it promises, on small turns of two kinds."""

import io

import pytest
from rich.console import Console

from eval import machine_text
from eval.harness.machine_text import MACHINE_TEXTS


@pytest.mark.slow
def test_machine_text_is_compared_with_prose(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_text, "MACHINE_TEXTS", {kind: MACHINE_TEXTS[kind] for kind in ("base64", "csv")})
    monkeypatch.setattr(machine_text, "ALONE", 5)
    shown = io.StringIO()
    Console(file=shown, width=200).print(machine_text.machine_text_table(2_000))
    rows = {line.split("│")[1].strip(): line.split("│") for line in shown.getvalue().splitlines() if "│" in line}
    assert set(rows) == {"prose", "base64", "csv"}
    assert [cell.strip() for cell in rows["prose"][3:6]] == ["1.0x", "1.00x", "1.00x"]
    assert all(row[7].strip() == "yes" for row in rows.values()), "what was said beside it is found"
    assert all("(n = " in row[8] for row in rows.values())
