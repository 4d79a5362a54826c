"""p-values of paired differences: whole clusters change sides, as they could under no difference.

Under the null the two runs of a pair are exchangeable within a cluster, so swapping their replies
there, which flips the sign of the cluster's difference, changes no distribution (Fisher, 1935, "The
Design of Experiments"; Winkler and others, 2015, "Multi-level block permutation", for clusters).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from convsafe.benchmark.intervals import Floats

    # From signs (draws, clusters) to statistics (draws,).
    Statistic = Callable[[Floats], Floats]

DRAWS, SEED = 10_000, 20261127
# Up to so many clusters every pattern of signs is tried.
EXACT = 14
# Sums of floats that are equal on paper may differ in the last digits.
_SLACK = 1e-9
_CELLS = 4_000_000
# Sums are counted exactly up to this largest one.
_LARGEST = 200_000


def mcnemar(wins: int, losses: int) -> float:
    """Return the exact two-sided p-value of discordant pairs.

    McNemar (1947), "Note on the sampling error of the difference between correlated proportions or
    percentages", with the binomial in place of the normal.

    Args:
        wins: Pairs in which only the first has the event.
        losses: Pairs in which only the second has it.
    """
    from scipy.stats import binomtest

    return float(binomtest(wins, wins + losses).pvalue) if wins + losses else 1.0


def sign_flip(sums: Floats, *, draws: int = DRAWS, seed: int = SEED) -> tuple[float, str]:
    """Return the two-sided p-value that a sum over clusters is 0, and how it was found.

    Whole-numbered sums are counted exactly, however many. Others are exact up to 14 clusters that
    differ, and drawn beyond: then p is (b + 1) / (draws + 1), which is never too small (Phipson and
    Smyth, 2010, "Permutation p-values should never be zero").

    Args:
        sums: Differences summed per cluster, shape (clusters,).
        draws: How many patterns of signs to draw.
        seed: The same seed gives the same draws.
    """
    import numpy as np

    differ = sums[sums != 0]
    if not len(differ):
        return 1.0, "no cluster differs"
    if (differ == np.rint(differ)).all() and np.abs(differ).sum() <= _LARGEST:
        return _counted(differ), "sign-flip, exact"
    return swapped(lambda signs: signs @ differ, len(differ), draws=draws, seed=seed)


def swapped(
    statistic: Statistic, clusters: int, *, draws: int = DRAWS, seed: int = SEED
) -> tuple[float, str]:
    """Return the two-sided p-value of any statistic of two runs that may be swapped by cluster.

    Args:
        statistic: Gives the difference for signs (draws, clusters) of 1 (as it was) and -1
            (swapped).
        clusters: How many clusters differ, above 0.
        draws: How many patterns to draw where there are too many to try all.
        seed: The same seed gives the same draws.
    """
    import numpy as np

    seen = abs(float(statistic(np.ones((1, clusters)))[0]))
    least = seen - _SLACK * max(seen, 1.0)
    exact = clusters <= EXACT
    patterns = _every(clusters) if exact else _drawn(clusters, draws, seed)
    reached = sum(int((np.abs(statistic(signs)) >= least).sum()) for signs in patterns)
    if exact:
        return reached / 2**clusters, "swap, exact"
    return (reached + 1) / (draws + 1), f"swap, {draws:,} draws"


def _every(clusters: int) -> Iterator[Floats]:
    import numpy as np

    numbers = np.arange(2**clusters)[:, None]
    yield _signs((numbers >> np.arange(clusters)) & 1)


def _drawn(clusters: int, draws: int, seed: int) -> Iterator[Floats]:
    import numpy as np

    random = np.random.default_rng(seed)
    step = max(1, _CELLS // clusters)
    for start in range(0, draws, step):
        size = min(step, draws - start)
        yield _signs(random.integers(2, size=(size, clusters), dtype=np.int8))


def _signs(bits: Any) -> Floats:
    found: Floats = (1 - 2 * bits).astype(float)
    return found


def _counted(sums: Floats) -> float:
    """Return the exact p-value of whole-numbered sums.

    Clusters of one size make a binomial, and the whole is the convolution of these.
    """
    import numpy as np
    from scipy.stats import binom

    sizes, counts = np.unique(np.abs(sums).astype(np.int64), return_counts=True)
    chances = np.ones(1)
    for size, count in zip(sizes, counts, strict=True):
        spread = np.zeros(2 * size * count + 1)
        spread[:: 2 * size] = binom.pmf(np.arange(count + 1), count, 0.5)
        chances = np.convolve(chances, spread)
    largest = int(np.abs(sums).sum())
    reached = np.abs(np.arange(-largest, largest + 1)) >= abs(int(sums.sum()))
    return float(min(1.0, chances[reached].sum()))
