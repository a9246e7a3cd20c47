"""Archives of thousands of conversations are read in memory that holds one of them."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.tirtha.importers.archives import write_archive

_READ = """
import resource, sys
from pathlib import Path
from tirtha.importers import ArchiveLimits, ImportOptions, SourceFile, documents_of, recognise
from tirtha.importers.survey import survey, turns_of
path = Path(sys.argv[1])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
file = SourceFile(name=path.name, opened=lambda: path.open("rb"), folder=path.parent)
with documents_of(file, ArchiveLimits(unpacked_bytes=2**40)) as documents:
    export, options = recognise(documents), ImportOptions(user="u")
    found = survey(export, options)
    turns = sum(1 for _ in turns_of(export, options, found))
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
others = found.left_out["in another branch: edited or regenerated"]
print(found.tally.conversations, found.tally.turns, turns, others, after - before)
"""
_MOST_MORE_KB = 48_000


def read_in_a_process(file: Path) -> tuple[int, int, int, int, int]:
    """Read an archive twice, as an import does; returns conversations, turns, turns again, other branches, and memory used."""
    run = subprocess.run([sys.executable, "-c", _READ, str(file)], capture_output=True, text=True, check=True)
    conversations, turns, again, others, used_kb = map(int, run.stdout.split())
    return conversations, turns, again, others, used_kb


def test_two_hundred_conversations_are_read_in_little_memory(tmp_path: Path) -> None:
    file = write_archive(tmp_path / "a.zip", 200, turns=10, filler=20)
    *counted, used_kb = read_in_a_process(file)
    assert counted == [200, 2_000, 2_000, 200]
    assert used_kb < _MOST_MORE_KB


@pytest.mark.long
def test_ten_thousand_conversations_are_read_in_little_memory(tmp_path: Path) -> None:
    file = write_archive(tmp_path / "a.zip", 10_000, turns=20, filler=20)
    *counted, used_kb = read_in_a_process(file)
    assert counted == [10_000, 200_000, 200_000, 10_000]
    assert used_kb < _MOST_MORE_KB
