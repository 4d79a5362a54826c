"""Intervals by drawing whole clusters again: rows with the same prompt stand or fall together."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from convsafe.benchmark.intervals import LEVEL

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    # From how often each cluster is drawn (draws, clusters) to figures, one value a draw.
    Measure = Callable[[Floats], Mapping[str, Floats]]

DRAWS, SEED = 2000, 20261124
_CELLS = 4_000_000
# A figure that most draws cannot give has no interval.
_GIVEN = 0.9


@dataclass(frozen=True)
class Figure:
    """A value with its interval; None where the rows cannot give one."""

    value: float | None
    low: float | None = None
    high: float | None = None

    def to_row(self) -> dict[str, float | None]:
        """Return the figure as one JSON object."""
        found = {"value": self.value, "low": self.low, "high": self.high}
        return {name: None if end is None else round(end, 4) for name, end in found.items()}

    def __str__(self) -> str:
        """Return the figure as people read it."""
        if self.value is None:
            return "no figure"
        if self.low is None or self.high is None:
            return f"{self.value:.3f}  no interval"
        return f"{self.value:.3f}  {self.low:.3f} to {self.high:.3f}"


def bootstrap(
    clusters: Ints, measure: Measure, *, draws: int = DRAWS, seed: int = SEED
) -> dict[str, Figure]:
    """Return every figure of a measure with its 95 % percentile interval.

    Clusters are drawn with replacement, as many as there are (Davison and Hinkley, 1997, "Bootstrap
    Methods and their Application"). With a single cluster there is no interval.

    Args:
        clusters: The cluster of each row, counted from 0.
        measure: Gives the figures for weights of clusters; NaN where it cannot.
        draws: How often to draw.
        seed: The same seed gives the same draws.
    """
    import numpy as np

    count = int(clusters.max()) + 1
    values = measure(np.ones((1, count)))
    if count < 2:
        return {name: Figure(_plain(float(value[0]))) for name, value in values.items()}
    chunks = [measure(weights) for weights in draw_weights(count, len(clusters), draws, seed)]
    drawn = {name: np.concatenate([chunk[name] for chunk in chunks]) for name in values}
    return {name: _figure(float(value[0]), drawn[name]) for name, value in values.items()}


def draw_weights(clusters: int, rows: int, draws: int, seed: int) -> Iterator[Floats]:
    """Yield how often each cluster is drawn, shape (some draws, clusters), until all are.

    Args:
        clusters: How many there are; each draw takes as many, with replacement.
        rows: How many rows these are of: the more, the fewer draws at a time.
        draws: How often to draw.
        seed: The same seed gives the same draws.
    """
    import numpy as np

    random = np.random.default_rng(seed)
    step = max(1, _CELLS // rows)
    for start in range(0, draws, step):
        size = min(step, draws - start)
        picks = random.integers(clusters, size=(size, clusters))
        flat = (picks + clusters * np.arange(size)[:, None]).ravel()
        yield np.bincount(flat, minlength=size * clusters).reshape(size, clusters).astype(float)


def _figure(value: float, drawn: Floats) -> Figure:
    import numpy as np

    known = drawn[~np.isnan(drawn)]
    if math.isnan(value) or len(known) < _GIVEN * len(drawn):
        return Figure(_plain(value))
    low, high = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Figure(value, float(low), float(high))


def _plain(value: float) -> float | None:
    return None if math.isnan(value) else value


def cluster_numbers(values: Any) -> Ints:
    """Return the number of each value's group, counted from 0."""
    import numpy as np

    found: Ints = np.unique(np.asarray(values), return_inverse=True)[1].astype(np.int64)
    return found
