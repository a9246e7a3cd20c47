"""What can go wrong in compaction; both are the caller's to fix.

CompactionFault
├── BudgetTooSmall   not even one trimmed line fits
└── WindowTooSmall   the raw history cannot fit what the solver takes
"""

__all__ = ["BudgetTooSmall", "CompactionFault", "WindowTooSmall"]


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
