"""Which ranks each entry may hold: rank sets of the headline, as `convsafe compare` makes them.

Entries are paired case by case: every draw of clusters is the same for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from convsafe.benchmark.cells import names_in
from convsafe.benchmark.composing import Figure, Rows, figures_of
from convsafe.benchmark.influence import linear
from convsafe.benchmark.metric import Metric
from convsafe.benchmark.per_case import metric_rows, names_of
from convsafe.benchmark.rank_sets import RankSet, rank_sets_of
from convsafe.benchmark.resampling import units_of
from convsafe.benchmark.scoring import HEADLINE
from convsafe.leaderboard.scorer import METRICS, Scorer

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import polars as pl


def rank_sets(scorer: Scorer, verdicts: Mapping[str, pl.DataFrame]) -> dict[str, RankSet]:
    """Return the rank set of every entry by its mean over areas of safety and helpfulness.

    There is none by a judge that does not tell both: by one of them alone, a model that refuses
    everything, or nothing, would be first.

    Args:
        scorer: The board's judge and cases.
        verdicts: Each entry's verdicts on the same cases and samples.
    """
    import numpy as np

    metric = next((one for one in scorer.metrics if one.name == METRICS[0]), None)
    if metric is None or not verdicts:
        return {}
    clusters = scorer.cases["cluster_id"].n_unique()
    units = units_of(clusters)
    count = int(units.max()) + 1
    made = [headline(scorer, metric, one, units) for one in verdicts.values()]
    lines = [linear(figure, count) for figure in made]
    there = np.zeros(count, bool)
    for part in made[0].parts:
        there[part.units] = True
    found = rank_sets_of(
        np.array([line.low for line in lines]),
        np.array([line.high for line in lines]),
        np.stack([line.influence for line in lines], axis=1)[there],
        _differ([_outcomes(figure, count) for figure in made]),
        higher=metric.better == "higher",
    )
    return dict(zip(verdicts, found, strict=True))


def headline(
    scorer: Scorer, metric: Metric, verdicts: pl.DataFrame, units: npt.NDArray[np.integer]
) -> Figure:
    """Return a submission's mean over areas, still as sums over clusters."""
    import polars as pl

    rows = Rows(metric, metric_rows(metric, scorer.counted(verdicts, [metric])))
    names = names_of(scorer.cases, "area")
    if scorer.plain_only:
        plain = scorer.cases.filter(pl.col("plain"))
        names = names.join(plain.select("case"), on="case", how="semi")
    *_, found = figures_of(rows, "area", names_in(names), units, HEADLINE)
    return found


def _outcomes(figure: Figure, units: int) -> list[bytes]:
    """Return what every unit has in the parts of a figure, one value a unit."""
    import numpy as np

    table = np.zeros((units, 2 * len(figure.parts)))
    for place, part in enumerate(figure.parts):
        for end in (0, 1):
            column = 2 * place + end
            table[:, column] = np.bincount(part.units, part.values[:, end], units)
    return [row.tobytes() for row in table]


def _differ(outcomes: Sequence[Sequence[bytes]]) -> npt.NDArray[np.int64]:
    """Return in how many units two entries differ, shape (entries, entries)."""
    import numpy as np

    numbers: dict[bytes, int] = {}
    codes = np.array([[numbers.setdefault(one, len(numbers)) for one in row] for row in outcomes])
    return np.stack([(codes != row).sum(axis=1) for row in codes])
