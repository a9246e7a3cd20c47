"""From the phrases of a vocabulary to patterns, and from what they matched to numbers, units and weekdays."""

import re

from language.vocabularies.vocabulary import Unit, Vocabulary

__all__ = ["NEVER", "Compiled"]

NEVER = "(?!)"
_DIGITS = r"(?<![\d.,])[0-9０-９]{1,3}(?![\d.,]?\d)"


class Compiled:
    """The patterns of one vocabulary. Words end where letters end, but in scripts without spaces."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._start, self._end = (r"(?<![\w-])", r"(?![\w-])") if vocabulary.spaced else ("", "")
        numbers = {word: n for said, n in vocabulary.numbers.items() for word in said.split("|")}
        number = "|".join(sorted(numbers, key=len, reverse=True))  # of two that fit, the longer
        unit = "|".join(vocabulary.units)
        gap = vocabulary.gap.replace(" ", r"\s+")
        whole = "|".join(vocabulary.counts) or NEVER
        self._parts = {
            "{count}": f"(?:(?:{_DIGITS}|{number}){gap}(?:{unit})|{whole})",
            "{number}": f"(?:{number})",
            "{day}": f"(?:{'|'.join(vocabulary.weekdays)})",
            "{today}": f"(?:{vocabulary.today})",
            "{month}": f"(?P<month>1[0-2]|[1-9]|{number})",
            "{season}": f"(?:{'|'.join(vocabulary.seasons) or NEVER})",
            "{month_name}": f"(?P<month_name>{'|'.join(vocabulary.month_names) or NEVER})",
            "{year}": r"(?P<year>(?:19|20|21)\d\d)",
            "{date}": f"(?P<date>3[01]|[12][0-9]|[1-9]|{number})",
        }
        self._count = self.phrase(f"(?P<number>{_DIGITS}|{number}){gap}(?P<unit>{unit})")
        self._numbers = [(re.compile(said), n) for said, n in numbers.items()]
        self._units = [(re.compile(said), name) for said, name in vocabulary.units.items()]
        self._wholes = [(self.phrase(said), count) for said, count in vocabulary.counts.items()]
        self._weekdays, self._seasons, self._months = (
            [self.phrase(said) for said in names]
            for names in (vocabulary.weekdays, vocabulary.seasons, vocabulary.month_names)
        )

    def phrase(self, said: str) -> re.Pattern[str]:
        """Return the pattern of a phrase; one that matches nothing for ""."""
        return re.compile(f"{self._start}(?:{self._filled(said or NEVER)}){self._end}")

    def right_before(self, said: str) -> re.Pattern[str]:
        """Return the pattern of what ends where a text ends."""
        return re.compile(f"{self._start}(?:{self._filled(said or NEVER)})$")

    def right_after(self, said: str) -> re.Pattern[str]:
        """Return the pattern of what begins where a text begins."""
        return re.compile(f"(?:{self._filled(said or NEVER)}){self._end}")

    def _filled(self, said: str) -> str:
        for name, part in self._parts.items():
            said = said.replace(name, part)
        return said.replace(" ?", r"\s?").replace(" ", r"\s+")

    def number(self, text: str) -> int:
        """Return the value of a number, in digits or words."""
        return int(text) if text.isdigit() else next(n for said, n in self._numbers if said.fullmatch(text))

    def count(self, text: str) -> tuple[int, Unit]:
        """Return the number and the unit that a text holds: "vor zwei Tagen" -> 2, "day"."""
        match = self._count.search(text)
        if match is None:
            return next(count for said, count in self._wholes if said.search(text))
        return self.number(match["number"]), next(name for said, name in self._units if said.fullmatch(match["unit"]))

    def weekday(self, match: re.Match[str]) -> int:
        """Return which weekday a match holds: 0 is Monday."""
        return _which(self._weekdays, match)

    def season(self, match: re.Match[str]) -> int:
        """Return which season a match holds: 0 is spring."""
        return _which(self._seasons, match)

    def month(self, match: re.Match[str]) -> int:
        """Return which month a match holds, by its name or number: 1 is January."""
        said = match.groupdict().get("month")
        return self.number(said) if said else _which(self._months, match) + 1


def _which(names: list[re.Pattern[str]], match: re.Match[str]) -> int:
    return next(i for i, name in enumerate(names) if name.search(match.string, match.start(), match.end()))
