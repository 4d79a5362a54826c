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
# Draws of a block: the weights of all units, as the numbers a product needs, stay within 4 MB.
_BLOCK = 250
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
    """Return how often each unit is drawn in each draw, (blocks, units, draws of a block).

    The number of draws is rounded up to whole blocks of 250.
    """
    import numpy as np
    from scipy.special import pdtr

    # The inverse of Poisson's distribution function at the middles of 65,536 equal steps.
    steps = (np.arange(65536) + 0.5) / 65536
    table = np.searchsorted(pdtr(np.arange(16), 1.0), steps).astype(np.uint8)
    random = np.random.default_rng([seed, draws])
    cuts = np.searchsorted(table, np.arange(1, int(table[-1]) + 1))
    shape = (-(-draws // _BLOCK), units, _BLOCK)
    found = np.zeros(shape, np.uint8)
    flat = found.reshape(-1)
    for start in range(0, len(flat), _CELLS):
        part = flat[start : start + _CELLS]
        # Four draws of 16 bits a number, and a step of the table for every cut they reach.
        bits = random.integers(0, 2**64, -(-len(part) // 4), np.uint64).astype("<u8")
        cells = bits.view("<u2")[: len(part)]
        for cut in cuts:
            part += cells >= np.uint16(cut)
    return found


def drawn_sums(
    rows: npt.NDArray[np.integer[Any]], values: Floats, drawn: npt.NDArray[np.uint8]
) -> Floats:
    """Return the sums of every draw, (columns, draws).

    Args:
        rows: The unit of each row that is summed up, without repetition.
        values: Sums of each unit, (columns, rows).
        drawn: What `weights` returned.
    """
    import numpy as np

    blocks, units, size = drawn.shape
    found = np.empty((len(values), blocks * size), np.float32)
    columns = np.ascontiguousarray(values, np.float32)
    for at, block in enumerate(drawn):
        taken = block if len(rows) == units else block[rows]
        found[:, at * size : (at + 1) * size] = columns @ taken.astype(np.float32)
    return found


def acceleration(influence: Floats) -> float:
    """Return the constant by which BCa corrects for a figure's skewness.

    With influences in the place of a jackknife: Efron and Tibshirani (1993), "An Introduction to
    the Bootstrap", chapter 22.

    Args:
        influence: What each unit adds to the figure at the margin.
    """
    squares = influence * influence
    spread = float(squares.sum())
    return float(squares @ influence) / (6 * spread**1.5) if spread > 0 else float("nan")


def bca_quantiles(
    draws: Floats, at: Sequence[float], values: Floats, skew: Floats
) -> npt.NDArray[np.float64]:
    """Return ends of intervals, corrected for the draws' bias and the figures' skewness.

    Efron (1987), "Better bootstrap confidence intervals". A figure whose value lies outside of its
    draws, or that nothing moves, has plain quantiles.

    Args:
        draws: Figures in each draw, (figures, draws); those that are not a number are left out.
        at: The shares of draws below the ends, as 0.025 and 0.975.
        values: The figures themselves, of the same type as the draws.
        skew: Their `acceleration`.

    Returns:
        (figures, ends); not a number where there is no draw.
    """
    import numpy as np
    from scipy.special import ndtr, ndtri

    ranked = np.sort(draws, axis=1)
    # What is not a number is sorted last.
    known = ranked.shape[1] - np.count_nonzero(np.isnan(ranked), axis=1)
    pairs = list(zip(ranked, values, known, strict=True))
    below = np.array([row[:n].searchsorted(value, "left") for row, value, n in pairs])
    up_to = np.array([row[:n].searchsorted(value, "right") for row, value, n in pairs])
    share = (below + up_to) / 2 / np.maximum(known, 1)
    levels = np.broadcast_to(np.array(at, float), (len(draws), len(at)))
    bent = ((share > 0) & (share < 1) & ~np.isnan(skew))[:, None]
    bias = ndtri(np.where(bent, share[:, None], 0.5))
    moved = bias + ndtri(levels)
    skewed = np.where(bent, skew[:, None], 0.0)
    levels = np.where(bent, ndtr(bias + moved / np.maximum(1 - skewed * moved, 0.1)), levels)
    return _quantiles(ranked, known, levels)


def _quantiles(
    ranked: Floats, known: Ints, levels: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return quantiles of sorted rows between the two nearest draws, as `numpy.quantile` does."""
    import numpy as np

    place = levels * np.maximum(known - 1, 0)[:, None]
    left = np.floor(place).astype(np.int64)
    right = np.minimum(left + 1, np.maximum(known - 1, 0)[:, None])
    low, high = (np.take_along_axis(ranked, at, axis=1).astype(np.float64) for at in (left, right))
    found: npt.NDArray[np.float64] = low + (high - low) * (place - left)
    return found
