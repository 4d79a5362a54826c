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

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from convsafe.benchmark.analytic import analytic
from convsafe.benchmark.cells import names_in
from convsafe.benchmark.composing import Figure, Rows, figures_of
from convsafe.benchmark.drawing import drawn_ends
from convsafe.benchmark.resampling import DRAWS, SEED, units_of, weights
from convsafe.taxonomy.records import Estimate

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Rows", "estimates"]


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
    figures = [one for entry in rows for one in figures_of(entry, slice, named, units, mean)]
    drawing = [figure for figure in figures if figure.resampled and not figure.simple]
    found: dict[int, Estimate] = {}
    if drawing:
        drawn = weights(int(units.max()) + 1, draws, seed)
        found = _drawn(drawing, drawn_ends(drawing, drawn))
    rest = [figure for figure in figures if id(figure) not in found]
    found |= {id(figure): one for figure, one in zip(rest, analytic(rest), strict=True)}
    yield from (found[id(figure)] for figure in figures)


def _drawn(
    figures: Sequence[Figure], ends: Sequence[tuple[float, float] | None]
) -> dict[int, Estimate]:
    """Return the figures that have an interval from draws."""
    return {
        id(figure): figure.estimate(*both, "cluster bootstrap")
        for figure, both in zip(figures, ends, strict=True)
        if both
    }
