"""What a comparison of runs found, as records."""

from __future__ import annotations

from dataclasses import dataclass, fields
from importlib.metadata import version
from typing import Any

from convsafe.benchmark.intervals import LEVEL
from convsafe.benchmark.paired import Judged
from convsafe.benchmark.per_case import ALL
from convsafe.benchmark.power import POWER
from convsafe.benchmark.scoring import HEADLINE
from convsafe.benchmark.tallies import better, has_direction, order
from convsafe.taxonomy.records import Estimate

# Over this share of unscored cases a figure is shown and not ranked.
UNSCORED = 0.01


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A paired difference of two runs, `first - second`, in one metric and slice.

    `value` is None where nothing is scored. `p` is None where no test could tell; `holm` and `bh`
    are adjusted over the difference's `family`, headline or slices. `detectable` is the smallest
    difference this pair would show at 80 % power; `needed` how many cases would show the one that
    was asked for.
    """

    metric: str
    slice: str
    name: str
    first: str
    second: str
    first_value: float | None
    second_value: float | None
    value: float | None
    low: float
    high: float
    n: int
    clusters: int
    unscored: int
    p: float | None
    holm: float | None = None
    bh: float | None = None
    family: str
    detectable: float | None
    needed: int | None
    interval: str
    test: str

    @property
    def gain(self) -> float:
        """How much better the first run is; negative where it is worse."""
        value = self.value or 0.0
        return -value if better(self.metric) == "lower" else value

    @property
    def ranked(self) -> bool:
        """Whether enough is scored to say which run is better."""
        return self.value is not None and self.unscored <= UNSCORED * self.n

    @property
    def shown(self) -> bool:
        """Whether the difference holds after correction for all that was looked at."""
        return self.ranked and self.holm is not None and self.holm < 1 - LEVEL

    def to_row(self) -> dict[str, Any]:
        """Return the difference as one JSON object."""
        row = {field.name: getattr(self, field.name) for field in fields(self)}
        return row | {"ranked": self.ranked, "shown": self.shown}


@dataclass(frozen=True)
class Rank:
    """The ranks a run may hold in a metric, or why it has none."""

    metric: str
    run: str
    value: float | None
    best: int | None
    worst: int | None
    reason: str = ""

    @property
    def text(self) -> str:
        """The ranks as people read them."""
        if self.best is None:
            return "not ranked"
        return f"{self.best}" if self.best == self.worst else f"{self.best}–{self.worst}"

    def to_row(self) -> dict[str, Any]:
        """Return the rank as one JSON object."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True)
class Comparison:
    """All that a comparison found.

    `rates` holds the estimates of each run, in order of `runs`; `left_out` how many judged cases of
    each run the others do not share; `families` how many tests each correction is over.
    """

    runs: tuple[Judged, ...]
    cases: int
    left_out: tuple[int, ...]
    rates: tuple[tuple[Estimate, ...], ...]
    differences: tuple[Difference, ...]
    ranks: tuple[Rank, ...]
    families: dict[str, int]
    detect: float | None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the runs."""
        return tuple(one.name for one in self.runs)

    def of(
        self, first: str, second: str, metric: str, slice: str = HEADLINE, name: str = ALL
    ) -> Difference:
        """Return one difference.

        Raises:
            KeyError: If there is none, as where a judge cannot tell the metric.
        """
        key = (first, second, metric, slice, name)
        for entry in self.differences:
            if (entry.first, entry.second, entry.metric, entry.slice, entry.name) == key:
                return entry
        raise KeyError(key)

    def headline(self, first: str | None = None, second: str | None = None) -> list[Difference]:
        """Return the headline differences of a pair or of all, in order of the metrics."""
        found = [entry for entry in self.differences if entry.family == "headline"]
        if first is not None:
            found = [entry for entry in found if (entry.first, entry.second) == (first, second)]
        return sorted(found, key=lambda entry: order(entry.metric))

    def worst(self, worse: str, other: str, most: int = 10) -> list[Difference]:
        """Return the slices in which one run is worse than another, the surest first."""
        found = [
            entry
            for entry in self.differences
            if entry.family == "slices"
            and entry.slice != ALL
            and has_direction(entry.metric)
            and entry.p is not None
            and entry.ranked
            and (
                ((entry.first, entry.second) == (worse, other) and entry.gain < 0)
                or ((entry.second, entry.first) == (worse, other) and entry.gain > 0)
            )
        ]
        found.sort(key=lambda entry: (entry.p, -abs(entry.gain), order(entry.metric), entry.name))
        return found[:most]

    def to_row(self) -> dict[str, Any]:
        """Return the comparison as one JSON object."""
        return {
            "convsafe": version("convsafe-bench"),
            "runs": [{"name": one.name, **one.run} for one in self.runs],
            "judge": self.runs[0].judge,
            "cases": self.cases,
            "left_out": list(self.left_out),
            "level": LEVEL,
            "power": POWER,
            "detect": self.detect,
            "families": self.families,
            "rates": [
                {"run": name, **entry.to_row()}
                for name, entries in zip(self.names, self.rates, strict=True)
                for entry in entries
            ],
            "differences": [entry.to_row() for entry in self.differences],
            "ranks": [entry.to_row() for entry in self.ranks],
        }
