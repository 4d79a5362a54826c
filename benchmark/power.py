"""How small a difference a comparison can show, and how many cases a difference needs."""

from __future__ import annotations

import math
from functools import cache

LEVEL, POWER = 0.95, 0.8


def minimum_detectable(
    error: float, trials: float, *, level: float = LEVEL, power: float = POWER
) -> float:
    """Return the smallest true difference of shares that would be shown with this power.

    `(z_level + z_power) * error` (Bloom, 1995, "Minimum detectable effects"). A difference of d
    needs a share of at least d of the trials to differ, hence a variance of at least
    d (1 - d) / trials: where few differ yet, that bound holds instead.

    Args:
        error: Cluster-robust standard error of the difference.
        trials: What the clusters are worth as independent trials of equal size.
        level: Confidence of the two-sided test.
        power: Chance of showing the difference.
    """
    z2 = _z(level, power) ** 2
    return min(1.0, max(math.sqrt(z2) * error, z2 / (trials + z2)))


def cases_needed(
    difference: float,
    error: float,
    trials: float,
    cases: int,
    *,
    level: float = LEVEL,
    power: float = POWER,
) -> int:
    """Return how many cases of this kind, clustered as these, would show a difference.

    Args:
        difference: Of shares, in (0, 1].
        error: Cluster-robust standard error of the difference on the cases there are.
        trials: What their clusters are worth as independent trials of equal size.
        cases: How many cases there are.
        level: Confidence of the two-sided test.
        power: Chance of showing the difference.

    Raises:
        BadInput: If the difference is no share above 0.
    """
    from convsafe.taxonomy.errors import BadInput

    if not 0 < difference <= 1:
        raise BadInput(f"a difference to detect is a share above 0 and at most 1, not {difference}")
    spread = max(error**2 * trials, difference * (1 - difference))
    needed = _z(level, power) ** 2 * spread / difference**2
    return max(1, math.ceil(needed * cases / trials - 1e-9))


def _z(level: float, power: float) -> float:
    return normal_quantile((1 + level) / 2) + normal_quantile(power)


@cache
def normal_quantile(share: float) -> float:
    """Return the standard normal quantile of a share in (0, 1)."""
    from scipy.stats import norm

    return float(norm.ppf(share))
