"""Why a file is not imported at all. Each is raised before anything is stored.

ImportFault
├── Unreadable      the file, or a member of it, is broken or no JSON; says where
├── ArchiveRefused  the archive could harm: a bomb, a path out of it, a link, a name twice
├── NotRecognised   no importer knows the file
└── Ambiguous       the file can be meant in more than one way; carries the question to ask
"""

from collections.abc import Sequence

from tirtha.errors import FaceFault

__all__ = ["Ambiguous", "ArchiveRefused", "ImportFault", "NotRecognised", "Unreadable"]


class ImportFault(FaceFault):
    """The root of what importing refuses; nothing was stored."""


class Unreadable(ImportFault):
    """What stands at `at` in the file cannot be read, for the reason `why`."""

    def __init__(self, *, at: str, why: str) -> None:
        self.at = at
        self.why = why
        super().__init__(f"{at}: {why}")


class ArchiveRefused(ImportFault):
    """The archive is not opened because of its member `member` (or as a whole, where that is empty)."""

    def __init__(self, *, member: str, why: str) -> None:
        self.member = member
        self.why = why
        super().__init__(f"the archive is refused: {f'{member!r} ' if member else 'it '}{why}")


class NotRecognised(ImportFault):
    """No importer recognises the file; `found` says what is in it, `known` are the formats there are."""

    def __init__(self, *, found: str, known: Sequence[str]) -> None:
        self.found = found
        self.known = tuple(known)
        super().__init__(f"{found} is no export that is known; known are {', '.join(self.known)}")


class Ambiguous(ImportFault):
    """`question` must be answered with the parameter `parameter`; `choices` are answers that would do, if they can be listed."""

    def __init__(self, *, parameter: str, question: str, choices: Sequence[str] = ()) -> None:
        self.parameter = parameter
        self.question = question
        self.choices = tuple(choices)
        super().__init__(question)
