"""Exports of other products, read as conversations: from a file to turns that memory can keep.

`archive` opens a file and what is in it, `documents` and `json_text` read JSON of any length, `formats/` has a module a product,
and `reading` finds out which it is. It stores nothing, and knows no tenant, no server and no memory.
"""

from tirtha.importers.archive import ArchiveLimits, SourceFile, documents_of
from tirtha.importers.errors import Ambiguous, ArchiveRefused, ImportFault, NotRecognised, Unreadable
from tirtha.importers.model import Conversation, ImportOptions, LeftOut, Skipped
from tirtha.importers.reading import IMPORTERS, read_export, recognise

__all__ = [
    "IMPORTERS",
    "Ambiguous",
    "ArchiveLimits",
    "ArchiveRefused",
    "Conversation",
    "ImportFault",
    "ImportOptions",
    "LeftOut",
    "NotRecognised",
    "Skipped",
    "SourceFile",
    "Unreadable",
    "documents_of",
    "read_export",
    "recognise",
]
