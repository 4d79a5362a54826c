"""Cluster bootstrap of ratios of sums, for thousands of figures at once.

Clusters are drawn by giving each an independent Poisson(1) weight (Hanley and MacGibbon, 2006,
"Creating non-parametric bootstrap samples using Poisson frequencies"; Chamandy et al., 2012,
"Estimating uncertainty for massive data streams"). Weights are drawn once for all figures, so that
a draw is the same resampled suite in each of them, and a figure costs one product of matrices.
Above `UNITS` clusters, clusters are dealt at random into that many bags and bags are drawn: the
variance of a sum stays the same in expectation, and the error of its estimate is 1 in 90.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.floating[Any]]
    Ints = npt.NDArray[np.integer[Any]]

DRAWS, SEED = 10_000, 20261127
UNITS = 4096
# Draws worked on at a time: a block of weights stays within 16 MB.
_BLOCK = 1000
# Weights drawn at a time, which a core's own cache holds; a multiple of 4.
_CELLS = 1 << 17


def units_of(clusters: int, *, seed: int = SEED) -> Ints:
    """Return the unit that each of so many clusters is drawn with, counted from 0."""
    import numpy as np

    if clusters <= UNITS:
        return np.arange(clusters, dtype=np.int32)
    order = np.random.default_rng([seed, clusters]).permutation(clusters)
    return (order % UNITS).astype(np.int32)


@lru_cache(maxsize=2)
def weights(units: int, draws: int = DRAWS, seed: int = SEED) -> npt.NDArray[np.uint8]:
    """Return how often each unit is drawn in each draw, (units, draws)."""
    import numpy as np
    from scipy.special import pdtr

    # The inverse of Poisson's distribution function at the middles of 65,536 equal steps.
    steps = (np.arange(65536) + 0.5) / 65536
    table = np.searchsorted(pdtr(np.arange(16), 1.0), steps).astype(np.uint8)
    random = np.random.default_rng([seed, draws])
    cuts = np.searchsorted(table, np.arange(1, int(table[-1]) + 1))
    found = np.zeros(units * draws, np.uint8)
    for start in range(0, len(found), _CELLS):
        part = found[start : start + _CELLS]
        # Four draws of 16 bits a number, and a step of the table for every cut they reach.
        bits = random.integers(0, 2**64, -(-len(part) // 4), np.uint64).astype("<u8")
        cells = bits.view("<u2")[: len(part)]
        for cut in cuts:
            part += cells >= np.uint16(cut)
    return found.reshape(units, draws)


def drawn_sums(
    rows: npt.NDArray[np.integer[Any]], values: Floats, drawn: npt.NDArray[np.uint8]
) -> Floats:
    """Return the sums of every draw, (columns, draws).

    Args:
        rows: The unit of each row of `values`, without repetition.
        values: Sums of each unit, (rows, columns).
        drawn: What `weights` returned.
    """
    import numpy as np

    found = np.empty((values.shape[1], drawn.shape[1]), np.float32)
    columns = np.ascontiguousarray(values.T, np.float32)
    for start in range(0, drawn.shape[1], _BLOCK):
        block = drawn[rows, start : start + _BLOCK].astype(np.float32)
        found[:, start : start + _BLOCK] = columns @ block
    return found


def bca_quantiles(
    draws: Floats, at: Sequence[float], value: float, influence: Floats
) -> list[float]:
    """Return ends of an interval, corrected for the draws' bias and the figure's skewness.

    Efron (1987), "Better bootstrap confidence intervals"; with influences in the place of a
    jackknife, Efron and Tibshirani (1993), "An Introduction to the Bootstrap", chapter 22.

    Args:
        draws: The figure in each draw.
        at: The shares of draws below the ends, as 0.025 and 0.975.
        value: The figure itself.
        influence: What each unit adds to it at the margin.
    """
    import numpy as np
    from scipy.special import ndtr, ndtri

    levels = np.array(at, float)
    below = (np.count_nonzero(draws < value) + np.count_nonzero(draws <= value)) / 2 / len(draws)
    squares = influence * influence
    spread = float(squares.sum())
    if 0 < below < 1 and spread > 0:
        skew = float(squares @ influence) / (6 * spread**1.5)
        moved = ndtri(below) + ndtri(levels)
        levels = ndtr(ndtri(below) + moved / np.maximum(1 - skew * moved, 0.1))
    return [float(end) for end in np.quantile(draws, levels)]
