"""Intervals by drawing clusters again, for many figures at once.

Figures of one name of a slice come from one product of matrices, and means over names from the
same draws.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from convsafe.benchmark.composing import Figure, Part
from convsafe.benchmark.intervals import LEVEL
from convsafe.benchmark.resampling import acceleration, bca_quantiles, drawn_sums

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Array = npt.NDArray[np.floating[Any]]

TAILS = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)
# The share of draws that must give a figure.
_GIVEN = 0.9
_STEP = 1e-6


class _Ratio(NamedTuple):
    """A ratio in each draw, of all clusters, and what each unit adds to it at the margin."""

    draws: Any
    value: float
    influence: Any


# A part's ratio at its lower and its upper bound.
_Bounds = tuple[_Ratio, _Ratio]
_Ends = dict[int, tuple[float, float]]


class _Place(NamedTuple):
    """What is to be made of one name of a slice: its figures, and parts of means over names."""

    figures: list[Figure]
    shared: list[Part]

    @property
    def parts(self) -> list[Part]:
        """Every part once."""
        every = [part for figure in self.figures for part in figure.parts]
        return list({id(part): part for part in (*every, *self.shared)}.values())


def drawn_ends(
    figures: Sequence[Figure], drawn: npt.NDArray[np.uint8]
) -> list[tuple[float, float] | None]:
    """Return every figure's interval; None where its draws are alike or too often not given.

    Args:
        figures: All of them to be resampled.
        drawn: What `weights` returned.
    """
    places: dict[str, _Place] = {}
    for figure in figures:
        for part in figure.parts:
            place = places.setdefault(part.place, _Place([], []))
            if figure.averaged:
                place.shared.append(part)
            elif part is figure.parts[0]:
                place.figures.append(figure)
    ends: _Ends = {}
    means = _Means([figure for figure in figures if figure.averaged], drawn.shape[1])
    for place in places.values():
        made, units, shared = _drawn(place, drawn)
        ends |= made
        means.add(units, shared)
    ends |= means.ends()
    return [ends.get(id(figure)) for figure in figures]


def _drawn(place: _Place, drawn: npt.NDArray[np.uint8]) -> tuple[_Ends, Any, dict[int, _Bounds]]:
    """Return the ends of a name's figures, and its units and ratios for the means."""
    units, bounds = _ratios(place.parts, drawn)
    ends = _ends(
        (figure, {part.name: bounds[id(part)] for part in figure.parts}) for figure in place.figures
    )
    return ends, units, {id(part): bounds[id(part)] for part in place.shared}


class _Means:
    """The parts of means over names, added up name by name."""

    def __init__(self, figures: Sequence[Figure], units: int) -> None:
        """Make room for the parts of these figures, on so many units."""
        self.units = units
        self.figures = figures
        self.sums: dict[tuple[int, str], list[_Ratio]] = {}

    def add(self, units: Any, bounds: Mapping[int, _Bounds]) -> None:
        """Add a name's ratios."""
        for figure in self.figures:
            sides = 2 if figure.unscored else 1
            for part in figure.parts:
                if found := bounds.get(id(part)):
                    key = id(figure), part.name
                    before = self.sums.get(key, [_Ratio(0.0, 0.0, 0.0)] * sides)
                    self.sums[key] = [
                        self._added(sum, ratio, units)
                        for sum, ratio in zip(before, found, strict=False)
                    ]

    def _added(self, sum: _Ratio, ratio: _Ratio, units: Any) -> _Ratio:
        import numpy as np

        influence = np.bincount(units, ratio.influence, self.units)
        draws = sum.draws + ratio.draws.astype(np.float64)
        return _Ratio(draws, sum.value + ratio.value, sum.influence + influence)

    def ends(self) -> _Ends:
        """Return the figures' ends, of the mean ratio of each part."""
        return _ends((figure, self._parts(figure)) for figure in self.figures)

    def _parts(self, figure: Figure) -> dict[str, _Bounds]:
        names = [part.name for part in figure.parts]
        found = {}
        for name in dict.fromkeys(names):
            sums, count = self.sums[id(figure), name], names.count(name)
            means = [_Ratio(*(one / count for one in sum)) for sum in sums]
            found[name] = means[0], means[-1]
        return found


