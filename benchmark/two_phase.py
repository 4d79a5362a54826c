"""A rate from judge answers on every case and human labels on a random sample of them.

Prediction-powered inference (Angelopoulos, Duchi and Zrnic, 2023, "PPI++") estimates the rate as
`mean(λ f) + mean over labels(y - λ f)`. With a yes-or-no judge whose labelled cases are among the
judged ones, the tuned λ, cov(y, f) / var(f), is `q1 - q0`, and the estimate is that of double
sampling (Tenenbein, 1970): `m q1 + (1 - m) q0`, where `m` is the judge's rate and `q1` and `q0` are
the shares of human yes where the judge said yes and no.

Its normal interval fails where few labels differ from the judge. Here `m`, `q1` and `q0` get
Jeffreys intervals, put together by the method of variance estimates recovery (Zou and Donner,
2008). Counts are divided by the design effect: the variance of the estimate over clusters by that
of independent cases, and at least 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from convsafe.benchmark.beta_intervals import Ends, exact, jeffreys

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from convsafe.benchmark.bootstrap import Floats, Ints

# With fewer clusters that have a label of either kind, or any, the labels alone are counted.
FEWEST_OF_A_KIND, FEWEST_CLUSTERS = 10, 30
# The sums of a cluster: cases, judged yes, and weight and weighted yes by the judge's answer.
CASES, YES, _W0, _P0, _W1, _P1 = range(6)


class Moments(NamedTuple):
    """All that the estimates need of one run, or of many along leading axes.

    Args:
        totals: Sums over clusters, (…, 6): cases, judged yes; weight and weighted human yes of
            the labels where the judge said no; the same where it said yes.
        products: Sums over clusters of the products of each two of these, (…, 6, 6).
        squares: Sums of squared weights, by the judge's answer, (…, 2).
        labelled: How many clusters have a label that says no, and one that says yes, (…, 2).
        clusters: How many clusters there are, and how many with a label, (…, 2).
    """

    totals: Floats
    products: Floats
    squares: Floats
    labelled: Floats
    clusters: Floats


class Rates(NamedTuple):
    """Values with 95 % intervals; `alone` where they are from the labels alone."""

    value: Floats
    low: Floats
    high: Floats
    alone: npt.NDArray[np.bool_]


def moments(judged: Floats, human: Floats, weight: Floats, clusters: Ints) -> Moments:
    """Return the moments of one run.

    Args:
        judged: 1 or 0 of each case.
        human: 1 or 0 of each labelled case, NaN of the others.
        weight: 1 / the probability with which a case was drawn; of no effect without a label.
        clusters: The cluster of each case, counted from 0.
    """
    import numpy as np

    labelled = ~np.isnan(human)
    human, weight = np.where(labelled, human, 0.0), np.where(labelled, weight, 0.0)
    yes, no = weight * judged, weight * (1 - judged)
    columns = (np.ones_like(judged), judged, no, no * human, yes, yes * human)
    sums = np.stack([np.bincount(clusters, column) for column in columns], axis=-1)
    kinds = (labelled & (human == 0), labelled & (human == 1), labelled)
    no_label, yes_label, any_label = (float(np.unique(clusters[kind]).size) for kind in kinds)
    return Moments(
        totals=sums.sum(0),
        products=sums.T @ sums,
        squares=np.array([(no**2).sum(), (yes**2).sum()]),
        labelled=np.array([no_label, yes_label]),
        clusters=np.array([float(len(sums)), any_label]),
    )


def rates(found: Moments) -> Rates:
    """Return the corrected rates, from the labels alone where these are few.

    They are few with under 10 clusters that have one of either kind, under 30 that have any, or
    none where the judge gave one of its answers.
    """
    import numpy as np

    cases, yes = found.totals[..., CASES], found.totals[..., YES]
    given = np.stack([cases - yes, yes], -1) > 0
    lacking = given & (found.totals[..., [_W0, _W1]] <= 0)
    alone = (
        (found.labelled.min(-1) < FEWEST_OF_A_KIND)
        | (found.clusters[..., 1] < FEWEST_CLUSTERS)
        | lacking.any(-1)
    )
    plain, powered = labels_alone(found), _powered(found)
    value, low, high = (np.where(alone, plain[end], powered[end]) for end in range(3))
    return Rates(value, low, high, alone)


def labels_alone(found: Moments) -> tuple[Floats, Floats, Floats]:
    """Return the rates in the labels with their exact intervals, lower and upper ends.

    The trials are Kish's (1965) effective number of labelled clusters: weights and clusters of
    unequal size only widen the interval.
    """
    import numpy as np

    weight = found.totals[..., _W0] + found.totals[..., _W1]
    events = found.totals[..., _P0] + found.totals[..., _P1]
    both = [_W0, _W1]
    square = found.products[..., both, :][..., both].sum((-1, -2))
    n = weight**2 / np.where(square > 0, square, 1)
    value = events / np.where(weight > 0, weight, 1)
    return value, *exact(value * n, n)


class Parts(NamedTuple):
    """The judge's rate and the human shares under either answer; the rate is made of them."""

    judged: Floats
    no: Floats
    yes: Floats

    @property
    def value(self) -> Floats:
        """The rate, as PPI++ estimates it."""
        return self.judged * self.yes + (1 - self.judged) * self.no


