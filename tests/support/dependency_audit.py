"""Asks pip-audit for known holes in the versions that constraints.txt pins: `python -m tests.support.dependency_audit`.

Ends with 1 for a hole alone. Where no index can be asked (pip-audit is not installed, no index answers, or it knows none of the
packages) it says so and ends with 0, so that `make lint` never fails for lack of a network.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

__all__ = ["read_report"]

_PINNED = "constraints.txt"
_LONGEST_S = 600
_OPTIONS = ("--no-deps", "--disable-pip", "--progress-spinner", "off", "--timeout", "10", "--format", "json")


def read_report(report: str) -> tuple[bool, str]:
    """Return whether a report of pip-audit's names a hole, and what is to be said of it."""
    try:
        packages: list[dict[str, Any]] = json.loads(report)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return False, "no index answers, so that dependencies are not audited"
    audited = [one for one in packages if "vulns" in one]
    if not audited:
        return False, "the index that answers knows of no holes in anything, so that dependencies are not audited"
    holes = [_described(one, hole) for one in audited for hole in one["vulns"]]
    skipped = f", {len(packages) - len(audited)} that the index does not know" if len(audited) < len(packages) else ""
    return bool(holes), "\n".join([*holes, f"{len(audited)} dependencies audited{skipped}: {len(holes)} known holes"])


def _described(package: dict[str, Any], hole: dict[str, Any]) -> str:
    mended = ", ".join(hole.get("fix_versions") or ()) or "no version yet"
    return f"{package['name']} {package['version']}: {hole['id']}, mended in {mended}"


def _report(pinned: str) -> str | None:
    """Return what pip-audit says; None if it is not installed."""
    command = [str(Path(sys.executable).with_name("pip-audit")), "--requirement", pinned, *_OPTIONS]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=_LONGEST_S).stdout
    except FileNotFoundError:
        return None
    except subprocess.TimeoutExpired:
        return ""


def _main() -> int:
    report = _report(sys.argv[1] if len(sys.argv) > 1 else _PINNED)
    holed, described = read_report(report) if report is not None else (False, "pip-audit is not installed")
    print(f"pip-audit: {described}")  # noqa: T201 - for the person who runs `make lint`
    return int(holed)


if __name__ == "__main__":
    sys.exit(_main())