def _ratios(parts: Sequence[Part], drawn: npt.NDArray[np.uint8]) -> tuple[Any, dict[int, _Bounds]]:
    """Return the units of the parts and each part's ratio at its bounds, by its identity."""
    import numpy as np

    every = np.concatenate([part.units for part in parts])
    seen = np.zeros(drawn.shape[1], bool)
    seen[every] = True
    units = np.flatnonzero(seen)
    of_part = np.repeat(np.arange(len(parts)), [len(part.units) for part in parts])
    cell = of_part * len(units) + (np.cumsum(seen) - 1)[every]
    values = np.concatenate([part.values for part in parts])
    low, high, full = (
        np.bincount(cell, values[:, k], len(parts) * len(units)).reshape(len(parts), -1)
        for k in range(3)
    )
    unsure = [at for at, part in enumerate(parts) if not part.sure]
    # Where every reply is scored, both bounds are the sum itself.
    rows, of = _distinct([*low, *full, *high[unsure]])
    made = drawn_sums(units, np.stack(rows), drawn)
    sums, found = iter(of[2 * len(parts) :]), {}
    for at, part in enumerate(parts):
        whole = made[of[len(parts) + at]]
        first = _ratio(made[of[at]], whole, low[at], full[at])
        second = first if part.sure else _ratio(made[next(sums)], whole, high[at], full[at])
        found[id(part)] = first, second
    return units, found


def _distinct(rows: Sequence[Array]) -> tuple[list[Array], list[int]]:
    """Return rows without repetition, and where each is: metrics share their sums of replies."""
    places: dict[bytes, int] = {}
    of = [places.setdefault(row.tobytes(), len(places)) for row in rows]
    return [rows[of.index(place)] for place in range(len(places))], of


def _ratio(top: Array, bottom: Array, of: Array, over: Array) -> _Ratio:
    """Return a ratio from its drawn sums and its units' own."""
    import numpy as np

    total = over.sum()
    value = float(of.sum() / total)
    with np.errstate(divide="ignore", invalid="ignore"):
        draws = top / bottom
    return _Ratio(draws, value, (of - value * over) / total)


def _ends(figures: Iterable[tuple[Figure, Mapping[str, _Bounds]]]) -> _Ends:
    """Return the ends of figures whose parts' ratios are given by name."""
    import numpy as np

    sides = [
        (figure, _side(figure, bounds, side))
        for figure, bounds in figures
        for side in ((0, 1) if figure.unscored else (0,))
    ]
    if not sides:
        return {}
    draws = np.stack([ratio.draws for _, ratio in sides]).astype(np.float32)
    values = np.array([ratio.value for _, ratio in sides], np.float32)
    skew = np.array([acceleration(ratio.influence) for _, ratio in sides])
    given = np.count_nonzero(~np.isnan(draws), axis=1) >= _GIVEN * draws.shape[1]
    table = bca_quantiles(draws, TAILS, values, skew)
    found: _Ends = {}
    lacking = set()
    for (figure, _), (low, high), known in zip(sides, table.tolist(), given, strict=True):
        # The lower end is of the first side, the upper end of the last.
        found[id(figure)] = found.get(id(figure), (low, high))[0], high
        if not known:
            lacking.add(id(figure))
    return {at: ends for at, ends in found.items() if at not in lacking and ends[0] != ends[1]}


def _side(figure: Figure, bounds: Mapping[str, _Bounds], side: int) -> _Ratio:
    """Return a figure with no event or all events where a verdict lacks, as if it were a ratio."""
    chosen = {
        part.name: bounds[part.name][figure.bound(part, side)]
        for part in {part.name: part for part in figure.parts}.values()
    }
    if not figure.metric.composed:
        (ratio,) = chosen.values()
        return ratio
    return _composed(figure, chosen)


def _composed(figure: Figure, ratios: Mapping[str, _Ratio]) -> _Ratio:
    """Return a figure of several ratios; its slope in each of them is taken numerically."""
    import numpy as np

    count = len(ratios)
    values = np.array([ratio.value for ratio in ratios.values()])
    moves = _STEP * np.hstack([np.zeros((count, 1)), np.eye(count), -np.eye(count)])
    moved = _made(figure, dict(zip(ratios, values[:, None] + moves, strict=True)))
    slopes = (moved[1 : count + 1] - moved[count + 1 :]) / (2 * _STEP)
    influence = slopes @ np.stack([ratio.influence for ratio in ratios.values()])
    draws = _made(figure, {name: ratio.draws for name, ratio in ratios.items()})
    return _Ratio(draws, float(moved[0]), influence)


def _made(figure: Figure, ratios: Mapping[str, Array]) -> Array:
    """Return the figure of arrays of ratios, as an array where it lacks a part too."""
    import numpy as np

    first = next(iter(ratios.values()))
    return np.broadcast_to(figure.made(ratios), first.shape)
