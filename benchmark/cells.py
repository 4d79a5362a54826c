"""Sum a metric's rows up by name, part and cluster, in the same order whatever the machine.

Sums of floating-point numbers depend on their order: here it is that of the clusters and cases,
where a parallel aggregation would take them as its threads come.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import polars as pl

    Ints = npt.NDArray[np.integer[Any]]
    Bools = npt.NDArray[np.bool_]
    Floats = npt.NDArray[np.float64]

SUMS = ("num", "den", "low", "high", "full", "n", "unscored")


@dataclass(frozen=True)
class Ordered:
    """Rows in order of part, cluster and case; equal columns of sums are held once.

    `parts` names the parts; `column` says in which column of `values` a sum stands.
    """

    case: Ints
    cluster: Ints
    part: Ints
    parts: list[str]
    values: Floats
    column: dict[str, int]


@dataclass(frozen=True)
class Names:
    """The names of a slice and the cases under each: those of case i from `start[i]` on."""

    names: list[str]
    name: Ints
    start: Ints
    count: Ints

    def has(self, case: Ints) -> Bools:
        """Tell which cases have a name."""
        found: Bools = self.counted(case) > 0
        return found

    def counted(self, case: Ints) -> Ints:
        """Return how many names each case has."""
        import numpy as np

        inside = case < len(self.count)
        found: Ints = np.zeros(len(case), np.int64)
        found[inside] = self.count[case[inside]]
        return found


@dataclass(frozen=True)
class Heads:
    """A name's parts: their cells, their sums, and how many cells have or lack an event."""

    start: Ints
    stop: Ints
    name: Ints
    part: Ints
    sums: Floats
    trials: Floats
    eventful: Floats
    eventless: Floats


@dataclass(frozen=True)
class Cells:
    """Sums by name, part and cluster, in that order."""

    name: Ints
    part: Ints
    cluster: Ints
    values: Floats
    column: dict[str, int]

    def heads(self, least: float, most: float) -> Heads:
        """Return the parts of every name.

        Args:
            least: The ratio of no event.
            most: The ratio of all events.
        """
        import numpy as np

        start = _starts(self.name, self.part)
        num, den = (self.values[:, self.column[name]] for name in ("num", "den"))
        full = self.values[:, self.column["full"]]
        add = np.add.reduceat
        stop = np.append(start[1:], len(self.name))
        trials = (add(full, start) ** 2 / add(full**2, start)).round(9)
        eventful = add((num > least * den).astype(np.float64), start) / (stop - start)
        eventless = add((num < most * den).astype(np.float64), start) / (stop - start)
        return Heads(
            start,
            stop,
            self.name[start],
            self.part[start],
            add(self.values, start, axis=0),
            trials,
            (eventful * trials).round(9),
            (eventless * trials).round(9),
        )


def ordered(table: pl.DataFrame) -> Ordered:
    """Return a metric's rows as arrays.

    Args:
        table: With case, cluster, part and the sums.
    """
    import numpy as np

    table = table.sort("part", "cluster", "case")
    parts = table["part"].unique().sort()
    part = table["part"].rank("dense").to_numpy().astype(np.int64) - 1
    columns: list[Any] = []
    column = {}
    for name in SUMS:
        one = table[name].to_numpy().astype(np.float64)
        equal = (at for at, other in enumerate(columns) if np.array_equal(one, other))
        column[name] = next(equal, len(columns))
        if column[name] == len(columns):
            columns.append(one)
    case, cluster = (table[name].to_numpy().astype(np.int64) for name in ("case", "cluster"))
    return Ordered(case, cluster, part, parts.to_list(), np.stack(columns, axis=1), column)


def names_in(table: pl.DataFrame) -> Names:
    """Return the names of a slice.

    Args:
        table: With a row a case and name.
    """
    import numpy as np

    table = table.sort("case", "name")
    name = table["name"].rank("dense").to_numpy().astype(np.int64) - 1
    count = np.bincount(table["case"].to_numpy())
    return Names(table["name"].unique().sort().to_list(), name, np.cumsum(count) - count, count)


def cells_of(rows: Ordered, names: Names) -> Cells | None:
    """Return the sums by name, part and cluster; None where there is none."""
    import numpy as np

    count = names.counted(rows.case)
    total = int(count.sum())
    if not total:
        return None
    taken = np.repeat(np.arange(len(count)), count)
    within = np.arange(total) - np.repeat(np.cumsum(count) - count, count)
    name = names.name[names.start[rows.case[taken]] + within]
    # Two bytes are sorted in linear time; rows of a name stay in their order.
    small = np.uint16 if len(names.names) < 65536 else np.int64
    order = np.argsort(name.astype(small), kind="stable")
    taken, name = taken[order], name[order]
    part, cluster = rows.part[taken], rows.cluster[taken]
    start = _starts(name, part, cluster)
    values = np.add.reduceat(rows.values[taken], start, axis=0)
    kept = values[:, rows.column["full"]] > 0
    if not kept.any():
        return None
    start = start[kept]
    return Cells(name[start], part[start], cluster[start], values[kept], rows.column)


def _starts(*keys: Ints) -> Ints:
    """Return where any of the keys changes."""
    import numpy as np

    changed = np.zeros(len(keys[0]), bool)
    changed[0] = True
    for key in keys:
        changed[1:] |= key[1:] != key[:-1]
    found: Ints = np.flatnonzero(changed)
    return found
