"""From sums over clusters to figures with intervals, for every name of a slice at once.

A figure combines ratios of parts. Its interval is, in this order:

- Clopper-Pearson's on clusters as trials, where under 30 clusters, or under 10 with or 10 without
  an event, say too little for a resampling. Clusters of unequal size, and the parts of a mean, are
  as many trials as Kish's effective number says (1965, "Survey Sampling"); several groups of parts
  share the error among them (Bonferroni).
- Wilson's, for a share whose cases are all of different clusters.
- The cluster bootstrap's, else, corrected for bias and skewness (BCa; Efron, 1987).

Unscored verdicts widen it to the bounds of no event and all events.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from convsafe.benchmark.cells import SUMS, Names, Ordered, cells_of, names_in, ordered
from convsafe.benchmark.intervals import LEVEL, clopper_pearson, wilson
from convsafe.benchmark.resampling import (
    DRAWS,
    SEED,
    bca_quantiles,
    drawn_sums,
    units_of,
    weights,
)
from convsafe.taxonomy.records import Estimate

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import polars as pl
    from convsafe.benchmark.metric import Metric

    Array = npt.NDArray[np.floating[Any]]

# Fewer clusters, or fewer with or without an event, and nothing is resampled.
CLUSTERS, EVENTS = 30, 10
# A part of a mean with fewer clusters is too often drawn empty.
PART_CLUSTERS = 10


@dataclass(frozen=True)
class Rows:
    """A metric's rows, each of one case and one part, with the case's cluster."""

    metric: Metric
    table: pl.DataFrame

    @cached_property
    def ordered(self) -> Ordered:
        """The rows as arrays, in order of part, cluster and case."""
        return ordered(self.table)


@dataclass
class _Part:
    """The sums of one part of a figure, and the units they fall into.

    `trials` is how many clusters of one size its clusters are worth.
    """

    name: str
    place: str
    sums: dict[str, float]
    clusters: int
    trials: float
    eventful: float
    eventless: float
    units: npt.NDArray[np.integer[Any]]
    values: Array

    @property
    def group(self) -> str:
        """What stands before the colon: parts of a group are averaged."""
        return self.name.partition(":")[0]

    @property
    def sure(self) -> bool:
        """Whether every reply has a verdict."""
        return not self.sums["unscored"]


@dataclass
class _Figure:
    """A figure to be made: its parts, and what they are averaged over, if they are."""

    metric: Metric
    slice: str
    name: str
    parts: list[_Part]
    averaged: bool = False
    n: int = field(init=False)
    unscored: int = field(init=False)

    def __post_init__(self) -> None:
        self.n = int(sum(part.sums["n"] for part in self.parts))
        self.unscored = int(sum(part.sums["unscored"] for part in self.parts))

    def combined(self, ratios: Sequence[Any]) -> Any:
        """Return the figure of one ratio a part; not a number where a part lacks.

        A mean over names is of each part's ratios, which are combined after: a composed figure of
        a name with few cases would be far off.
        """
        import numpy as np

        parts: dict[str, list[Any]] = {}
        for part, ratio in zip(self.parts, ratios, strict=True):
            parts.setdefault(part.name, []).append(ratio)
        means = {
            name: np.mean(np.stack([np.asarray(one, float) for one in found]), axis=0)
            if self.averaged
            else found[0]
            for name, found in parts.items()
        }
        made = self.metric.figure(means)
        return np.nan if made is None else made

    def sign(self, part: _Part) -> int:
        """Return -1 where the figure falls as the part rises."""
        return self.metric.signs.get(part.group, 1)

    @property
    def value(self) -> float | None:
        """The figure of the scored replies, or None."""
        import numpy as np

        ratios = [
            part.sums["num"] / part.sums["den"] if part.sums["den"] else np.nan
            for part in self.parts
        ]
        value = float(self.combined(ratios))
        return None if np.isnan(value) else value

    @property
    def resampled(self) -> bool:
        """Whether there is enough to draw clusters again."""
        groups: dict[str, list[_Part]] = {}
        for part in self.parts:
            groups.setdefault(part.group, []).append(part)
        few = min((part.trials for part in self.parts), default=0)
        enough = all(
            sum(part.trials for part in group) >= CLUSTERS
            and sum(part.eventful for part in group) >= EVENTS
            and sum(part.eventless for part in group) >= EVENTS
            for group in groups.values()
        )
        return enough and (len(self.parts) == len(groups) or few >= PART_CLUSTERS)

    @property
    def simple(self) -> bool:
        """Whether Wilson's interval holds: a share, with every reply a cluster of its own."""
        clusters = sum(part.clusters for part in self.parts)
        return self.metric.binary and self.n == clusters and self.resampled

    def estimate(self, low: float, high: float, method: str) -> Estimate:
        """Return the record, its ends within the metric's range and around its value."""
        value = self.value
        ends = [low, high] if value is None else [min(low, value), max(high, value)]
        least, most = self.metric.range
        return Estimate(
            metric=self.metric.name,
            slice=self.slice,
            name=self.name,
            value=value,
            low=max(least, float(ends[0])),
            high=min(most, float(ends[1])),
            n=self.n,
            unscored=self.unscored,
            method=method,
        )


