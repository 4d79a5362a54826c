"""What a judge may reach on a model it was never measured on, and rates corrected by that.

Sensitivities and specificities of several models are pooled on the logit scale with a random effect
(DerSimonian and Laird, 1986); the variance of their mean is that of Hartung and Knapp (2001), never
below the usual one. A new model's value is predicted with Student's t on two degrees of freedom
fewer than there are models (Higgins, Thompson and Spiegelhalter, 2009). A rate is corrected after
Rogan and Gladen (1978), `(m + Sp - 1) / (Se + Sp - 1)`, for many points of the predictions and of
the judged rate's own confidence distribution, whose quantiles are the interval. Se and Sp are taken
as independent.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from convsafe.benchmark.intervals import LEVEL

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from convsafe.benchmark.bootstrap import Floats

# Youden's J = Se + Sp - 1 must be above this at the lower end of its 95 % interval.
WEAKEST = 0.2
FEWEST_MODELS = 3
_POINTS, _SEED = 1024, 20261127


class Predicted(NamedTuple):
    """A share on the logit scale for a model yet unseen: centre, spread and degrees of freedom."""

    centre: Floats
    spread: Floats
    freedom: int


class Assumed(NamedTuple):
    """Corrected rates with intervals; `weakest` is the lower end of Youden's J.

    Where `weakest` is at or below `WEAKEST`, or the interval lies wholly below 0 or above 1
    (`outside`), the figures are not to be used.
    """

    value: Floats
    low: Floats
    high: Floats
    weakest: Floats
    outside: npt.NDArray[np.bool_]


def predict(right: Floats, n: Floats) -> Predicted:
    """Pool shares of several models and predict that of another.

    Args:
        right: Counts of right answers, (…, models), at least 3 models.
        n: Of how many, all above 0; the same shape.
    """
    import numpy as np

    right, wrong = right + 0.5, n - right + 0.5
    logits, variance = np.log(right / wrong), 1 / right + 1 / wrong
    between = _between(logits, 1 / variance)
    weights = 1 / (variance + between[..., None])
    total = weights.sum(-1)
    centre = (weights * logits).sum(-1) / total
    freedom = logits.shape[-1] - 1
    ratio = (weights * (logits - centre[..., None]) ** 2).sum(-1) / freedom
    return Predicted(centre, np.sqrt(between + np.maximum(ratio, 1) / total), freedom - 1)


def _between(logits: Floats, weights: Floats) -> Floats:
    """Return the variance between models by the method of moments, at least 0."""
    import numpy as np

    total = weights.sum(-1)
    centre = (weights * logits).sum(-1, keepdims=True) / total[..., None]
    excess = (weights * (logits - centre) ** 2).sum(-1) - (logits.shape[-1] - 1)
    found: Floats = np.maximum(excess / (total - (weights**2).sum(-1) / total), 0)
    return found


@cache
def _points() -> Floats:
    """Return points spread evenly over the unit cube, the same every time."""
    from scipy.stats import qmc

    points: Floats = qmc.Sobol(3, scramble=True, seed=_SEED).random(_POINTS)
    return points


def assumed(events: Floats, n: Floats, sensitivity: Predicted, specificity: Predicted) -> Assumed:
    """Correct judged rates for what the judge may miss and invent on a model yet unseen.

    Args:
        events: Judged yes, any shape.
        n: Trials, the same shape.
        sensitivity: Predicted for this model.
        specificity: Predicted for this model.
    """
    import numpy as np
    from scipy.special import expit

    points = _points()
    found, right = _drawn(sensitivity, points[:, 0]), _drawn(specificity, points[:, 1])
    youden = found + right - 1
    judged = _judged(events, n, points[:, 2])
    # Points with a useless judge have no rate: they count for both ends as the widest there is.
    rates = (judged + right - 1) / np.where(youden > 0, youden, np.nan)
    tails = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    low = np.quantile(np.where(np.isnan(rates), -np.inf, rates), tails[0], -1, method="lower")
    high = np.quantile(np.where(np.isnan(rates), np.inf, rates), tails[1], -1, method="higher")
    centre, inverse = expit(sensitivity.centre), expit(specificity.centre) - 1
    plain = (events / n + inverse) / np.maximum(centre + inverse, 1e-9)
    outside = (high <= 0) | (low >= 1)
    low, high = np.clip(low, 0, 1), np.clip(high, 0, 1)
    weakest = np.quantile(youden, tails[0], -1)
    return Assumed(np.clip(plain, low, high), low, high, weakest, outside)


def _drawn(predicted: Predicted, points: Floats) -> Floats:
    """Return the shares of the prediction at these points of probability."""
    from scipy.special import expit, stdtrit

    steps = stdtrit(predicted.freedom, points)
    found: Floats = expit(predicted.centre[..., None] + predicted.spread[..., None] * steps)
    return found


def _judged(events: Floats, n: Floats, points: Floats) -> Floats:
    """Return the judged rate whose score test (Wilson, 1927) has these points of probability."""
    import numpy as np
    from scipy.special import ndtri

    z, n = ndtri(points), n[..., None]
    rate = events[..., None] / n
    root = np.sqrt(rate * (1 - rate) / n + z**2 / (4 * n**2))
    found: Floats = (rate + z**2 / (2 * n) + z * root) / (1 + z**2 / n)
    return found
