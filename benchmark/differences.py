"""The paired difference of two runs: value, interval, p-value, and what it could have shown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any, NamedTuple

from convsafe.benchmark.bootstrap import draw_weights
from convsafe.benchmark.intervals import LEVEL
from convsafe.benchmark.permutation import mcnemar, sign_flip, swapped
from convsafe.benchmark.power import normal_quantile
from convsafe.benchmark.scoring import HEADLINE
from convsafe.benchmark.tallies import Cell, Table, figures, slopes

if TYPE_CHECKING:
    from convsafe.benchmark.intervals import Floats

# Under so many clusters, or so many that differ from the rest, a bootstrap claims too much.
FEW, FEW_APART = 30, 10
# Of fewer clusters no pattern of signs has a p-value under 0.05.
TESTABLE = 6


class Paired(NamedTuple):
    """A difference of two runs' figures, the first minus the second, with all that is known of it.

    `trials` is what the clusters are worth as independent trials of equal size (Kish, 1965).
    """

    first: float | None
    second: float | None
    value: float | None
    low: float
    high: float
    p: float | None
    error: float
    trials: float
    interval: str
    test: str


def paired(table: Table, *, draws: int, seed: int) -> list[Paired]:
    """Return the difference of a table's two runs for every cell.

    Args:
        table: Sums of two runs.
        draws: How often to draw clusters, and how many swaps to try.
        seed: The same seed gives the same draws.
    """
    large = [cell for cell in table.cells if cell.clusters >= FEW]
    ends = dict(zip(large, _bootstrap(table, large, draws, seed).T, strict=True))
    return [_paired(table, cell, ends.get(cell), draws, seed) for cell in table.cells]


def _paired(table: Table, cell: Cell, ends: Floats | None, draws: int, seed: int) -> Paired:
    """Return the difference of one cell; `ends` are those of its bootstrap."""
    views = _views(table, cell)
    if not (views[0].counts.sum(axis=0) > 0).all():
        least, most = (one - two for one, two in (view.figures() for view in views[1:]))
        why = "nothing is scored"
        return Paired(None, None, None, least, most, None, math.nan, 1.0, why, why)
    lines = [_linear(view) for view in views] if cell.unscored else [_linear(views[0])] * 3
    if ends is None or _apart(lines[0]) < FEW_APART:
        low, high = bonett_price(lines[1])[0], bonett_price(lines[2])[1]
        how = "Bonett–Price on effective clusters"
    else:
        low, high, how = float(ends[0]), float(ends[1]), f"cluster bootstrap, {draws:,} draws"
    one, two = views[0].figures()
    p, test = _p_value(table, cell, views, draws, seed)
    ends_of = min(low, one - two), max(high, one - two)
    return Paired(one, two, one - two, *ends_of, p, lines[0].error, lines[0].trials, how, test)


class View(NamedTuple):
    """Dense sums of one cell, shape (clusters, columns), whose groups count from 0."""

    first: Floats
    second: Floats
    counts: Floats
    groups: tuple[tuple[int, ...], ...]

    def shares(self) -> tuple[Floats, Floats]:
        """Return the shares of both runs, shape (columns,) each."""
        total = _above_zero(self.counts)
        return self.first.sum(axis=0) / total, self.second.sum(axis=0) / total

    def figures(self) -> tuple[float, float]:
        """Return the figures of both runs."""
        one, two = self.shares()
        return float(figures(one, self.groups)), float(figures(two, self.groups))


def _views(table: Table, cell: Cell) -> list[View]:
    """Return a cell's sums: as scored, with the difference at its least, and at its most."""

    def view(first: Any, second: Any, counts: Any) -> View:
        one, two, whole = (_dense(matrix, cell) for matrix in (first, second, counts))
        kept = whole.sum(axis=1) > 0
        return View(one[kept], two[kept], whole[kept], _renumbered(cell))

    scored = view(table.value[0], table.value[1], table.scored)
    if not cell.unscored:
        return [scored] * 3
    least = view(table.low[0], table.high[1], table.cases)
    return [scored, least, view(table.high[0], table.low[1], table.cases)]


class Linear(NamedTuple):
    """A difference as a sum over clusters, shape (clusters,) each.

    `parts` sum to the difference (near it where the figure is no share), `weights` to 1.
    `error` is its standard error, `slope` the steepest of the figure in a share.
    """

    parts: Floats
    weights: Floats
    error: float
    trials: float
    slope: float


def _linear(view: View) -> Linear:
    """Return a difference cluster by cluster, by the delta method where it is no plain share."""
    one, two = view.shares()
    steep = slopes((one + two) / 2, view.groups)
    parts, weights, influence = _spread(view.first - view.second, view.counts, view.groups, steep)
    clusters = max(len(parts), 1)
    trials = 1 / float((weights**2).sum()) if weights.any() else 1.0
    error = math.sqrt(float((influence**2).sum()) * clusters / max(clusters - 1, 1))
    return Linear(parts, weights, error, trials, max(1.0, *steep))


def influences(table: Table, cell: Cell, run: int) -> Floats:
    """Return what each cluster adds to a run's figure, summing to 0, shape (clusters,)."""
    sums, counts = _dense(table.value[run], cell), _dense(table.scored, cell)
    groups = _renumbered(cell)
    shares = sums.sum(axis=0) / _above_zero(counts)
    return _spread(sums, counts, groups, slopes(shares, groups))[2]


