"""A figure as nearly a sum over clusters: its bounds, and what each unit of clusters adds to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from convsafe.benchmark.composing import Figure

    Array = npt.NDArray[np.float64]

_STEP = 1e-6


class Linear(NamedTuple):
    """A figure at its bounds, and the influence of each unit, which sums to 0, shape (units,).

    `low` and `high` are the figure where what is unscored makes it lowest and highest.
    """

    low: float
    high: float
    influence: Array


def linear(figure: Figure, units: int) -> Linear:
    """Return a figure as a sum over units, by the delta method.

    Args:
        figure: A figure with at least one reply in each of its parts.
        units: How many units the clusters of the suite are drawn as.
    """
    import numpy as np

    def end(side: int) -> float:
        bounds = [("low", "high")[figure.bound(part, side)] for part in figure.parts]
        return figure.combined(
            [
                part.sums[one] / part.sums["full"]
                for part, one in zip(figure.parts, bounds, strict=True)
            ]
        )

    middles = [
        (part.sums["low"] + part.sums["high"]) / 2 / part.sums["full"] for part in figure.parts
    ]
    named: dict[str, list[float]] = {}
    for part, middle in zip(figure.parts, middles, strict=True):
        named.setdefault(part.name, []).append(middle)
    found = np.zeros(units)
    for place, part in enumerate(figure.parts):
        moved = [
            figure.combined([one + move * (at == place) for at, one in enumerate(middles)])
            for move in (_STEP, -_STEP)
        ]
        slope = (moved[0] - moved[1]) / (2 * _STEP)
        low, high, full = part.values.T
        # Centred on the whole: an area of one or two clusters cannot tell its own spread.
        centre = sum(named[part.name]) / len(named[part.name])
        own = ((low + high) / 2 - centre * full) / part.sums["full"]
        found += np.bincount(part.units, slope * own, units)
    return Linear(end(0), end(1), found)
