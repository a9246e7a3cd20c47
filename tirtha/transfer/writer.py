"""Writing an export: the header, a line for each thing that is kept, and the trailer, as blocks of bytes."""

from collections.abc import Generator
from contextlib import closing

from tirtha.operations.moving.lines import Held, Kind, kind_of
from tirtha.transfer.envelope import Checksum, Header, Trailer
from tirtha.transfer.records import line_of

__all__ = ["export_blocks"]

_BLOCK_BYTES = 65_536


def export_blocks(header: Header, kept: Generator[Held]) -> Generator[bytes]:
    """Yield an export in blocks of some 64 kB. Raises what reading `kept` raises; an export that broke off has no trailer."""
    block, checksum = bytearray(header.line()), Checksum()
    counts: dict[Kind, int] = {"turn": 0, "decision": 0, "answer": 0}
    with closing(kept):
        for held in kept:
            line = line_of(held)
            checksum.add(line)
            counts[kind_of(held.item)] += 1
            block += line
            block += b"\n"
            if len(block) >= _BLOCK_BYTES:
                yield bytes(block)
                block.clear()
    yield bytes(block + Trailer(counts=counts, sha256=checksum.sha256).line())
