"""Which ranks each run may hold: sets that hold all true ranks at once with 95 % confidence.

For every ordered pair the hypothesis "j is no better than k" is tested by max-t step-down over a
cluster bootstrap (Romano and Wolf, 2005, "Exact and approximate stepdown methods for multiple
hypothesis testing"); a run's ranks are what the pairs left leave open (Mogstad, Romano, Shaikh and
Wilhelm, 2024, "Inference for ranks with applications to mobility across neighbourhoods and
academic achievement across countries").
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from convsafe.benchmark.bootstrap import draw_weights
from convsafe.benchmark.intervals import LEVEL

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from convsafe.benchmark.intervals import Floats

DRAWS, SEED = 10_000, 20261127
# Differences held at a time, which a core's own cache holds.
_CELLS = 1 << 16


class RankSet(NamedTuple):
    """The ranks a run may hold, 1 the best."""

    best: int
    worst: int


def rank_sets(
    sums: Floats,
    counts: Floats,
    *,
    higher: bool = True,
    level: float = LEVEL,
    draws: int = DRAWS,
    seed: int = SEED,
) -> list[RankSet]:
    """Return each run's rank set from its events per cluster.

    Args:
        sums: Events, shape (clusters, runs).
        counts: Cases of each cluster, shape (clusters,); all above 0.
        higher: Whether a higher share is better.
        level: Joint confidence of all sets.
        draws: How often to draw the clusters.
        seed: The same seed gives the same sets.
    """
    shares = sums.sum(axis=0) / counts.sum()
    influence = (sums - counts[:, None] * shares) / counts.sum()
    differ = sums[:, :, None] != sums[:, None, :]
    return rank_sets_of(
        shares,
        shares,
        influence,
        differ.sum(axis=0),
        higher=higher,
        level=level,
        draws=draws,
        seed=seed,
    )


def rank_sets_of(
    low: Floats,
    high: Floats,
    influence: Floats,
    differ: npt.NDArray[np.int64],
    *,
    higher: bool = True,
    level: float = LEVEL,
    draws: int = DRAWS,
    seed: int = SEED,
) -> list[RankSet]:
    """Return the rank sets of any figures that are nearly linear in clusters.

    Args:
        low: Each run's figure if its unscored replies are what makes it lowest, shape (runs,).
        high: The same for the highest; equal to `low` where all is scored.
        influence: What each cluster adds to each figure, summing to 0, shape (clusters, runs).
        differ: In how many clusters two runs differ, shape (runs, runs).
        higher: Whether a higher figure is better.
        level: Joint confidence of all sets.
        draws: How often to draw the clusters.
        seed: The same seed gives the same sets.
    """
    import numpy as np

    if not higher:
        low, high, influence = -high, -low, -influence
    runs = len(low)
    first, second = np.nonzero(~np.eye(runs, dtype=bool))
    if not len(first):
        return [RankSet(1, 1)] * runs
    error = _errors(influence, first, second)
    gap = low[first] - high[second]
    # A pair that hardly differs cannot be told apart by any pattern of signs at this level.
    told = (differ[first, second] >= _fewest(runs, level)) & (error > 0)
    sure = (differ[first, second] >= _fewest(runs, level)) & (error == 0) & (gap > 0)
    ratio = np.divide(gap, error, out=np.full(len(gap), -np.inf), where=told)
    ratio[sure] = np.inf
    figures = np.concatenate(
        [drawn @ influence for drawn in draw_weights(len(influence), len(influence), draws, seed)]
    )
    # A pair that hardly differs sets no bar for others.
    pairs = _Pairs(first, second, np.where(told, error, np.inf))
    better = _step_down(ratio, figures, pairs, level, len(influence) - 1)
    wins = np.bincount(first[better], minlength=runs)
    losses = np.bincount(second[better], minlength=runs)
    return [RankSet(int(1 + lost), int(runs - won)) for won, lost in zip(wins, losses, strict=True)]


def _fewest(runs: int, level: float) -> int:
    """Return from how many clusters on signs alone could tell one of all pairs apart."""
    pairs = runs * (runs - 1) // 2
    return math.ceil(1 + math.log2(pairs / (1 - level)))


def _errors(
    influence: Floats, first: npt.NDArray[np.int64], second: npt.NDArray[np.int64]
) -> Floats:
    """Return the cluster-robust standard error of each ordered pair's difference."""
    import numpy as np

    clusters = len(influence)
    gram = influence.T @ influence
    squares = np.diag(gram)
    variance = squares[first] + squares[second] - 2 * gram[first, second]
    # What is left of equal columns after rounding is no variance.
    variance[variance < 1e-12 * (squares[first] + squares[second])] = 0.0
    found: Floats = np.sqrt(variance * clusters / max(clusters - 1, 1))
    return found


class _Pairs(NamedTuple):
    """Ordered pairs of runs with the standard error of each difference, shape (pairs,) each."""

    first: npt.NDArray[np.int64]
    second: npt.NDArray[np.int64]
    error: Floats


def _highest(figures: Floats, pairs: _Pairs) -> Floats:
    """Return the largest studentised difference of every draw, as if all true ones were 0.

    It is 0 at least: what is no pair counts as no difference, and a bar is never that low.
    """
    import numpy as np

    runs = figures.shape[1]
    error = np.full((runs, runs), np.inf)
    error[pairs.first, pairs.second] = pairs.error
    step = max(1, _CELLS // runs)
    found = np.zeros(len(figures))
    for start in range(0, len(figures), step):
        part = np.ascontiguousarray(figures[start : start + step].T)
        highest = found[start : start + step]
        for run in np.unique(pairs.first):
            apart = part[run] - part
            apart /= error[run][:, None]
            np.maximum(highest, apart.max(axis=0), out=highest)
    return found


def _step_down(
    ratio: Floats, figures: Floats, pairs: _Pairs, level: float, freedom: int
) -> npt.NDArray[np.bool_]:
    """Return which hypotheses fall, step by step, the largest of those left setting the bar.

    The errors are estimates, so each bar is taken from the normal scale to that of Student's t: at
    40 clusters false orders fall from 7 to 5 % (simulated).
    """
    import numpy as np
    from scipy.stats import norm, t

    least = float(norm.ppf((1 + level) / 2))
    fallen = np.zeros(len(ratio), dtype=bool)
    while not fallen.all():
        left = _Pairs(pairs.first[~fallen], pairs.second[~fallen], pairs.error[~fallen])
        bar = max(least, float(np.quantile(_highest(figures, left), level)))
        bar = float(t.isf(norm.sf(bar), max(freedom, 1)))
        more = ~fallen & (ratio > bar)
        if not more.any():
            break
        fallen |= more
    return fallen
