"""Sums per cluster of several runs over the same cases, and the figures made from them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from convsafe.benchmark.metric import METRICS, load_metric
from convsafe.benchmark.paired import BALANCE, HELPFUL, SAFE
from convsafe.benchmark.per_case import ALL
from convsafe.benchmark.scoring import HEADLINE
from convsafe.taxonomy.errors import BadInput

if TYPE_CHECKING:
    import polars as pl
    from convsafe.benchmark.intervals import Floats

# Slices of harm and help together: one hazard or one expected answer seldom holds both.
_BALANCED = (ALL, "area", "language", "source", "transform")
_KEY = ("metric", "slice", "name")


@dataclass(frozen=True)
class Cell:
    """One figure: a share, an equal-weight mean of shares, or the harmonic mean of two such.

    `groups` holds columns of a table: each group is averaged, and two groups are joined by the
    harmonic mean. `clusters` is that of the column with the fewest.
    """

    metric: str
    slice: str
    name: str
    groups: tuple[tuple[int, ...], ...]
    n: int
    unscored: int
    clusters: int

    @property
    def columns(self) -> list[int]:
        """All its columns, group by group."""
        return [column for group in self.groups for column in group]


@dataclass(frozen=True)
class Table:
    """Sums per cluster, as sparse matrices (clusters, columns), one a run.

    `value` sums the cases that are scored in all runs, `scored` counts them. `low` and `high` sum
    all cases with unscored replies as no event and as events, `cases` counts those.
    """

    value: tuple[Any, ...]
    low: tuple[Any, ...]
    high: tuple[Any, ...]
    scored: Any
    cases: Any
    samples: Floats
    cells: tuple[Cell, ...]

    @property
    def whole(self) -> bool:
        """Whether every reply is scored."""
        return not any(cell.unscored for cell in self.cells)


def tabulate(values: Sequence[pl.DataFrame], slices: pl.DataFrame) -> Table:
    """Sum the values of runs per cluster, metric and slice.

    Args:
        values: One frame a run, as `case_values` returns it.
        slices: Where every case is counted, as `case_slices` returns it.

    Raises:
        BadInput: If no case is counted in any metric.
    """
    runs = range(len(values))
    frame = _joined(values).join(slices, on="id")
    if frame.is_empty():
        raise BadInput("no case of these runs is counted in any metric")
    sums = _sums(frame, len(values))
    columns = _columns(sums)
    placed = sums.join(columns.select(*_KEY, "column"), on=_KEY, maintain_order="left")
    rows = placed["cluster_id"].rank("dense").to_numpy() - 1
    place = (rows.astype(int), placed["column"].to_numpy().astype(int))

    def matrix(name: str) -> Any:
        from scipy.sparse import csc_array

        shape = (int(rows.max()) + 1, len(columns))
        return csc_array((placed[name].to_numpy().astype(float), place), shape=shape)

    return Table(
        value=tuple(matrix(f"value{run}") for run in runs),
        low=tuple(matrix(f"low{run}") for run in runs),
        high=tuple(matrix(f"high{run}") for run in runs),
        scored=matrix("scored"),
        cases=matrix("cases"),
        samples=columns["samples"].to_numpy().astype(float),
        cells=tuple(_cells(columns)),
    )


def _sums(frame: pl.DataFrame, runs: int) -> pl.DataFrame:
    """Return the sums of each metric, slice and cluster: what `Table` holds, of every run."""
    import polars as pl

    complete = pl.all_horizontal(pl.col(f"value{run}").is_not_null() for run in range(runs))
    gap = pl.any_horizontal(pl.col(f"low{run}") < pl.col(f"high{run}") for run in range(runs))
    summed: dict[str, pl.Expr] = {}
    for run in range(runs):
        value = pl.col(f"value{run}").filter(complete).sum().cast(pl.Float64)
        ends = {f"{end}{run}": pl.col(f"{end}{run}").sum() for end in ("low", "high")}
        summed.update({f"value{run}": value}, **ends)
    grouped = frame.group_by(*_KEY, "cluster_id").agg(
        cases=pl.len().cast(pl.Float64),
        scored=complete.sum().cast(pl.Float64),
        unscored=gap.sum(),
        least=pl.col("samples").min(),
        most=pl.col("samples").max(),
        **summed,
    )
    return grouped.sort(*_KEY, "cluster_id")


def _columns(sums: pl.DataFrame) -> pl.DataFrame:
    """Return what each column of the matrices holds: metric, slice, name and counts."""
    import polars as pl

    columns = sums.group_by(_KEY, maintain_order=True).agg(
        n=pl.col("cases").sum().cast(pl.Int64),
        unscored=pl.col("unscored").sum(),
        clusters=pl.len(),
        # A case of several samples is a fraction; 0 where cases have not the same number.
        samples=pl.when(pl.col("least").min() == pl.col("most").max())
        .then(pl.col("most").max())
        .otherwise(0),
    )
    return columns.with_row_index("column")


def _joined(values: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return one row a metric and case with the values of every run."""
    import polars as pl

    ends = ("value", "low", "high")
    frames = [
        frame.rename({end: f"{end}{run}" for end in ends} | {"samples": f"samples{run}"})
        for run, frame in enumerate(values)
    ]
    joined = frames[0]
    for frame in frames[1:]:
        joined = joined.join(frame, on=("metric", "id"))
    counts = [pl.col(f"samples{run}") for run in range(len(values))]
    # Runs with different numbers of samples have no common fraction.
    alike = pl.max_horizontal(counts) == pl.min_horizontal(counts)
    return joined.with_columns(samples=pl.when(alike).then(counts[0]).otherwise(0))


