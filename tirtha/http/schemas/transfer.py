"""What callers get back of an import: what became of its lines."""

from collections.abc import Sequence
from typing import Self

from pydantic import BaseModel

from tirtha.http.schemas.responses import Rejected
from tirtha.operations.moving.lines import KINDS, LeftOut, Report

__all__ = ["ImportOut"]


class KindOut(BaseModel):
    """What became of the sound lines of one kind."""

    stored: int
    duplicates: int


class ImportOut(BaseModel):
    """200 of POST /v1/import: counts, and the lines left out (all counted, the first thousand of either list named).

    `rejected` lines are at fault or in conflict with what is here; `skipped` ones are sound and of no use here.
    """

    received: int
    stored: int
    duplicates: int
    rejected_lines: int
    rejected: list[Rejected]
    skipped_lines: int
    skipped: list[Rejected]
    turns: KindOut
    decisions: KindOut
    answers: KindOut
    dry_run: bool

    @classmethod
    def of(cls, report: Report, *, dry_run: bool) -> Self:
        """Report an import."""
        turns, decisions, answers = (
            KindOut(stored=report.stored[kind], duplicates=report.duplicates[kind]) for kind in KINDS
        )
        return cls(
            received=report.received,
            stored=report.stored.total(),
            duplicates=report.duplicates.total(),
            rejected_lines=report.rejected_lines,
            rejected=_by_line(report.rejected),
            skipped_lines=report.skipped_lines,
            skipped=_by_line(report.skipped),
            turns=turns,
            decisions=decisions,
            answers=answers,
            dry_run=dry_run,
        )


def _by_line(left_out: Sequence[LeftOut]) -> list[Rejected]:
    in_order = sorted(left_out, key=lambda one: one.line)
    return [Rejected(line=one.line, at=one.at, why=one.why) for one in in_order]
