"""Fit logistic models over signs and over phrases, the same way every time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

DIGITS = 3


def logistic(
    features: Any, truth: Floats, weights: Floats, offset: Floats, strength: float
) -> tuple[Floats, float]:
    """Return the coefficients and constant of a logistic regression with an L2 penalty.

    Args:
        features: Rows by columns, a sparse matrix.
        truth: 0 or 1 of each row.
        weights: What each row counts.
        offset: Log-odds that each row has already.
        strength: The penalty's inverse, C in scikit-learn's terms.
    """
    import numpy as np
    from scipy.optimize import minimize

    signed, columns = 2 * truth - 1, features.shape[1]

    def loss(given: Floats) -> tuple[float, Floats]:
        margin = (features @ given[:columns] + given[columns] + offset) * signed
        pull = -weights * signed / (1 + np.exp(np.clip(margin, -50, 50)))
        cost = float(weights @ np.logaddexp(0, -margin))
        cost += float(given[:columns] @ given[:columns]) / (2 * strength)
        return cost, np.append(features.T @ pull + given[:columns] / strength, pull.sum())

    found = minimize(
        loss, np.zeros(columns + 1), jac=True, method="L-BFGS-B", options={"maxiter": 500}
    ).x
    return found[:columns], float(found[columns])


def balanced(sources: Sequence[str], truth: Floats, shares: Mapping[str, float]) -> Floats:
    """Return weights by which each set counts by its size and share, and its classes the same."""
    import numpy as np

    names, weights = np.array(sources), np.zeros(len(truth))
    for source, share in shares.items():
        inside = names == source
        for value in (0, 1):
            some = inside & (truth == value)
            weights[some] = share * inside.sum() / 2 / max(some.sum(), 1)
    return weights


def fit_signs(
    signs: pl.DataFrame, truth: Floats, weights: Floats, offset: Floats, strength: float = 0.1
) -> tuple[float, dict[str, dict[str, float]]]:
    """Return the constant and a weight for each value of each column.

    Args:
        signs: Columns of words, one row a reply.
        truth: 0 or 1 of each row.
        weights: What each row counts.
        offset: Log-odds that each row has already.
        strength: The penalty's inverse.
    """
    from scipy.sparse import csr_matrix

    # A value of a column becomes a column of its own, named by both.
    coded = signs.to_dummies(separator="\0")
    found, constant = logistic(
        csr_matrix(coded.to_numpy().astype(float)), truth, weights, offset, strength
    )
    table: dict[str, dict[str, float]] = {name: {} for name in signs.columns}
    for name, value in sorted(zip(coded.columns, found, strict=True)):
        column, _, word = name.partition("\0")
        table[column][word] = round(float(value), DIGITS)
    return round(constant, DIGITS), table


def platt(odds: Floats, truth: Floats, weights: Floats) -> tuple[float, float]:
    """Return the scale and shift that turn log-odds into calibrated ones (Platt, 1999)."""
    import numpy as np
    from scipy.sparse import csr_matrix

    scale, shift = logistic(
        csr_matrix(odds.reshape(-1, 1)), truth, weights, np.zeros(len(odds)), 100.0
    )
    return round(float(scale[0]), DIGITS), round(shift, DIGITS)
