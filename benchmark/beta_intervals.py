"""Intervals of shares from the beta distribution, for whole arrays and fractional counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from convsafe.benchmark.intervals import LEVEL

if TYPE_CHECKING:
    from convsafe.benchmark.bootstrap import Floats


class Ends(NamedTuple):
    """The lower and upper ends of intervals."""

    low: Floats
    high: Floats


def exact(events: Floats, n: Floats, level: float = LEVEL) -> Ends:
    """Return the Clopper-Pearson interval of `events / n`.

    On an effective number of trials, which may be fractional, it is that of Korn and Graubard
    (1998), "Confidence intervals for proportions with small expected number of positive counts
    estimated from survey data".

    Args:
        events: At least 0 and at most `n`; any shape.
        n: Trials; with none the interval is [0, 1].
        level: Two-sided confidence in (0, 1).
    """
    return _ends(events, n, (1 - level) / 2, 0.0, 1.0)


def jeffreys(events: Floats, n: Floats, level: float = LEVEL) -> Ends:
    """Return Jeffreys' interval of `events / n`, which reaches 0 without events and 1 without rest.

    Brown, Cai and DasGupta (2001), "Interval estimation for a binomial proportion". Arguments as
    for `exact`.
    """
    return _ends(events, n, (1 - level) / 2, 0.5, 0.5)


def _ends(events: Floats, n: Floats, tail: float, below: float, above: float) -> Ends:
    """Return beta quantiles, `below` and `above` added to the events of either end."""
    import numpy as np
    from scipy.special import betaincinv

    events = np.clip(events, 0, n)
    rest = n - events
    none, all_ = events <= 0, rest <= 0
    # Where a quantile is not defined its end is known: 0 without events, 1 without rest.
    low = betaincinv(np.where(none, 1, events + below), np.where(none, 1, rest + 1 - below), tail)
    high = betaincinv(
        np.where(all_, 1, events + above), np.where(all_, 1, rest + 1 - above), 1 - tail
    )
    return Ends(np.where(none, 0.0, low), np.where(all_, 1.0, high))