def _powered(found: Moments) -> tuple[Floats, Floats, Floats]:
    """Return the rates that PPI++ tunes to, with their intervals."""
    import numpy as np

    parts, n = parts_of(found), _trials(found)
    effect = _effect(found, parts, n)
    ends = [
        jeffreys(part * size / effect, size / effect) for part, size in zip(parts, n, strict=True)
    ]
    below, above = _recovered(parts, *ends)
    value = parts.value
    return value, np.clip(value - below, 0, 1), np.clip(value + above, 0, 1)


def parts_of(found: Moments) -> Parts:
    """Return what the rate is made of."""
    totals = found.totals
    return Parts(
        totals[..., YES] / totals[..., CASES],
        _share(totals[..., _P0], totals[..., _W0]),
        _share(totals[..., _P1], totals[..., _W1]),
    )


def _share(part: Floats, whole: Floats) -> Floats:
    import numpy as np

    found: Floats = part / np.where(whole > 0, whole, 1)
    return found


def _trials(found: Moments) -> tuple[Floats, Floats, Floats]:
    """Return the cases, and the effective numbers of labels under either answer (Kish, 1965)."""
    squares = found.squares
    no = _share(found.totals[..., _W0] ** 2, squares[..., 0])
    yes = _share(found.totals[..., _W1] ** 2, squares[..., 1])
    return found.totals[..., CASES], no, yes


def _effect(found: Moments, parts: Parts, n: tuple[Floats, Floats, Floats]) -> Floats:
    """Return the variance over clusters by that of as many independent cases, at least 1."""
    import numpy as np

    shares = (parts.yes - parts.no, 1 - parts.judged, parts.judged)
    simple = sum(
        share**2 * part * (1 - part) / np.maximum(size, 1)
        for share, part, size in zip(shares, parts, n, strict=True)
    )
    variance = clustered_variance(found, parts)
    found_effect: Floats = np.maximum(variance / np.where(simple > 0, simple, np.inf), 1)
    return found_effect


def clustered_variance(found: Moments, parts: Parts) -> Floats:
    """Return the variance of the estimate by linearisation over clusters (Binder, 1983)."""
    import numpy as np

    totals, tuned = found.totals, parts.yes - parts.no
    cases, clusters = totals[..., CASES], found.clusters[..., 0]
    no = _share(1 - parts.judged, totals[..., _W0])
    yes = _share(parts.judged, totals[..., _W1])
    # What a cluster adds to the estimate is linear in its sums.
    slope = np.stack(
        [-tuned * parts.judged / cases, tuned / cases, -no * parts.no, no, -yes * parts.yes, yes],
        -1,
    )
    variance = np.einsum("...i,...ij,...j->...", slope, found.products, slope)
    found_variance: Floats = variance * clusters / np.maximum(clusters - 1, 1)
    return found_variance


def _recovered(parts: Parts, judged: Ends, no: Ends, yes: Ends) -> tuple[Floats, Floats]:
    """Return how far the interval of the whole goes down and up, from those of its parts."""
    import numpy as np

    tuned = parts.yes - parts.no
    down, up = parts.judged - judged.low, judged.high - parts.judged
    falls, rises = np.where(tuned > 0, down, up), np.where(tuned > 0, up, down)
    share = parts.judged
    below = [tuned * falls, (1 - share) * (parts.no - no.low), share * (parts.yes - yes.low)]
    above = [tuned * rises, (1 - share) * (no.high - parts.no), share * (yes.high - parts.yes)]
    return np.sqrt(sum(part**2 for part in below)), np.sqrt(sum(part**2 for part in above))
