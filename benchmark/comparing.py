"""Compare judged runs: paired differences, what they could have shown, and ranks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convsafe.benchmark.comparison import UNSCORED, Comparison, Difference, Rank
from convsafe.benchmark.comparison_page import write_page
from convsafe.benchmark.differences import Paired, influences, paired
from convsafe.benchmark.multiplicity import benjamini_hochberg, holm
from convsafe.benchmark.paired import (
    BALANCE,
    HELPFUL,
    Judged,
    case_slices,
    case_values,
    is_plain_only,
    open_runs,
)
from convsafe.benchmark.per_case import ALL
from convsafe.benchmark.permutation import DRAWS, SEED
from convsafe.benchmark.power import cases_needed, minimum_detectable
from convsafe.benchmark.rank_sets import rank_sets_of
from convsafe.benchmark.scoring import HEADLINE, estimate
from convsafe.benchmark.tallies import Cell, Table, better, figures, has_direction, order, tabulate
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.records import Estimate

if TYPE_CHECKING:
    import polars as pl
    from convsafe.benchmark.runs import Run

FAMILIES = ("headline", "slices")


def compare(
    runs: Sequence[Run | str | Path],
    *,
    shared: bool = False,
    detect: float | None = None,
    out: str | Path | None = None,
    draws: int = DRAWS,
    seed: int = SEED,
) -> Comparison:
    """Compare judged runs over the same cases, each pair in every metric and slice.

    Args:
        runs: Two or more runs or their folders, each scored by the same judge.
        shared: Compare the cases that all runs have, where they have not the same.
        detect: A difference of shares: say how many cases would show it.
        out: Write the HTML page to this file too.
        draws: How often to draw clusters and swaps.
        seed: The same seed gives the same numbers.

    Raises:
        BadInput: If the runs differ in release, judge, threshold or cases, or one is not scored.
    """
    if detect is not None and not 0 < detect <= 1:
        raise BadInput(f"--detect is a share above 0 and at most 1, as 0.02, not {detect:g}")
    opened, judged = open_runs(runs, shared=shared)
    values = [case_values(one) for one in opened]
    plain_only = is_plain_only(opened)
    slices = case_slices(opened[0].cases, plain_only=plain_only)
    found = [
        entry
        for one, two in combinations(range(len(opened)), 2)
        for entry in _pair(
            (opened[one].name, opened[two].name),
            _trimmed(tabulate([values[one], values[two]], slices)),
            detect,
            draws,
            seed,
        )
    ]
    cases = len(opened[0].cases)
    comparison = Comparison(
        runs=opened,
        cases=cases,
        left_out=tuple(count - cases for count in judged),
        rates=tuple(_rates(one, plain_only) for one in opened),
        differences=_adjusted(found),
        ranks=tuple(_ranks([one.name for one in opened], values, slices, draws, seed)),
        families={family: len(_family(found, family)) for family in FAMILIES},
        detect=detect,
    )
    if out is not None:
        write_page(comparison, out)
    return comparison


def _trimmed(table: Table) -> Table:
    """Leave out slices that are the whole under another name, as the only language."""
    names: dict[tuple[str, str], int] = {}
    for cell in table.cells:
        key = (cell.metric, cell.slice)
        names[key] = names.get(key, 0) + 1
    kept = [
        cell
        for cell in table.cells
        if cell.slice in (ALL, HEADLINE) or names[cell.metric, cell.slice] > 1
    ]
    return replace(table, cells=tuple(kept))


def _pair(
    names: tuple[str, str], table: Table, detect: float | None, draws: int, seed: int
) -> Iterator[Difference]:
    """Yield the differences of two runs in every cell."""
    heads = headlines(table.cells)
    for cell, found in zip(table.cells, paired(table, draws=draws, seed=seed), strict=True):
        power = found.value is not None
        yield Difference(
            metric=cell.metric,
            slice=cell.slice,
            name=cell.name,
            first=names[0],
            second=names[1],
            first_value=found.first,
            second_value=found.second,
            value=found.value,
            low=found.low,
            high=found.high,
            n=cell.n,
            clusters=cell.clusters,
            unscored=cell.unscored,
            p=found.p,
            family=FAMILIES[heads.get(cell.metric) is not cell],
            detectable=minimum_detectable(found.error, found.trials) if power else None,
            needed=_needed(cell, found, detect),
            interval=found.interval,
            test=found.test,
        )


def _needed(cell: Cell, found: Paired, detect: float | None) -> int | None:
    if detect is None or found.value is None:
        return None
    return cases_needed(detect, found.error, found.trials, cell.n)


def headlines(cells: Sequence[Cell]) -> dict[str, Cell]:
    """Return the headline of every metric with a direction: the mean of areas, else the whole."""
    found: dict[str, Cell] = {}
    for slice in (ALL, HEADLINE):
        found |= {
            cell.metric: cell
            for cell in cells
            if cell.slice == slice and has_direction(cell.metric)
        }
    return found


def _family(found: Sequence[Difference], family: str) -> list[int]:
    """Return the places of the tests of a family."""
    return [
        place for place, entry in enumerate(found) if entry.family == family and entry.p is not None
    ]


def _adjusted(found: list[Difference]) -> tuple[Difference, ...]:
    """Return the differences with p-values adjusted over all pairs of each family."""
    import numpy as np

    for family in FAMILIES:
        if not (places := _family(found, family)):
            continue
        p = np.array([found[place].p for place in places], dtype=float)
        for place, strict, lax in zip(places, holm(p), benjamini_hochberg(p), strict=True):
            found[place] = replace(found[place], holm=float(strict), bh=float(lax))
    return tuple(found)


def _rates(judged: Judged, plain_only: bool) -> tuple[Estimate, ...]:
    """Return a run's own figures on the compared cases, as `score` makes them."""
    found = tuple(
        estimate(
            judged.cases,
            judged.verdicts,
            judged.judge["tells"],
            plain_only=plain_only,
            threshold=judged.threshold,
        )
    )
    if any(entry.metric == BALANCE for entry in found):
        return found
    return found + tuple(_balances(found))


