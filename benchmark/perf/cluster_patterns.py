"""Simulated runs of clusters of four cases, drawn as counts of the patterns that there can be.

In a cluster the true answers, the hits among the harmful and the false alarms among the harmless
are beta-binomial, each with the same correlation. Every case is drawn for labelling on its own,
with a chance that may depend on the judge's answer. So clusters are independent and of 330
patterns, whose counts are multinomial: a run of any size is one draw, and no case is simulated.
"""

from __future__ import annotations

import itertools
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from convsafe.benchmark.two_phase import Moments

if TYPE_CHECKING:
    import numpy as np
    from convsafe.benchmark.bootstrap import Floats, Ints

SIZE = 4


class Patterns(NamedTuple):
    """Cases of each pattern by truth and judge's answer: hit, missed, alarmed, rejected.

    Both arrays are (patterns, 4); `labelled` are among `cases`.
    """

    cases: Ints
    labelled: Ints


class Chances(NamedTuple):
    """The probability of being drawn where the judge said yes and no, one of each run."""

    yes: Floats
    no: Floats


@cache
def patterns() -> Patterns:
    """Return every way to share four cases out to four answers, labelled or not."""
    import numpy as np

    # Bars between stars: the gaps are the counts.
    bars = itertools.combinations(range(SIZE + 7), 7)
    shares = np.array([np.diff([-1, *places, SIZE + 7]) - 1 for places in bars])
    plain, labelled = shares[:, :4], shares[:, 4:]
    return Patterns(plain + labelled, labelled)


def log_beta_binomial(events: Ints, n: Ints, rate: Floats, correlation: float) -> Floats:
    """Return the log probability of events among n with this rate and correlation."""
    from scipy.special import betaln

    scale = 1 / correlation - 1
    first, second = rate * scale, (1 - rate) * scale
    found: Floats = (
        log_choices(events, n) + betaln(events + first, n - events + second) - betaln(first, second)
    )
    return found


def log_choices(events: Ints, n: Ints) -> Floats:
    """Return the log number of ways to choose events from n."""
    from scipy.special import gammaln

    found: Floats = gammaln(n + 1) - gammaln(events + 1) - gammaln(n - events + 1)
    return found


def draw(
    random: np.random.Generator,
    clusters: int,
    rate: float,
    sensitivity: Floats,
    specificity: Floats,
    chances: Chances,
    correlation: float,
) -> Moments:
    """Return the moments of one run for each sensitivity."""
    import numpy as np

    cases, labelled = patterns()
    harmful = cases[:, 0] + cases[:, 1]
    logs = log_beta_binomial(harmful, np.full_like(harmful, SIZE), np.array(rate), correlation)
    logs = logs + log_beta_binomial(cases[:, 0], harmful, sensitivity[:, None], correlation)
    logs += log_beta_binomial(cases[:, 2], SIZE - harmful, 1 - specificity[:, None], correlation)
    for answer in range(4):
        chance = (chances.no if answer % 2 else chances.yes)[:, None]
        drawn, of = labelled[:, answer], cases[:, answer]
        logs += log_choices(drawn, of) + drawn * np.log(chance) + (of - drawn) * np.log1p(-chance)
    likely = np.exp(logs)
    counts = random.multinomial(clusters, likely / likely.sum(1, keepdims=True))
    return _moments(counts, clusters, chances)


def _moments(counts: Ints, clusters: int, chances: Chances) -> Moments:
    import numpy as np

    cases, labelled = patterns()
    hit, missed, alarmed, rejected = labelled.T
    no, yes = missed + rejected, hit + alarmed
    columns = (np.full_like(no, SIZE), cases[:, 0] + cases[:, 2], no, missed, yes, hit)
    sums = np.stack(columns, axis=-1).astype(float)
    totals = counts @ sums
    products = counts @ (sums[:, :, None] * sums[:, None, :]).reshape(len(sums), -1)
    ones = np.ones_like(chances.no)
    weights = np.stack([ones, ones, *[1 / chances.no] * 2, *[1 / chances.yes] * 2], axis=-1)
    kinds = np.stack([alarmed + rejected, hit + missed, no + yes], axis=-1) > 0
    held = (counts @ kinds).astype(float)
    return Moments(
        totals=totals * weights,
        products=products.reshape(-1, 6, 6) * weights[:, :, None] * weights[:, None, :],
        squares=totals[:, [2, 4]] * weights[:, [2, 4]] ** 2,
        labelled=held[:, :2],
        clusters=np.stack([clusters * ones, held[:, 2]], axis=-1),
    )
