"""Correct a judged rate for the judge's errors, or say why it cannot be done."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from convsafe.benchmark.bootstrap import cluster_numbers
from convsafe.benchmark.judge_quality import Quality
from convsafe.taxonomy.errors import BadInput

if TYPE_CHECKING:
    import numpy.typing as npt
    from convsafe.benchmark.bootstrap import Floats, Ints
    from convsafe.benchmark.random_effects import Assumed
    from convsafe.benchmark.two_phase import Rates

POWERED = "ppi++ in two phases, jeffreys on clusters"
LABELS_ALONE = "clopper-pearson on clusters, labels alone"
ASSUMED = "rogan-gladen, beta-binomial over models"


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected:
    """A corrected rate with its 95 % interval, or the reason why there is none.

    `n_labels` counts the human labels used, those of a judge card where it is corrected by one;
    `n` counts the judged cases. `value`, `low` and `high` are None just where `reason` is not.
    """

    value: float | None
    low: float | None
    high: float | None
    n_labels: int
    n: int
    method: str
    reason: str | None = None

    def to_row(self) -> dict[str, Any]:
        """Return the figure as one JSON object."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def corrected(
    judged: npt.ArrayLike, human: npt.ArrayLike, chance: npt.ArrayLike, clusters: npt.ArrayLike
) -> Corrected:
    """Correct a rate by human labels on a random sample of its cases (`two_phase`).

    With under 10 clusters that have a label of either kind, under 30 that have any, or no label
    where the judge gave one of its answers, it is the exact interval of the labels alone.

    Args:
        judged: The judge's 1 or 0 of each case.
        human: The people's 1 or 0 of each labelled case, NaN of the others.
        chance: The probability with which each case was drawn, in (0, 1]; it is read of labelled
            cases only.
        clusters: What each case's group is called.

    Raises:
        BadInput: If the columns differ in length, or hold another value.
    """
    from convsafe.benchmark.two_phase import moments, rates

    answers, labels, weight, groups = _columns(judged, human, chance, clusters)
    n, n_labels = len(answers), int((labels == labels).sum())
    if not n_labels:
        return _refused("no case of these has a human label", 0, n, POWERED)
    found = rates(moments(answers, labels, weight, groups))
    return _given(found, n_labels, n, LABELS_ALONE if found.alone else POWERED)


def _columns(
    judged: npt.ArrayLike, human: npt.ArrayLike, chance: npt.ArrayLike, clusters: npt.ArrayLike
) -> tuple[Floats, Floats, Floats, Ints]:
    """Return the columns as arrays, with weights for the chances, if they are what they must be."""
    import numpy as np

    answers, labels, chances = (np.asarray(given, float) for given in (judged, human, chance))
    groups = np.asarray(clusters)
    if sizes := {len(column) for column in (labels, chances, groups)} - {len(answers)}:
        raise BadInput(f"columns of {len(answers)} and {min(sizes)} rows do not belong together")
    labelled = ~np.isnan(labels)
    rules = {
        "a judge's answer": np.isin(answers, (0, 1)),
        "a human label": np.isin(labels, (0, 1)) | ~labelled,
        "an inclusion probability": ~labelled | ((chances > 0) & (chances <= 1)),
    }
    for what, held in rules.items():
        if not held.all():
            row = int(np.flatnonzero(~held)[0])
            raise BadInput(f"row {row + 1} has {what} that is none; take it out or repair it")
    weight = 1 / np.where(labelled, chances, 1)
    return answers, labels, weight, cluster_numbers(groups) if len(groups) else groups.astype(int)


def corrected_assumed(
    judged: npt.ArrayLike, clusters: npt.ArrayLike, quality: Quality
) -> Corrected:
    """Correct a rate by the sensitivity and specificity that a judge card shows.

    It assumes that the judge is to this model as to one of those in the card; never rank by it.

    Args:
        judged: The judge's 1 or 0 of each case.
        clusters: What each case's group is called.
        quality: What the card shows, one count a model.

    Raises:
        BadInput: If the columns differ in length, or hold another value.
    """
    import numpy as np
    from convsafe.benchmark.random_effects import WEAKEST, assumed, predict

    answers = np.asarray(judged, float)
    answers, _, _, groups = _columns(answers, np.full(len(answers), np.nan), answers, clusters)
    n, n_labels = len(answers), quality.labels
    if reason := quality.lacking or (None if n else "there is no judged case"):
        return _refused(reason, n_labels, n, ASSUMED)
    trials = n**2 / float((np.bincount(groups) ** 2).sum())
    events = answers.mean() * trials
    counts = np.array(quality.sensitivity, float).T, np.array(quality.specificity, float).T
    judge = predict(*counts[0], *counts[1])
    found = assumed(np.asarray(events), np.asarray(trials), judge)
    if found.weakest <= WEAKEST:
        reason = (
            "the judge is too weak to correct: sensitivity + specificity - 1 may be as low as"
            f" {float(found.weakest):.2f} on another model, and must be above {WEAKEST};"
            " label a sample of this run"
        )
        return _refused(reason, n_labels, n, ASSUMED)
    if found.outside:
        reason = (
            f"the judged rate {answers.mean():.3f} is not one that the card's sensitivity and"
            " specificity can give at any true rate: they are not those of this run;"
            " label a sample of it"
        )
        return _refused(reason, n_labels, n, ASSUMED)
    return _given(found, n_labels, n, ASSUMED)


def _given(found: Rates | Assumed, n_labels: int, n: int, method: str) -> Corrected:
    return Corrected(
        value=float(found.value),
        low=float(found.low),
        high=float(found.high),
        n_labels=n_labels,
        n=n,
        method=method,
    )


def _refused(reason: str, n_labels: int, n: int, method: str) -> Corrected:
    return Corrected(
        value=None, low=None, high=None, n_labels=n_labels, n=n, method=method, reason=reason
    )
