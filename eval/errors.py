"""What can go wrong in an evaluation because of what it was given; whatever else is raised is a fault of ours."""

__all__ = ["Unusable"]


class Unusable(ValueError):
    """A file, an option or a setting that an evaluation was given cannot be used; the message says which, why, and what to do."""
