"""What can go wrong in compaction.

CompactionFault
├── BudgetTooSmall   not even one trimmed line fits
├── WindowTooSmall   the raw history cannot fit what the solver takes
└── TableDamaged     the token table is not the one that was shipped
"""

__all__ = ["BudgetTooSmall", "CompactionFault", "TableDamaged", "WindowTooSmall"]


class CompactionFault(Exception):
    """The root of this package's errors."""


class BudgetTooSmall(CompactionFault):
    """The budget holds not even the shortest line; `needed` tokens would."""

    def __init__(self, *, budget: int, needed: int) -> None:
        self.budget = budget
        self.needed = needed
        super().__init__(f"a budget of {budget} tokens holds no line of evidence; the shortest takes {needed}")


class WindowTooSmall(CompactionFault):
    """The window holds not even the newest turn; `needed` tokens would."""

    def __init__(self, *, limit: int, needed: int) -> None:
        self.limit = limit
        self.needed = needed
        super().__init__(f"a window of {limit} tokens does not hold the newest turn, which takes {needed}")


class TableDamaged(CompactionFault):
    """The token table is not the one that was shipped."""

    def __init__(self) -> None:
        super().__init__("the shipped token table o200k_base.tiktoken.xz is damaged; install the package again")