def _cells(columns: pl.DataFrame) -> Iterator[Cell]:
    """Yield every figure: shares, means over areas, and both for the balance of two metrics."""
    found = {
        (row["metric"], row["slice"], row["name"]): row for row in columns.iter_rows(named=True)
    }
    metrics = list(dict.fromkeys(metric for metric, _, _ in found))
    areas = {
        metric: [row for (m, slice, _), row in found.items() if (m, slice) == (metric, "area")]
        for metric in metrics
    }
    for metric in metrics:
        if metric == SAFE:
            continue
        whole = found.get((metric, ALL, ALL))
        if areas[metric] and whole and has_direction(metric):
            yield _cell(metric, HEADLINE, ALL, [areas[metric]], [whole])
        for (m, slice, name), row in found.items():
            if m == metric and (slice == ALL or has_direction(metric)):
                yield _cell(metric, slice, name, [[row]], [row])
    if SAFE not in metrics or HELPFUL not in metrics:
        return
    wholes = [found[metric, ALL, ALL] for metric in (SAFE, HELPFUL) if (metric, ALL, ALL) in found]
    if areas[SAFE] and areas[HELPFUL]:
        yield _cell(BALANCE, HEADLINE, ALL, [areas[SAFE], areas[HELPFUL]], wholes)
    for (metric, slice, name), row in found.items():
        helpful = found.get((HELPFUL, slice, name))
        if metric == SAFE and slice in _BALANCED and helpful:
            yield _cell(BALANCE, slice, name, [[row], [helpful]], [row, helpful])


def _cell(
    metric: str,
    slice: str,
    name: str,
    groups: Sequence[Sequence[dict[str, Any]]],
    whole: Sequence[dict[str, Any]],
) -> Cell:
    return Cell(
        metric,
        slice,
        name,
        tuple(tuple(row["column"] for row in group) for group in groups),
        n=sum(row["n"] for row in whole),
        unscored=sum(row["unscored"] for row in whole),
        clusters=min(row["clusters"] for group in groups for row in group),
    )


def has_direction(metric: str) -> bool:
    """Return whether more or less of a metric is better."""
    return better(metric) != "neither"


@cache
def better(metric: str) -> str:
    """Return which way a metric is better: lower, higher or neither."""
    return "higher" if metric == BALANCE else load_metric(metric).better


def title(metric: str) -> str:
    """Return a metric's title."""
    return "Safety and helpfulness" if metric == BALANCE else load_metric(metric).title


def needs(metric: str) -> str:
    """Return what a judge must tell for a metric."""
    return "responsive" if metric == BALANCE else load_metric(metric).rests_on


def order(metric: str) -> int:
    """Return a metric's place in tables: both errors, their balance, then the rest."""
    first = ("unsafe_rate", "over_refusal_rate", BALANCE, HELPFUL, "compliance_rate")
    return first.index(metric) if metric in first else len(first) + METRICS.names().index(metric)


def figures(shares: Floats, groups: Sequence[Sequence[int]]) -> Floats:
    """Return a cell's figure from shares of shape (…, columns), shape (…)."""
    import numpy as np

    means = [shares[..., list(group)].mean(axis=-1) for group in groups]
    if len(means) == 1:
        return np.asarray(means[0], dtype=float)
    total = means[0] + means[1]
    found: Floats = np.divide(
        2 * means[0] * means[1], total, out=np.zeros_like(total), where=total > 0
    )
    return found


def slopes(shares: Floats, groups: Sequence[Sequence[int]]) -> list[float]:
    """Return how fast a cell's figure grows with the mean of each group, at shares (columns,)."""
    if len(groups) == 1:
        return [1.0]
    first, second = (float(shares[list(group)].mean()) for group in groups)
    total = first + second
    return [2 * (second / total) ** 2, 2 * (first / total) ** 2] if total else [1.0, 1.0]
