"""What evalplus itself says of programs, for checking our own scorer against it. Runs in an environment that has evalplus.

    python -m eval.code.mutants HumanEvalPlus.jsonl.gz > mutants.jsonl
    pip install evalplus==0.3.1
    python eval/code/evalplus_verdicts.py HumanEvalPlus.jsonl.gz mutants.jsonl > evalplus_verdicts.json

evalplus runs program and expected values in one process and is no sandbox: only give it programs that are known. It is not among
Tirtha's dependencies (79 packages), so this file imports nothing of Tirtha.
"""

import gzip
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any

from evalplus.eval import PASS, untrusted_check
from evalplus.gen.util import trusted_exec

_AT_ONCE = 2


def main(problems: str, programs: str) -> None:
    """Print, by task and by the hash of the program, whether base and plus tests pass: "11", "10" or "00"."""
    with gzip.open(problems, "rt", encoding="utf-8") as lines:
        tasks = {row["task_id"]: row for row in map(json.loads, lines)}
    wanted = [json.loads(line) for line in Path(programs).read_text("utf-8").splitlines()]
    expected = {id_: _expected(tasks[id_]) for id_ in dict.fromkeys(row["task_id"] for row in wanted)}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = list(
            pool.map(lambda row: _verdict(tasks[row["task_id"]], expected[row["task_id"]], row["solution"]), wanted)
        )
    verdicts: dict[str, dict[str, str]] = {}
    for row, verdict in zip(wanted, found, strict=True):
        verdicts.setdefault(row["task_id"], {})[sha256(row["solution"].encode()).hexdigest()[:12]] = verdict
    json.dump(verdicts, sys.stdout, indent=0, sort_keys=True)


def _expected(task: dict[str, Any]) -> dict[str, tuple[list[Any], list[float]]]:
    canonical = task["prompt"] + task["canonical_solution"]
    return {
        part: trusted_exec(canonical, task[f"{part}_input"], task["entry_point"], record_time=True)
        for part in ("base", "plus")
    }


def _verdict(task: dict[str, Any], expected: dict[str, tuple[list[Any], list[float]]], program: str) -> str:
    passed = [
        untrusted_check(
            "humaneval", program, task[f"{part}_input"], task["entry_point"], expected=values, atol=task["atol"],
            ref_time=times, fast_check=True,
        )[0] == PASS
        for part, (values, times) in expected.items()
    ]  # fmt: skip
    return f"{int(passed[0])}{int(all(passed))}"


if __name__ == "__main__":
    main(*sys.argv[1:])