def estimates(
    rows: Iterable[Rows],
    slice: str,
    names: pl.DataFrame,
    clusters: int,
    *,
    mean: str | None = None,
    draws: int = DRAWS,
    seed: int = SEED,
) -> Iterator[Estimate]:
    """Yield every metric's figure for every name of a slice, and their mean if it is asked for.

    Args:
        rows: The metrics' rows: case, cluster, part and the sums `num`, `den` (of scored replies),
            `low`, `high`, `full` (of all replies, at the bounds), `n` and `unscored`.
        slice: What the slice is called.
        names: The names each case counts under: case, name.
        clusters: How many clusters there are in all; they are counted from 0.
        mean: The name of the slice of the equal-weight mean over the names, where it is wanted.
        draws: Resamplings.
        seed: Of the resampling.
    """
    units = units_of(clusters, seed=seed)
    named = names_in(names)
    drawing: dict[str, list[_Figure]] = {}
    for entry in rows:
        parts = _parts(entry, named, units)
        figures = [_Figure(entry.metric, slice, name, found) for name, found in parts.items()]
        figures = [one for one in figures if one.value is not None or one.unscored]
        if mean and figures:
            # An area that lacks a part still counts in the others.
            every = [part for found in parts.values() for part in found]
            whole = _Figure(entry.metric, mean, "all", every, averaged=True)
            whole.n, whole.unscored = _distinct(entry, named)
            figures.append(whole)
        for figure in figures:
            if figure.resampled and not figure.simple:
                drawing.setdefault(f"{figure.averaged}{figure.name}", []).append(figure)
            else:
                yield _analytic(figure)
    if drawing:
        drawn = weights(min(clusters, int(units.max()) + 1), draws, seed)
        from threadpoolctl import threadpool_limits

        # One thread a product: how a library cuts it for several would move the last bit.
        with threadpool_limits(1, "blas"), ThreadPoolExecutor(os.cpu_count()) as pool:
            for made in pool.map(lambda group: list(_drawn(group, drawn)), drawing.values()):
                yield from made


def _distinct(entry: Rows, names: Names) -> tuple[int, int]:
    """Return n and unscored with a case of two names counted once."""
    found = entry.ordered
    kept = found.values[names.has(found.case)]
    n, unscored = (float(kept[:, found.column[name]].sum()) for name in ("n", "unscored"))
    return int(n), int(unscored)


def _parts(entry: Rows, names: Names, units: Any) -> dict[str, list[_Part]]:
    """Return the parts of every name, in order."""
    rows = entry.ordered
    if not (cells := cells_of(rows, names)):
        return {}
    least, most = entry.metric.range if not entry.metric.composed else (0.0, 1.0)
    heads = cells.heads(least, most)
    where = units[cells.cluster]
    values = cells.values[:, [rows.column[name] for name in ("low", "high", "full")]]
    found: dict[str, list[_Part]] = {}
    for head in range(len(heads.start)):
        start, stop = int(heads.start[head]), int(heads.stop[head])
        name = names.names[heads.name[head]]
        found.setdefault(name, []).append(
            _Part(
                rows.parts[heads.part[head]],
                name,
                {sum: float(heads.sums[head, rows.column[sum]]) for sum in SUMS},
                stop - start,
                float(heads.trials[head]),
                float(heads.eventful[head]),
                float(heads.eventless[head]),
                where[start:stop],
                values[start:stop],
            )
        )
    return found


def _analytic(figure: _Figure) -> Estimate:
    """Return the figure with an interval that needs no draws."""
    groups: dict[str, list[_Part]] = {}
    for part in figure.parts:
        groups.setdefault(part.group, []).append(part)
    if not any(part.sums["den"] for part in figure.parts):
        low, high = figure.metric.range
        return figure.estimate(low, high, "bounds alone: no verdict")
    level = 1 - (1 - LEVEL) / len(groups)
    interval, name = (wilson, "wilson") if figure.simple else (clopper_pearson, "clopper-pearson")
    ends = {group: _group_ends(figure, parts, interval, level) for group, parts in groups.items()}
    low, high = (
        figure.combined([
            ends[part.group][side if figure.sign(part) > 0 else 1 - side] for part in figure.parts
        ])
        for side in (0, 1)
    )  # fmt: skip
    clustered = figure.n != sum(part.clusters for part in figure.parts)
    kind = f"{name} on clusters" if clustered else name
    if len(groups) > 1:
        kind += f", {len(groups)} parts"
    return figure.estimate(float(low), float(high), _averaged(figure, kind))


