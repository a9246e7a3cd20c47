"""A file read as what it is: which product made it, whose conversations it holds, and these one by one.

What cannot be decided is a question to the person who imports, never a guess.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from tirtha.importers.errors import Ambiguous, NotRecognised, Unreadable
from tirtha.importers.formats.chatgpt import ChatGpt
from tirtha.importers.formats.claude import Claude
from tirtha.importers.formats.claude_code import ClaudeCode
from tirtha.importers.formats.codex import Codex
from tirtha.importers.formats.jsonl import PlainLines
from tirtha.importers.formats.librechat import LibreChat
from tirtha.importers.formats.locomo import LoCoMo
from tirtha.importers.formats.longmemeval import LongMemEval
from tirtha.importers.formats.mem0 import Mem0
from tirtha.importers.formats.open_webui import OpenWebUi
from tirtha.importers.model import Document, Importer, ImportOptions, Read, Record, Skipped

__all__ = ["IMPORTERS", "Export", "read_export", "recognise"]

IMPORTERS: tuple[Importer, ...] = (
    ChatGpt(),
    Claude(),
    ClaudeCode(),
    Codex(),
    OpenWebUi(),
    LibreChat(),
    Mem0(),
    PlainLines(),
    LoCoMo(),
    LongMemEval(),
)
_SAMPLE = 50  # records: a session of Claude Code begins with a few that show nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """A file of one product: who reads it, the documents that hold its conversations, and those that could not be read."""

    importer: Importer
    documents: Sequence[Document]
    skipped: Sequence[Skipped]


def recognise(documents: Sequence[Document], wanted: str | None = None) -> Export:
    """Find out which product made some documents; `wanted` names it where it is known.

    Raises:
        NotRecognised: none of them is of a product that is known, or of the one that is wanted.
        Ambiguous: they are of several products, and none is wanted.
        Unreadable: the only document is no JSON.
    """
    held: dict[str, list[Document]] = {}
    skipped: list[Skipped] = []
    for document in documents:
        try:
            names = _recognised(document)
        except Unreadable as fault:
            if len(documents) == 1:
                raise
            skipped.append(Skipped(at=fault.at, why=fault.why))
            continue
        for name in names:
            held.setdefault(name, []).append(document)
    if not held or (wanted and wanted not in held):
        raise NotRecognised(found=_found(documents, held), known=[one.name for one in IMPORTERS])
    if not wanted and len(held) > 1:
        raise Ambiguous(
            parameter="format",
            question=f"The file can be read as {' and as '.join(held)}. Which of them is meant?",
            choices=[*held],
        )
    chosen = wanted or next(iter(held))
    [importer] = [one for one in IMPORTERS if one.name == chosen]
    return Export(importer=importer, documents=held[chosen], skipped=skipped)


def read_export(export: Export, options: ImportOptions) -> Iterator[Read]:
    """Read the conversations of an export, of all users that it names. Raises Ambiguous, Unreadable, ArchiveRefused."""
    yield from export.skipped
    for document in export.documents:
        yield from export.importer.read(document, options)


def _recognised(document: Document) -> list[str]:
    """Return who recognises the first record of a document that anybody recognises."""
    for record in islice(document.records(), _SAMPLE):
        if isinstance(record, Record):
            names = [one.name for one in IMPORTERS if one.recognise(record.value)]
            if names:
                return names
    return []


def _found(documents: Sequence[Document], held: dict[str, list[Document]]) -> str:
    if held:
        return f"the file is of {' and of '.join(held)}, and"
    return "the file" if len(documents) == 1 else f"the archive, with {len(documents)} JSON files in it,"