def _balances(found: Sequence[Estimate]) -> Iterator[Estimate]:
    """Yield the harmonic mean of 1 - unsafe and helpful, from the ends of both intervals."""
    by = {(entry.metric, entry.slice): entry for entry in found if entry.name == ALL}
    for slice in (HEADLINE, ALL):
        unsafe, helpful = by.get(("unsafe_rate", slice)), by.get((HELPFUL, slice))
        if unsafe is None or helpful is None or unsafe.low is None or unsafe.high is None:
            continue
        known = unsafe.value is not None and helpful.value is not None
        yield Estimate(
            metric=BALANCE,
            slice=slice,
            name=ALL,
            value=_harmonic(1 - (unsafe.value or 0), helpful.value or 0) if known else None,
            low=_harmonic(1 - unsafe.high, helpful.low or 0),
            high=_harmonic(1 - unsafe.low, 1.0 if helpful.high is None else helpful.high),
            n=unsafe.n + helpful.n,
            unscored=unsafe.unscored + helpful.unscored,
            method="from the ends of both intervals",
        )


def _harmonic(one: float, two: float) -> float:
    return 2 * one * two / (one + two) if one + two > 0 else 0.0


def _ranks(
    names: Sequence[str],
    values: Sequence[pl.DataFrame],
    slices: pl.DataFrame,
    draws: int,
    seed: int,
) -> Iterator[Rank]:
    """Yield the rank sets of every metric with a direction, over the runs that are scored."""
    import polars as pl

    wide = slices.filter(pl.col("slice").is_in([ALL, "area"]))
    alone = [tabulate([frame], wide) for frame in values]
    metrics = sorted(headlines(alone[0].cells), key=order)
    for metric in metrics:
        own = [headlines(table.cells)[metric] for table in alone]
        scored = [cell.unscored <= UNSCORED * cell.n for cell in own]
        ranked = [place for place, well in enumerate(scored) if well]
        for place, cell in enumerate(own):
            if not scored[place]:
                share = f"{100 * cell.unscored / cell.n:.1f} % unscored: not ranked"
                yield Rank(metric, names[place], None, None, None, share)
        if ranked:
            frames = [values[place] for place in ranked]
            yield from _ranked(metric, [names[p] for p in ranked], frames, wide, draws, seed)


def _ranked(
    metric: str,
    names: Sequence[str],
    values: Sequence[pl.DataFrame],
    slices: pl.DataFrame,
    draws: int,
    seed: int,
) -> Iterator[Rank]:
    import numpy as np

    table = tabulate(values, slices)
    cell = headlines(table.cells)[metric]
    runs = range(len(names))
    shown, low, high = (
        np.array([_figure(part[run], counts, cell) for run in runs])
        for part, counts in (
            (table.value, table.scored),
            (table.low, table.cases),
            (table.high, table.cases),
        )
    )
    influence = np.stack([influences(table, cell, run) for run in runs], axis=1)
    sums = np.stack([table.value[run][:, cell.columns].toarray() for run in runs], axis=1)
    differ = (sums[:, :, None] != sums[:, None, :]).any(axis=-1).sum(axis=0)
    kept = table.cases[:, cell.columns].toarray().sum(axis=1) > 0
    sets = rank_sets_of(
        low,
        high,
        influence[kept],
        differ,
        higher=better(metric) == "higher",
        draws=draws,
        seed=seed,
    )
    for name, value, found in zip(names, shown, sets, strict=True):
        yield Rank(metric, name, float(value), found.best, found.worst)


def _figure(sums: Any, counts: Any, cell: Cell) -> float:
    """Return a run's figure from its sums per cluster."""
    import numpy as np

    total = np.maximum(np.asarray(counts.sum(axis=0)), 1.0)
    return float(figures(np.asarray(sums.sum(axis=0)) / total, cell.groups))
