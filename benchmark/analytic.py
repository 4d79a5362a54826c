"""Intervals that need no draws, for many figures at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from convsafe.benchmark.composing import Figure, Part
from convsafe.benchmark.intervals import LEVEL, clopper_pearson, wilson
from convsafe.taxonomy.records import Estimate

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


class _Trial(NamedTuple):
    """A group of parts as trials: events at the lower and the upper bound, of how many."""

    low: float
    high: float
    trials: float
    level: float
    simple: bool


def analytic(figures: Sequence[Figure]) -> list[Estimate]:
    """Return the figures with intervals on Kish's effective number of clusters."""
    told = [figure for figure in figures if figure.told]
    trials = [_trial(figure, parts) for figure in told for parts in figure.groups.values()]
    ends = iter(_ends(trials)) if trials else iter(())
    return [_finished(figure, ends) if figure.told else _untold(figure) for figure in figures]


def _trial(figure: Figure, parts: Sequence[Part]) -> _Trial:
    """Return the trials whose interval is that of the mean ratio of a group of parts."""
    least, most = figure.extremes
    count = len(parts)
    effective = count**2 / sum(1 / part.trials for part in parts)
    low, high = (
        (sum(part.sums[side] / part.sums["full"] for part in parts) / count - least)
        / (most - least)
        * effective
        for side in ("low", "high")
    )
    return _Trial(low, high, effective, 1 - (1 - LEVEL) / len(figure.groups), figure.simple)


def _ends(trials: Sequence[_Trial]) -> Any:
    """Return the lower and the upper end of every group's share of events, (groups, 2)."""
    import numpy as np

    table = np.array(trials, float)
    found: npt.NDArray[np.float64] = np.empty((len(table), 2))
    simple = table[:, 4] == 1
    for chosen, interval in ((simple, wilson), (~simple, clopper_pearson)):
        for side in (0, 1):
            events, n, level = table[chosen, side], table[chosen, 2], table[chosen, 3]
            found[chosen, side] = interval(events, n, level)[side]
    return found.tolist()


def _finished(figure: Figure, ends: Iterator[tuple[float, float]]) -> Estimate:
    """Return a figure of the next groups' ends."""
    least, most = figure.extremes
    mine = {
        group: [least + (most - least) * end for end in found]
        for group, found in zip(figure.groups, ends, strict=False)
    }
    low, high = (
        figure.combined([mine[part.group][figure.bound(part, side)] for part in figure.parts])
        for side in (0, 1)
    )
    method = "wilson" if figure.simple else "clopper-pearson"
    if figure.n != sum(part.clusters for part in figure.parts):
        method += " on clusters"
    if len(figure.groups) > 1:
        method += f", {len(figure.groups)} parts"
    return figure.estimate(low, high, method)


def _untold(figure: Figure) -> Estimate:
    return figure.estimate(*figure.metric.range, "bounds alone: no verdict")
