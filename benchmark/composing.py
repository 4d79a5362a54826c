"""What a figure is made of: parts, each of sums over clusters, and how they are combined."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from convsafe.benchmark.cells import SUMS, Heads, Names, Ordered, cells_of, ordered
from convsafe.taxonomy.records import Estimate

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import polars as pl
    from convsafe.benchmark.metric import Metric

    Array = npt.NDArray[np.floating[Any]]
    Ints = npt.NDArray[np.integer[Any]]

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

    def counted(self, names: Names) -> tuple[int, int]:
        """Return n and unscored with a case of two names counted once."""
        rows = self.ordered
        kept = rows.values[names.has(rows.case)]
        n, unscored = (float(kept[:, rows.column[name]].sum()) for name in ("n", "unscored"))
        return int(n), int(unscored)


@dataclass(frozen=True)
class Part:
    """The sums of one part of a figure, and the units they fall into.

    `group` is what stands before the colon in its name: parts of a group are averaged. `place` is
    the slice's name it is of. `trials` is how many clusters of one size its clusters are worth.
    `values` has the sums `low`, `high` and `full` of every unit, (units, 3).
    """

    name: str
    group: str
    place: str
    sums: Mapping[str, float]
    clusters: int
    trials: float
    eventful: float
    eventless: float
    units: Ints
    values: Array

    @property
    def sure(self) -> bool:
        """Whether every reply has a verdict."""
        return not self.sums["unscored"]


@dataclass(eq=False)
class Figure:
    """A figure to be made: its parts, and whether they are averaged over names."""

    metric: Metric
    slice: str
    name: str
    parts: Sequence[Part]
    averaged: bool = False
    n: int = field(init=False)
    unscored: int = field(init=False)

    def __post_init__(self) -> None:
        self.n = int(sum(part.sums["n"] for part in self.parts))
        self.unscored = int(sum(part.sums["unscored"] for part in self.parts))

    def made(self, ratios: Mapping[str, Any]) -> Any:
        """Return the figure of the ratios of its parts by name; not a number where one lacks."""
        import numpy as np

        found = self.metric.figure(ratios)
        return np.nan if found is None else found

    def combined(self, ratios: Sequence[float]) -> float:
        """Return the figure of one ratio a part.

        A mean over names is of each part's ratios, which are combined after: a composed figure of
        a name with few cases would be far off.
        """
        parts: dict[str, list[float]] = {}
        for part, ratio in zip(self.parts, ratios, strict=True):
            parts.setdefault(part.name, []).append(ratio)
        return float(self.made({name: sum(found) / len(found) for name, found in parts.items()}))

    def bound(self, part: Part, side: int) -> int:
        """Return which bound of a part, 0 the lower and 1 the upper, makes a side of the figure."""
        return side if self.metric.signs.get(part.group, 1) > 0 else 1 - side

    @property
    def told(self) -> bool:
        """Whether any reply has a verdict."""
        return any(part.sums["den"] for part in self.parts)

    @property
    def extremes(self) -> tuple[float, float]:
        """The ratios of no event and of all events."""
        return (0.0, 1.0) if self.metric.composed else self.metric.range

    @cached_property
    def groups(self) -> Mapping[str, Sequence[Part]]:
        """The parts by group."""
        found: dict[str, list[Part]] = {}
        for part in self.parts:
            found.setdefault(part.group, []).append(part)
        return found

    @cached_property
    def value(self) -> float | None:
        """The figure of the scored replies, or None."""
        sums = [part.sums for part in self.parts]
        nan = float("nan")
        value = self.combined([one["num"] / one["den"] if one["den"] else nan for one in sums])
        return None if value != value else value

    @cached_property
    def resampled(self) -> bool:
        """Whether there is enough to draw clusters again."""
        few = min((part.trials for part in self.parts), default=0)
        enough = all(
            sum(part.trials for part in group) >= CLUSTERS
            and sum(part.eventful for part in group) >= EVENTS
            and sum(part.eventless for part in group) >= EVENTS
            for group in self.groups.values()
        )
        return enough and (len(self.parts) == len(self.groups) or few >= PART_CLUSTERS)

    @cached_property
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
            method=f"mean of {self._places()}, {method}" if self.averaged else method,
        )

    def _places(self) -> int:
        return len({part.place for part in self.parts})


def figures_of(
    entry: Rows, slice: str, names: Names, units: Ints, mean: str | None
) -> Iterator[Figure]:
    """Yield a metric's figure for every name of a slice, and their mean if it is asked for.

    Args:
        entry: The metric's rows.
        slice: What the slice is called.
        names: Its names.
        units: The unit each cluster is drawn with.
        mean: The name of the slice of the mean over the names, where it is wanted.
    """
    parts = _parts(entry, names, units)
    figures = [Figure(entry.metric, slice, name, found) for name, found in parts.items()]
    figures = [one for one in figures if one.value is not None or one.unscored]
    yield from figures
    if mean and figures:
        # An area that lacks a part still counts in the others.
        every = [part for found in parts.values() for part in found]
        whole = Figure(entry.metric, mean, "all", every, averaged=True)
        whole.n, whole.unscored = entry.counted(names)
        yield whole


def _parts(entry: Rows, names: Names, units: Ints) -> dict[str, list[Part]]:
    """Return the parts of every name, in order."""
    rows = entry.ordered
    if not (cells := cells_of(rows, names)):
        return {}
    least, most = entry.metric.range if not entry.metric.composed else (0.0, 1.0)
    heads = cells.heads(least, most)
    where = units[cells.cluster]
    values = cells.values[:, [rows.column[name] for name in ("low", "high", "full")]]
    groups = [part.partition(":")[0] for part in rows.parts]
    found: dict[str, list[Part]] = {}
    for sums, name, part, start, stop, trials, eventful, eventless in _listed(heads, rows.column):
        place = names.names[name]
        found.setdefault(place, []).append(
            Part(
                rows.parts[part],
                groups[part],
                place,
                sums,
                stop - start,
                trials,
                eventful,
                eventless,
                where[start:stop],
                values[start:stop],
            )
        )
    return found


def _listed(heads: Heads, column: Mapping[str, int]) -> Iterator[tuple[Any, ...]]:
    """Yield the parts' sums, name, part, start, stop, trials, eventful and eventless as numbers."""
    sums = heads.sums[:, [column[name] for name in SUMS]].tolist()
    rest = (heads.name, heads.part, heads.start, heads.stop)
    shares = (heads.trials, heads.eventful, heads.eventless)
    named = (dict(zip(SUMS, row, strict=True)) for row in sums)
    return zip(named, *(one.tolist() for one in (*rest, *shares)), strict=True)
