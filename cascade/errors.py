"""What can go wrong in the cascade.

CascadeFault
└── UnknownDecision   no such decision for this tenant
"""

__all__ = ["CascadeFault", "UnknownDecision"]


class CascadeFault(Exception):
    """The root of this package's errors."""


class UnknownDecision(CascadeFault):
    """No decision of this id belongs to the tenant; whether another tenant has one is not told."""

    def __init__(self, *, decision_id: str) -> None:
        self.decision_id = decision_id
        super().__init__(f"there is no decision {decision_id!r}")
