"""Fit logistic models over signs and phrases, the same way every time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

DIGITS = 3
# Newton steps end when no coefficient moves by more than this: far below the digits kept, or, where
# weights are only measured with, a digit above, from where the next step would move hardly any.
STILL, CLOSE = 1e-10, 1e-3
_STEPS = 8


def logistic(
    features: Any,
    truth: Floats,
    weights: Floats,
    offset: Floats,
    strength: float,
    still: float = STILL,
) -> tuple[Floats, float]:
    """Return the coefficients and constant of a logistic regression with an L2 penalty.

    The cost is strictly convex. It is followed far past the digits that are kept, by Newton steps
    that look at slopes alone, so that the last bits of another processor lead to the same weights.

    Args:
        features: Rows by columns, a sparse matrix.
        truth: 0 or 1 of each row.
        weights: What each row counts.
        offset: Log-odds that each row has already.
        strength: The penalty's inverse, C in scikit-learn's terms.
        still: STILL or CLOSE.
    """
    import numpy as np
    from scipy.optimize import minimize

    cost = _Cost(features, 2 * truth - 1, weights, offset, strength)
    found = minimize(
        cost.value_and_slope,
        np.zeros(features.shape[1] + 1),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 1000, "maxcor": 20, "ftol": 1e-6, "gtol": 1e-4},
    ).x
    for _ in range(_STEPS):
        step = cost.newton_step(found)
        found = found + step
        if np.abs(step).max() < still:
            break
    return found[:-1], float(found[-1])


class _Cost:
    """The cost of coefficients and a constant, given as one array, with what it leans to there."""

    def __init__(
        self, features: Any, signed: Floats, weights: Floats, offset: Floats, strength: float
    ) -> None:
        """Hold what `logistic` is given, with -1 or 1 of each row."""
        self._features, self._turned = features, features.T.tocsr()
        self._signed, self._weights, self._offset = signed, weights, offset
        self._strength = strength

    def value_and_slope(self, given: Floats) -> tuple[float, Floats]:
        """Return the cost and its slope."""
        import numpy as np

        margin = self._margins(given)
        cost = float(self._weights @ np.logaddexp(0, -margin))
        cost += float(given[:-1] @ given[:-1]) / (2 * self._strength)
        return cost, self._slope(given, margin)

    def newton_step(self, given: Floats) -> Floats:
        """Return how far the lowest point lies, as of the bend of the cost here."""
        import numpy as np
        from scipy.sparse.linalg import LinearOperator, cg

        margin = self._margins(given)
        bend = self._weights / (2 + np.exp(margin) + np.exp(-margin))

        def curved(step: Floats) -> Floats:
            moved = bend * (self._features @ step[:-1] + step[-1])
            return np.append(self._turned @ moved + step[:-1] / self._strength, moved.sum())

        bent = LinearOperator((len(given), len(given)), curved)
        step: Floats = cg(bent, -self._slope(given, margin), rtol=1e-3, maxiter=200)[0]
        return step

    def _margins(self, given: Floats) -> Floats:
        import numpy as np

        found: Floats = (self._features @ given[:-1] + given[-1] + self._offset) * self._signed
        return np.clip(found, -50, 50)

    def _slope(self, given: Floats, margin: Floats) -> Floats:
        import numpy as np

        pull = -self._weights * self._signed / (1 + np.exp(margin))
        return np.append(self._turned @ pull + given[:-1] / self._strength, pull.sum())


def balanced(
    sources: Sequence[str], truth: Floats, shares: Mapping[str, float], most: float
) -> Floats:
    """Return weights of rows: a set counts by its share, its classes alike.

    A large set counts by the root of its size, so that it does not drown the others. The weights
    of all rows that count have the mean 1.

    Args:
        sources: The set of each row.
        truth: 0 or 1 of each row.
        shares: What each set counts for; another counts nothing.
        most: How many times what its rows alone would a rare class counts at most.
    """
    import numpy as np

    names, weights = np.array(sources), np.zeros(len(truth))
    for source, share in shares.items():
        inside = names == source
        size = max(inside.sum(), 1)
        for value in (0, 1):
            some = inside & (truth == value)
            rarity = min(size / 2 / max(some.sum(), 1), most)
            weights[some] = share * rarity / np.sqrt(size)
    return _with_mean_one(weights)


def by_set(sources: Sequence[str], shares: Mapping[str, float]) -> Floats:
    """Return weights of rows: a set counts by its share and the root of its size.

    Args:
        sources: The set of each row.
        shares: What each set counts for; another counts nothing.
    """
    import numpy as np

    names, weights = np.array(sources), np.zeros(len(sources))
    for source, share in shares.items():
        inside = names == source
        weights[inside] = share / np.sqrt(max(inside.sum(), 1))
    return _with_mean_one(weights)


def _with_mean_one(weights: Floats) -> Floats:
    """Return weights of which those that count have the mean 1."""
    counting = weights > 0
    return weights / weights[counting].mean() if counting.any() else weights


def one_hot(signs: pl.DataFrame, rows: NDArray[Any]) -> tuple[Any, list[tuple[str, str]]]:
    """Return a sparse matrix of 0 and 1 with a column for each value of each column, and those.

    Args:
        signs: Columns of words; none gives a matrix without columns.
        rows: The numbers of the rows that are taken.
    """
    import numpy as np
    from scipy import sparse

    size = len(rows)
    parts, names = [sparse.csr_matrix((size, 0))], []
    for column in signs.columns:
        values, codes = np.unique(signs[column].to_numpy()[rows], return_inverse=True)
        names += [(column, str(value)) for value in values]
        places = (np.ones(size), (np.arange(size), codes))
        parts.append(sparse.csr_matrix(places, shape=(size, len(values))))
    return sparse.hstack(parts, format="csr"), names


def platt(odds: Floats, truth: Floats, weights: Floats) -> tuple[float, float]:
    """Return the scale and shift that turn log-odds into those of a calibrated probability.

    Platt (1999), Probabilistic outputs for support vector machines, without its smoothing of
    targets. A scale below 0.05 is not returned: it would turn the order round.
    """
    found, shift = logistic(
        _column(odds), truth, weights, odds * 0.0, strength=1e6 / max(len(odds), 1)
    )
    return max(round(float(found[0]), DIGITS), 0.05), round(shift, DIGITS)


def _column(values: Floats) -> Any:
    from scipy import sparse

    return sparse.csr_matrix(values.reshape(-1, 1))
