"""`make lint` fails for a known hole in a dependency, and for nothing that pip-audit cannot find out."""

import json
from typing import Any

import pytest

from tests.support.dependency_audit import read_report

SOUND: dict[str, Any] = {"name": "idna", "version": "3.20", "vulns": []}
UNKNOWN = {"name": "torch", "skip_reason": "Dependency not found on PyPI and could not be audited: torch (2.13.0)"}
HOLED: dict[str, Any] = {
    "name": "old",
    "version": "1.0",
    "vulns": [{"id": "PYSEC-2026-1", "fix_versions": ["1.1"], "aliases": [], "description": "bad"}],
}


def report(*packages: dict[str, Any]) -> str:
    return json.dumps({"dependencies": packages, "fixes": []})


def test_a_hole_is_named_with_what_mends_it() -> None:
    holed, described = read_report(report(SOUND, HOLED, UNKNOWN))
    assert holed
    assert "old 1.0: PYSEC-2026-1, mended in 1.1" in described
    assert "2 dependencies audited, 1 that the index does not know: 1 known holes" in described


def test_none_is_well() -> None:
    assert read_report(report(SOUND)) == (False, "1 dependencies audited: 0 known holes")


@pytest.mark.parametrize("cannot", ["", "ERROR: connection refused", "[]", "null", report(), report(UNKNOWN)])
def test_who_cannot_be_asked_is_no_hole_and_no_clean_bill(cannot: str) -> None:
    holed, described = read_report(cannot)
    assert not holed
    assert "are not audited" in described
