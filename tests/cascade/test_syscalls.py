"""The numbers of the refused system calls are the kernel's: a wrong one refuses another call and lets this one through."""

import re
from pathlib import Path

import pytest

from cascade.sandbox.inside import syscalls

HEADERS = {  # AArch64 uses the generic table
    "x86_64": ("asm/unistd_64.h", "x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": ("asm-generic/unistd.h",),
}
CLONE = {"x86_64": 56, "aarch64": 220}


def numbers(machine: str) -> dict[str, int]:
    found = [header for name in HEADERS[machine] if (header := Path("/usr/include") / name).exists()]
    if not found:
        pytest.skip("the kernel's headers are not installed")
    return {
        name: int(number)
        for name, number in re.findall(r"#define\s+__NR(?:3264)?_(\w+)\s+(\d+)\b", found[0].read_text("ascii"))
    }


@pytest.mark.parametrize(("machine", "column"), [("x86_64", 0), ("aarch64", 1)])
def test_the_refused_calls_have_the_kernels_numbers(machine: str, column: int) -> None:
    known = numbers(machine)
    refused = {name: row[column] for name, row in syscalls._REFUSED.items()}
    assert refused == {name: known.get(name) for name in refused}
    assert (known["clone"], known["clone3"]) == (CLONE[machine], syscalls._CLONE3)
    assert syscalls._MACHINES[machine][2] == CLONE[machine]
