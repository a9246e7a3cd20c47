"""Driving SWE-bench's official harness, where it can run; and saying exactly what is missing where it cannot.

The harness is a package of its own with Docker images: it is called in an environment that the user names, never imported. Before
any figure is believed the gold patches of some instances must resolve there: a grader without a network has scored them 0.
"""

import json
import platform
import shutil
import subprocess
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

from eval.errors import Unusable

__all__ = ["Resolved", "missing", "run_harness"]

_DISK_GB = 120
_CHECK_S = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """What the harness said: how many of how many instances are resolved, and where its report is."""

    resolved: int
    n: int
    report: Path


def missing(python: Path, *, folder: Path) -> list[str]:
    """List what the harness needs and has not got here, each with how to mend it; empty if it can run."""
    found: list[str] = []
    docker = shutil.which("docker")
    if docker is None:
        found.append("docker is not installed: the harness runs every test in an image; install Docker Engine")
    elif not _succeeds(docker, "info"):
        found.append("the Docker daemon does not answer `docker info`: start it, or join the group `docker`")
    if not python.exists():
        found.append(
            f"{python} is not there: make an environment and `pip install swebench` in it, then give its python"
        )
    elif not _succeeds(str(python), "-c", "import swebench"):
        found.append(f"{python} has no swebench: `{python} -m pip install swebench`")
    if platform.machine() not in {"x86_64", "AMD64"}:
        found.append(f"this machine is {platform.machine()}: the official images are for x86_64")
    free_gb = shutil.disk_usage(folder).free // 10**9
    if free_gb < _DISK_GB:
        found.append(f"{free_gb} GB are free in {folder}: the images take about {_DISK_GB} GB")
    return found


def run_harness(
    python: Path, predictions: Path, *, dataset: str, folder: Path, workers: int = 4, gold: int = 1
) -> Resolved:
    """Resolve `gold` gold patches first, then the predictions. Raises Unusable for what is missing, or if gold fails."""
    lacking = missing(python, folder=folder)
    if lacking:
        raise Unusable("the harness cannot run here: " + "; ".join(lacking))
    ids = [json.loads(line)["instance_id"] for line in predictions.read_text("utf-8").splitlines() if line.strip()]
    sample = ids[:gold]
    # A fresh id each time: under an old one the harness would answer from its notes, whatever this machine can do now.
    proved = _run(
        python, "gold", f"tirtha-gold-{uuid4().hex[:12]}", dataset=dataset, folder=folder, workers=workers, ids=sample
    )
    if proved.resolved < len(sample):
        raise Unusable(
            f"the gold patch of {', '.join(sample)} does not resolve here ({proved.report}): no figure would mean anything"
        )
    # The harness keeps results by run id and instance, whatever the patch: the id names the patches.
    run_id = f"tirtha-{sha256(predictions.read_bytes()).hexdigest()[:12]}"
    return _run(python, str(predictions.absolute()), run_id, dataset=dataset, folder=folder, workers=workers, ids=ids)


def _succeeds(*command: str) -> bool:
    try:
        return not subprocess.run(command, capture_output=True, check=False, timeout=_CHECK_S).returncode  # noqa: S603
    except subprocess.TimeoutExpired:
        return False


def _run(  # noqa: PLR0913 - what the harness takes
    python: Path, predictions: str, run_id: str, *, dataset: str, folder: Path, workers: int, ids: list[str]
) -> Resolved:
    command = [
        str(python.absolute()), "-m", "swebench.harness.run_evaluation", "--dataset_name", dataset,
        "--predictions_path", predictions,
        "--run_id", run_id, "--max_workers", str(workers), "--instance_ids", *ids,
    ]  # fmt: skip
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603
    reports = sorted(folder.glob(f"*.{run_id}.json"), key=lambda file: file.stat().st_mtime)
    if done.returncode or not reports:
        raise Unusable(f"the harness failed ({done.returncode}): {(done.stderr or done.stdout)[-800:]}")
    said = json.loads(reports[-1].read_text("utf-8"))
    return Resolved(resolved=int(said["resolved_instances"]), n=len(ids), report=reports[-1])