def _group_ends(
    figure: _Figure, parts: list[_Part], interval: Any, level: float
) -> tuple[float, float]:
    """Return the interval of the mean ratio of a group of parts, on Kish's effective n."""
    import numpy as np

    least, most = figure.metric.range if not figure.metric.composed else (0.0, 1.0)
    trials = np.array([part.trials for part in parts])
    effective = len(parts) ** 2 / np.sum(1 / trials)
    means = [
        np.mean([part.sums[side] / part.sums["full"] for part in parts]) for side in ("low", "high")
    ]
    events = np.array([(mean - least) / (most - least) * effective for mean in means])
    lows, highs = interval(events, np.array([effective, effective]), level)
    return least + (most - least) * float(lows[0]), least + (most - least) * float(highs[1])


def _averaged(figure: _Figure, kind: str) -> str:
    if not figure.averaged:
        return kind
    places = len({part.place for part in figure.parts})
    return f"mean of {places}, {kind}"


def _drawn(figures: list[_Figure], drawn: Any) -> Iterator[Estimate]:
    """Yield the figures of one name with percentile intervals, all from the same draws."""
    import numpy as np

    parts = [part for figure in figures for part in figure.parts]
    rows, place = np.unique(np.concatenate([part.units for part in parts]), return_inverse=True)
    columns = 3 * len(parts)
    heads = np.repeat(np.arange(len(parts)) * 3, [len(part.units) for part in parts])
    values = np.concatenate([part.values for part in parts])
    sums = np.stack(
        [
            np.bincount(place * len(parts) + heads // 3, values[:, k], len(rows) * len(parts))
            for k in range(3)
        ],
        axis=-1,
    ).reshape(len(rows), columns)
    same = [part.sure for part in parts]
    # Where every reply is scored, both bounds are the sum itself.
    kept = [k for k in range(columns) if not (k % 3 == 1 and same[k // 3])]
    # Metrics that count the same cases share their sums of replies.
    places: dict[bytes, int] = {}
    turned = np.ascontiguousarray(sums.T[kept])
    shared = [places.setdefault(column.tobytes(), len(places)) for column in turned]
    first = [shared.index(place) for place in range(len(places))]
    made = drawn_sums(rows, turned[first].T, drawn)
    found = iter(made[place] for place in shared)
    ratios = []
    for sure in same:
        low = next(found)
        high = low if sure else next(found)
        full = next(found)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratios.append((low / full, low / full if sure else high / full))
    start = 0
    for figure in figures:
        mine = ratios[start : start + len(figure.parts)]
        start += len(figure.parts)
        yield _percentiles(figure, mine)


def _percentiles(figure: _Figure, ratios: list[tuple[Array, Array]]) -> Estimate:
    """Return a figure with the interval of its draws."""
    import numpy as np

    tail = (1 - LEVEL) / 2
    tails = ((tail,), (1 - tail,)) if figure.unscored else ((tail, 1 - tail),)
    ends: list[float] = []
    for side, at in enumerate(tails):
        chosen = [
            ratio[side if figure.sign(part) > 0 else 1 - side]
            for part, ratio in zip(figure.parts, ratios, strict=True)
        ]
        drawn = np.atleast_1d(figure.combined(chosen))
        drawn = drawn[~np.isnan(drawn)]
        if len(drawn) < 0.9 * len(chosen[0]):
            return _analytic(figure)
        ends += bca_quantiles(drawn, at, *_influence(figure, side))
    low, high = ends
    if low == high:
        return _analytic(figure)
    return figure.estimate(low, high, _averaged(figure, "cluster bootstrap"))


def _influence(figure: _Figure, side: int) -> tuple[float, Array]:
    """Return the figure of all replies at a bound, and what each unit adds to it at the margin.

    A part's sums add by the figure's slope in the part's ratio, which is taken numerically.
    """
    import numpy as np

    step, parts = 1e-6, figure.parts
    bounds = [side if figure.sign(part) > 0 else 1 - side for part in parts]
    sums = [
        (part.values[:, bound], part.values[:, 2])
        for part, bound in zip(parts, bounds, strict=True)
    ]
    ratios = np.array([top.sum() / full.sum() for top, full in sums])
    moved = ratios[:, None] + step * np.hstack([np.eye(len(parts)), -np.eye(len(parts))])
    up, down = np.split(np.asarray(figure.combined(list(moved)), float), 2)
    units = 1 + max(int(part.units.max()) for part in parts)
    found: Array = np.zeros(units)
    slopes = (up - down) / (2 * step)
    for part, (top, full), ratio, slope in zip(parts, sums, ratios, slopes, strict=True):
        found += np.bincount(part.units, slope * (top - ratio * full) / full.sum(), units)
    return float(figure.combined(list(ratios))), found
