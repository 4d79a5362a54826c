"""What a metric is: which cases it counts, what it takes from their replies, and its figure.

Every figure is made of ratios of sums over cases, so that it can be computed from partial sums,
bounded where verdicts are missing, and bootstrapped over clusters. A file of `benchmark/metrics/`
says `TITLE`, `BETTER`, `NEEDS`, `ABOUT`, `PAPER` and `EMPTY`, has a `counted()`, and is one of
three kinds:

- a share: `event()` tells of a reply whether it is one; null where there is no verdict.
- a mean: `value()` gives a reply's number within `RANGE`; null where there is no verdict.
- composed: `per_case()` sums up a case's replies, `rows(frame)` turns the counted cases into rows
  of named parts, and `combine(parts)` makes the figure of the parts' ratios. `SIGNS` says of each
  part, by the beginning of its name, whether the figure rises or falls with it, if it falls.

One that reads few replies may say which by `replies()`: its sums over the others are 0. Where many
are alike, a file may hold a `METRIC` with these names instead (`Definition`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from convsafe.taxonomy.catalogue import Catalogue

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import polars as pl
    from convsafe.taxonomy.records import Estimate

    Floats = npt.NDArray[np.floating[Any]]
    Parts = Mapping[str, Floats]

METRICS = Catalogue("metric", "convsafe.benchmark.metrics")

# What a file says, as one value that a function made.
Definition = SimpleNamespace

_MERGES = {
    "sum": "sum",
    "count": "sum",
    "null_count": "sum",
    "len": "sum",
    "min": "min",
    "max": "max",
}
_CAST = re.compile(r"(\.strict_cast\(\w+\))+\Z")
# What looks at several replies of a case at once.
_NOT_EACH = re.compile(
    r"(?<!list)(?<!element\(\))\.(over|unique|n_unique|rank|sort|sort_by|shift|diff|head|tail"
    r"|first|last|cum_\w+|is_\w*distinct|is_duplicated|is_unique|arg_\w+|mean|gather|slice"
    r"|implode|mode)\("
)
# What judging reads by rule, whoever judges: the option chosen in a multiple choice question.
BY_RULE = "option"
# What was written down of a session while it was held (`traced.py`).
TRACE = "trace"
# Those that stand first wherever figures are listed; the rest follow by title.
HEADLINES = (
    "safety_helpfulness",
    "unsafe_rate",
    "over_refusal_rate",
    "helpful_rate",
    "operational_safety",
    "refusal_rate",
)
# The one part of a share or a mean.
WHOLE = ""


@dataclass(frozen=True)
class Metric:
    """A file of `benchmark/metrics/`, loaded.

    `better` is lower, higher or neither; `needs` is what a judge must be able to tell for the
    metric to be reported: stance, responsive, unsafe or scores, and of scores those in `scores`; or
    option, which is read by rule beside any judge, or trace, which no judge is needed for.
    `range` holds the least and the greatest value; `binary` says that replies are events or not.
    `equals` names the metric that it is the same as where every case has one reply.
    `options` holds what the definition leaves open and was chosen, to be stored with the number.
    """

    name: str
    title: str
    better: str
    needs: tuple[str, ...]
    scores: tuple[str, ...]
    about: str
    paper: str
    empty: str
    range: tuple[float, float]
    binary: bool
    counted: pl.Expr
    replies: pl.Expr | None
    per_case: Mapping[str, pl.Expr]
    rows: Callable[[pl.DataFrame], pl.DataFrame]
    combine: Callable[[Parts], Floats]
    signs: Mapping[str, int]
    slices: tuple[str, ...] | None
    options: Mapping[str, Any]
    event: pl.Expr | None
    equals: str | None

    @property
    def rests_on(self) -> str:
        """What the judge's agreement beside the figure is about."""
        if self.scores:
            return "scores"
        return "unsafe" if "unsafe" in self.needs else self.needs[0]

    @property
    def merges(self) -> Mapping[str, str | None]:
        """How each of its sums is put together from parts: sum, min or max; None where it cannot.

        Read off the aggregation's last step, as `….sum()`: what is done before it must be of each
        reply alone, and fractions go through `exact`, which a test shows of every metric.
        """
        return {name: _merge(str(one)) for name, one in self.per_case.items()}

    @property
    def parted(self) -> bool:
        """Whether all of its sums can be put together from parts."""
        return None not in self.merges.values()

    @property
    def composed(self) -> bool:
        """Whether the figure is more than one ratio."""
        return self.combine is not _only

    def figure(self, parts: Parts) -> Floats | None:
        """Return the figure of its parts' ratios, or None where one it needs lacks."""
        try:
            return self.combine(parts)
        except KeyError:
            return None

    def told_by(self, tells: Sequence[str], scores: Sequence[str]) -> bool:
        """Return whether a judge that tells these things supports the metric."""
        return set(self.needs) <= {*tells, BY_RULE, TRACE} and set(self.scores) <= set(scores)


