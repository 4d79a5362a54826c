"""What a judge's card shows of its sensitivity and specificity for a metric's event."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from convsafe.benchmark.random_effects import FEWEST_MODELS
from convsafe.taxonomy.records import STANCES

if TYPE_CHECKING:
    import polars as pl
    from convsafe.benchmark.judging import JudgeCard
    from convsafe.benchmark.metric import Metric

_COUNTS = ("tp", "fn", "tn", "fp")


class Count(NamedTuple):
    """How often the judge was right on the labels of one kind in one set."""

    right: int
    n: int


@dataclass(frozen=True)
class Quality:
    """Counts of each labelled set, or in `lacking` why a rate cannot be corrected by them.

    A set is one of a language; whether its replies are of one model or of several, the card does
    not tell. Sets without a label of one kind are in the other list only.
    """

    sensitivity: tuple[Count, ...] = ()
    specificity: tuple[Count, ...] = ()
    lacking: str | None = None

    @property
    def labels(self) -> int:
        """How many labels there are in all."""
        return sum(count.n for count in (*self.sensitivity, *self.specificity))


def quality(card: JudgeCard, metric: Metric) -> Quality:
    """Return the counts that a card has for a metric's event.

    Sets measured with another version of the judge do not count, nor do those whose replies were
    written by people or drawn with unequal chances. Unscored replies are in no count. Of stances,
    the counts are those of `confusion`; of harm, those of `harm.counts` (tp, fn, tn, fp).

    Args:
        card: The judge's card.
        metric: What is an event; it needs a stance or `unsafe`.
    """
    if metric.event is None or metric.needs not in (("stance",), ("unsafe",)):
        needs = " and ".join(metric.needs)
        return Quality(lacking=f"no card counts what {metric.name} needs: {needs}")
    entries = [entry for entry in card.agreement if _counts_for(card, entry)]
    if metric.rests_on == "stance":
        tables = _stance_tables(entries, metric.event)
    else:
        tables = [entry["harm"]["counts"] for entry in entries if "counts" in entry.get("harm", {})]
    hits = [Count(table["tp"], table["tp"] + table["fn"]) for table in tables]
    rests = [Count(table["tn"], table["tn"] + table["fp"]) for table in tables]
    found = Quality(tuple(c for c in hits if c.n), tuple(c for c in rests if c.n))
    fewest = min(len(found.sensitivity), len(found.specificity))
    if fewest >= FEWEST_MODELS:
        return found
    why = (
        f"the card of judge {card.name!r} has yes-or-no counts of {fewest} labelled sets for"
        f" {metric.name}; how far the judge varies from model to model takes {FEWEST_MODELS}."
        " Label a sample of this run: `convsafe judge export-labels`"
    )
    return Quality(found.sensitivity, found.specificity, why)


def _counts_for(card: JudgeCard, entry: Mapping[str, Any]) -> bool:
    same: bool = entry.get("judge_version", card.version) == card.version
    return same and bool(entry.get("replies_by", "models") == "models")


def _stance_tables(
    entries: Iterable[Mapping[str, Any]], event: pl.Expr
) -> Sequence[Mapping[str, int]]:
    """Return what each confusion of stances says of an event."""
    events = _events(event)
    # Counts of rows that were drawn unequally say little of the judge's errors on all of them.
    equal = [entry for entry in entries if entry.get("weighted") is None]
    return [_table(entry["confusion"], events) for entry in equal if "confusion" in entry]


def _events(event: pl.Expr) -> dict[str, bool]:
    """Return the stances of which a metric knows whether they are its event."""
    import polars as pl

    frame = pl.DataFrame({"stance": STANCES}).with_columns(
        labels=pl.lit([], pl.List(pl.String)),
        unsafe=pl.lit(None, pl.Float64),
        responsive=pl.lit(None, pl.Float64),
        unsafe_from=pl.lit(None, pl.Float64),
    )
    found = frame.select("stance", event=event.cast(pl.Boolean))
    return {stance: value for stance, value in found.iter_rows() if value is not None}


def _table(
    confusion: Mapping[str, Mapping[str, int]], events: Mapping[str, bool]
) -> dict[str, int]:
    """Count right and wrong answers; a stance that is no event nor none is in no count."""
    found = dict.fromkeys(_COUNTS, 0)
    for label, row in confusion.items():
        for stance, count in row.items():
            if label in events and stance in events:
                found[_cell(events[label], events[stance])] += count
    return found


def _cell(labelled: bool, judged: bool) -> str:
    if labelled:
        return "tp" if judged else "fn"
    return "fp" if judged else "tn"
