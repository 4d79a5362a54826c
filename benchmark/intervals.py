"""Confidence intervals of shares, for whole columns at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

LEVEL = 0.95


def wilson(events: Floats, n: Floats, level: Floats | float = LEVEL) -> tuple[Floats, Floats]:
    """Return the Wilson score interval of `events / n`, lower and upper ends.

    Wilson (1927), "Probable inference, the law of succession, and statistical inference".

    Args:
        events: Counts, which may be half-integers; any shape.
        n: Trials, all above 0; the same shape.
        level: Two-sided confidence in (0, 1), of all or of each.
    """
    import numpy as np
    from scipy.special import ndtri

    z2 = ndtri((1 + level) / 2) ** 2
    rate = events / n
    centre = (rate + z2 / (2 * n)) / (1 + z2 / n)
    half = np.sqrt(z2 * (rate * (1 - rate) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    # Rounding must not push the ends past the share itself where all or none are events.
    low = np.where(events <= 0, 0.0, np.clip(centre - half, 0.0, 1.0))
    high = np.where(events >= n, 1.0, np.clip(centre + half, 0.0, 1.0))
    return low, high


def clopper_pearson(
    events: Floats | float, n: Floats | float, level: Floats | float = LEVEL
) -> tuple[Floats, Floats]:
    """Return the exact interval of `events / n`, lower and upper ends.

    Clopper and Pearson (1934), "The use of confidence or fiducial limits illustrated in the case of
    the binomial"; with an effective n, Korn and Graubard (1998), "Confidence intervals for
    proportions with small expected number of positive counts estimated from survey data".

    Args:
        events: At least 0 and at most `n`, which may be fractions; any shape.
        n: Trials, all above 0; the same shape.
        level: Two-sided confidence in (0, 1), of all or of each.
    """
    import numpy as np
    from scipy.special import betaincinv

    events, n = np.asarray(events, float), np.asarray(n, float)
    tail, rest = (1 - level) / 2, n - events
    inside = np.clip(events, 1e-12, None), np.clip(rest, 1e-12, None)
    low = np.where(events <= 0, 0.0, betaincinv(inside[0], rest + 1, tail))
    high = np.where(rest <= 0, 1.0, betaincinv(events + 1, inside[1], 1 - tail))
    return low, high
