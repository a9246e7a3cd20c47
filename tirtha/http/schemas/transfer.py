"""What callers get back of an import: what became of the lines of an export, or of a file of another product."""

from collections.abc import Sequence
from datetime import datetime
from typing import Self

from pydantic import BaseModel

from tirtha.http.schemas.responses import Rejected
from tirtha.importers.fields import clean
from tirtha.operations.moving.importing_files import FileReport
from tirtha.operations.moving.lines import KINDS, LeftOut, Report

__all__ = ["FileImportOut", "ImportOut"]

_LISTED = 1_000


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


class NotStored(BaseModel):
    """Something of a file that should have been stored: where it stands, and why it is not."""

    at: str
    why: str


class FileImportOut(BaseModel):
    """200 of POST /v1/import with a format: what the file is and holds, and what became of it.

    `stored` turns are new (with `dry_run`: would be), `duplicates` are there already. `rejected` could not be read or stored (all
    counted, the first thousand named). `left_out` are messages that are not what was said, by reason.
    """

    format: str
    user_id: str
    conversations: int
    turns: int
    first_said_at: datetime | None
    last_said_at: datetime | None
    titles: list[str]
    stored: int
    duplicates: int
    rejected_count: int
    rejected: list[NotStored]
    left_out: dict[str, int]
    dry_run: bool

    @classmethod
    def of(cls, report: FileReport, *, dry_run: bool) -> Self:
        """Report the import of a file."""
        found, tally = report.survey, report.survey.tally
        rejected = [NotStored(at=clean(one.at), why=one.why) for one in (*found.skipped, *report.rejected)]
        return cls(
            format=found.format,
            user_id=found.user,
            conversations=tally.conversations,
            turns=tally.turns,
            first_said_at=tally.first,
            last_said_at=tally.last,
            titles=tally.titles,
            stored=report.turns.stored.total(),
            duplicates=report.turns.duplicates.total(),
            rejected_count=found.skipped_count + report.turns.rejected_lines,
            rejected=rejected[:_LISTED],
            left_out=dict(sorted(found.left_out.items())),
            dry_run=dry_run,
        )


def _by_line(left_out: Sequence[LeftOut]) -> list[Rejected]:
    in_order = sorted(left_out, key=lambda one: one.line)
    return [Rejected(line=one.line, at=one.at, why=one.why) for one in in_order]