def _spread(
    sums: Floats, counts: Floats, groups: Sequence[Sequence[int]], steep: Sequence[float]
) -> tuple[Floats, Floats, Floats]:
    """Return each cluster's part of a figure, its weight, and its influence."""
    import numpy as np

    total = _above_zero(counts)
    parts, weights, influence = (np.zeros(len(counts)) for _ in range(3))
    for group, slope in zip(groups, steep, strict=True):
        columns = list(group)
        part = (sums[:, columns] / total[columns]).mean(axis=1)
        weight = (counts[:, columns] / total[columns]).mean(axis=1)
        parts += slope * part
        weights += weight / len(groups)
        # Centred on the whole: an area of one or two clusters cannot tell its own spread.
        influence += slope * (part - weight * part.sum())
    return parts, weights, influence


def _above_zero(counts: Floats) -> Floats:
    import numpy as np

    found: Floats = np.where(counts.sum(axis=0) > 0, counts.sum(axis=0), 1.0)
    return found


def _dense(matrix: Any, cell: Cell) -> Floats:
    found: Floats = matrix[:, cell.columns].toarray()
    return found


def _renumbered(cell: Cell) -> tuple[tuple[int, ...], ...]:
    """Return a cell's groups as places among its own columns."""
    starts = accumulate((len(group) for group in cell.groups), initial=0)
    return tuple(
        tuple(range(start, start + len(group)))
        for start, group in zip(starts, cell.groups, strict=False)
    )


def _apart(linear: Linear) -> int:
    """Return how many clusters' differences are not the most frequent one."""
    import numpy as np

    if not len(linear.parts):
        return 0
    ratios = np.round(linear.parts / linear.weights, 9)
    return len(ratios) - int(np.unique(ratios, return_counts=True)[1].max())


def bonett_price(linear: Linear) -> tuple[float, float]:
    """Return a 95 % interval of a paired difference that is never a point.

    Bonett and Price (2012), "Adjusted Wald confidence interval for a difference of binomial
    proportions based on paired data", with the effective number of clusters as pairs.
    """
    parts, trials = linear.parts / linear.slope, linear.trials
    ahead = (float(parts[parts > 0].sum()) * trials + 1) / (trials + 2)
    behind = (-float(parts[parts < 0].sum()) * trials + 1) / (trials + 2)
    middle = ahead - behind
    half = normal_quantile((1 + LEVEL) / 2) * math.sqrt(
        max(ahead + behind - middle**2, 0.0) / (trials + 2)
    )
    scale = linear.slope
    return max(-1.0, scale * (middle - half)), min(1.0, scale * (middle + half))


def _bootstrap(table: Table, cells: Sequence[Cell], draws: int, seed: int) -> Floats:
    """Return the ends of every cell's interval, shape (2, cells).

    Unscored replies lower the lower end and raise the upper one.
    """
    import numpy as np

    if not cells:
        return np.empty((2, 0))
    used = sorted({column for cell in cells for column in cell.columns})
    place = {column: number for number, column in enumerate(used)}
    groups = [[[place[column] for column in group] for group in cell.groups] for cell in cells]
    ends = [(table.low[0], table.high[1]), (table.high[0], table.low[1])]
    # Where all is scored, both ends are of the same draws.
    sides = [[sums[:, used] for sums in pair] for pair in ends[: 1 if table.whole else 2]]
    cases = table.cases[:, used]
    drawn: list[list[Floats]] = [[] for _ in sides]
    clusters = table.cases.shape[0]
    for weights in draw_weights(clusters, clusters, draws, seed):
        counts = weights @ cases
        for part, pair in zip(drawn, sides, strict=True):
            one, two = (weights @ sums / counts for sums in pair)
            found = [figures(one, group) - figures(two, group) for group in groups]
            part.append(np.stack(found, axis=1))
    low, high = np.concatenate(drawn[0]), np.concatenate(drawn[-1])
    tail = (1 - LEVEL) / 2
    return np.stack([np.quantile(low, tail, axis=0), np.quantile(high, 1 - tail, axis=0)])


def _p_value(
    table: Table, cell: Cell, views: list[View], draws: int, seed: int
) -> tuple[float | None, str]:
    """Return the p-value that holds whatever the unscored replies are, and how it was found."""
    if cell.clusters < TESTABLE and cell.slice != HEADLINE:
        return None, f"under {TESTABLE} clusters: no test"
    if not cell.unscored:
        return _p_of(table, cell, views[0], draws, seed)
    least, most = (one - two for one, two in (view.figures() for view in views[1:]))
    if least <= 0 <= most:
        return 1.0, "what is unscored could turn the sign"
    return _p_of(table, cell, views[1] if least > 0 else views[2], draws, seed)


def _p_of(table: Table, cell: Cell, view: View, draws: int, seed: int) -> tuple[float, str]:
    import numpy as np

    differ = (view.first != view.second).any(axis=1)
    if not differ.any():
        return 1.0, "no cluster differs"
    if len(cell.columns) == 1:
        samples = float(table.samples[cell.columns[0]])
        # Means over samples are whole numbers of samples: rounding takes off what floats add.
        sums = np.round((view.first - view.second)[:, 0] * (samples or 1.0), 9)
        if samples == 1 and (view.counts == 1).all() and np.isin(sums, (-1, 0, 1)).all():
            return mcnemar(int((sums > 0).sum()), int((sums < 0).sum())), "McNemar, exact"
        return sign_flip(sums, draws=draws, seed=seed)
    middle = (view.first + view.second).sum(axis=0) / 2
    half = (view.first - view.second)[differ] / 2
    total = np.maximum(view.counts.sum(axis=0), 1.0)

    def statistic(signs: Floats) -> Floats:
        shift = signs @ half
        one = figures((middle + shift) / total, view.groups)
        return one - figures((middle - shift) / total, view.groups)

    return swapped(statistic, int(differ.sum()), draws=draws, seed=seed)
