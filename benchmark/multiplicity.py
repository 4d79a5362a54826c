"""Adjust p-values for how many were looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from convsafe.benchmark.intervals import Floats


def holm(p: Floats) -> Floats:
    """Return Holm's adjusted p-values, which bound the chance of a single false one.

    Holm (1979), "A simple sequentially rejective multiple test procedure". It holds whatever the
    dependence between the tests.

    Args:
        p: The family's p-values, shape (tests,), none of them NaN.
    """
    import numpy as np

    order = np.argsort(p, kind="stable")
    steps = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    found = np.empty(len(p))
    found[order] = np.minimum(steps, 1.0)
    return found


def benjamini_hochberg(p: Floats) -> Floats:
    """Return adjusted p-values that bound the expected share of false ones among those shown.

    Benjamini and Hochberg (1995), "Controlling the false discovery rate". It holds for independent
    tests and for positively dependent ones.

    Args:
        p: The family's p-values, shape (tests,), none of them NaN.
    """
    from scipy.stats import false_discovery_control

    found: Floats = false_discovery_control(p, method="bh")
    return found