def load_metric(name: str) -> Metric:
    """Load one metric.

    Raises:
        UnknownName: If there is no such file.
    """
    file = METRICS.load(name)
    module: Any = getattr(file, "METRIC", file)
    needs = module.NEEDS
    low, high = getattr(module, "RANGE", (0.0, 1.0))
    one = getattr(module, "event", None) or getattr(module, "value", None)
    return Metric(
        name=name,
        title=module.TITLE,
        better=module.BETTER,
        needs=(needs,) if isinstance(needs, str) else tuple(needs),
        scores=tuple(getattr(module, "SCORES", ())),
        about=module.ABOUT,
        paper=module.PAPER,
        empty=module.EMPTY,
        range=(float(low), float(high)),
        binary=hasattr(module, "event"),
        counted=module.counted(),
        replies=module.replies() if hasattr(module, "replies") else None,
        per_case=_summed(module) if one else module.per_case(),
        rows=(lambda frame: _one_part(frame, low, high)) if one else module.rows,
        combine=getattr(module, "combine", _only),
        signs=getattr(module, "SIGNS", {}),
        slices=getattr(module, "SLICES", None),
        options=getattr(module, "OPTIONS", {}),
        event=module.event() if hasattr(module, "event") else None,
        equals=getattr(module, "EQUALS", None),
    )


def listed(told: Mapping[str, Estimate]) -> list[str]:
    """Return which metrics to list, in order: headlines first, the rest by title.

    Left out are those that count nothing, and those that say of single replies what another says.

    Args:
        told: Each metric's figure over all cases.
    """
    names = [name for name in METRICS.names() if name in told and told[name].n]
    metrics = {name: load_metric(name) for name in names}

    def place(name: str) -> tuple[int, str]:
        return (HEADLINES.index(name) if name in HEADLINES else len(HEADLINES)), metrics[name].title

    kept = [name for name in names if not _says_again(told, name, metrics[name].equals)]
    return sorted(kept, key=place)


def _says_again(told: Mapping[str, Estimate], name: str, other: str | None) -> bool:
    if other is None or other not in told:
        return False
    one, two = told[name], told[other]
    return (one.value, one.n) == (two.value, two.n)


def metrics_for(tells: Sequence[str], scores: Sequence[str]) -> Iterator[Metric]:
    """Yield the metrics that a judge supports, in order of their names."""
    for name in METRICS.names():
        if (metric := load_metric(name)).told_by(tells, scores):
            yield metric


def score_of(name: str) -> pl.Expr:
    """Return a judge's score of a reply by its name; null where it has none."""
    import polars as pl

    named = pl.element().struct.field("name") == name
    return pl.col("scores").list.filter(named).list.first().struct.field("value")


def has_facet(kind: str, name: str | None = None) -> pl.Expr:
    """Tell the cases that have a facet of a kind, or exactly that one."""
    import polars as pl

    match = pl.element().struct.field("kind") == kind
    if name is not None:
        match &= pl.element().struct.field("name") == name
    return pl.col("facets").list.eval(match).list.any().fill_null(False)


def facet(kind: str) -> pl.Expr:
    """Return the name of a case's first facet of a kind, or null."""
    import polars as pl

    of_kind = pl.element().struct.field("kind") == kind
    return pl.col("facets").list.filter(of_kind).list.first().struct.field("name")


def exact(value: pl.Expr) -> pl.Expr:
    """Return numbers to 2^-40, whose sums are exact and so the same in any order.

    The step is 1e-12; sums keep it up to 8,000.
    """
    import polars as pl

    return (value.cast(pl.Float64) * 2.0**40).round() / 2.0**40


def _merge(aggregation: str) -> str | None:
    """Return how an aggregation's results are merged, by its words."""
    if _NOT_EACH.search(aggregation):
        return None
    aggregation = _CAST.sub("", aggregation)
    last = aggregation.rpartition(")")[0].rpartition(".")[2].rpartition("(")[0]
    return _MERGES.get(last)


def _summed(module: Any) -> dict[str, pl.Expr]:
    """Return the sums of a share or a mean; events are whole numbers and exact as they are."""
    import polars as pl

    event = hasattr(module, "event")
    one: pl.Expr = module.event() if event else module.value()
    return {
        "sum": (one.cast(pl.Float64) if event else exact(one)).sum(),
        "unscored": one.is_null().sum(),
    }


def _one_part(frame: pl.DataFrame, low: float, high: float) -> pl.DataFrame:
    """Return a share's or a mean's rows: one a case, of one part."""
    import polars as pl

    known = pl.col("sum")
    return frame.select(
        "case",
        part=pl.lit(WHOLE),
        num=known,
        den=pl.col("replies") - pl.col("unscored"),
        low=known + low * pl.col("unscored"),
        high=known + high * pl.col("unscored"),
        full=pl.col("replies"),
        n=pl.col("replies"),
        unscored=pl.col("unscored"),
    )


def _only(parts: Parts) -> Floats:
    return parts[WHOLE]
