"""On how many examples a law is tried: a tenth in `make test-fast`, which takes Hypothesis's profile "quick"."""

from collections.abc import Collection

from hypothesis import HealthCheck, settings

__all__ = ["QUICK", "tried_on"]

QUICK = "quick"
_LEAST = 5


def tried_on(examples: int, *, suppress_health_check: Collection[HealthCheck] = ()) -> settings:
    """Return the settings of a law that is tried on so many examples in `make test`."""
    quick = settings.get_current_profile_name() == QUICK
    return settings(
        max_examples=max(examples // 10, _LEAST) if quick else examples,
        deadline=None,
        suppress_health_check=suppress_health_check,
    )
