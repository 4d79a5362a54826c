"""Intervals that coverage is shown beside: what others do, or would."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convsafe.benchmark.beta_intervals import Ends
from convsafe.benchmark.intervals import wilson
from convsafe.benchmark.two_phase import CASES, YES, Moments, clustered_variance, parts_of

if TYPE_CHECKING:
    from convsafe.benchmark.bootstrap import Floats

_Z = 1.959963984540054


def normal(found: Moments) -> Ends:
    """Return the normal interval of PPI++ with its tuned λ, over clusters."""
    import numpy as np

    parts = parts_of(found)
    half = _Z * np.sqrt(clustered_variance(found, parts))
    return Ends(parts.value - half, parts.value + half)


def uncorrected(found: Moments) -> Ends:
    """Return Wilson's interval of the judged rate, with clusters as trials."""
    clusters = found.clusters[..., 0]
    share = found.totals[..., YES] / found.totals[..., CASES]
    return Ends(*wilson(share * clusters, clusters))


def plug_in(found: Moments, sensitivity: Floats, specificity: Floats) -> Ends:
    """Return the uncorrected ends put into Rogan and Gladen's formula, as if it were certain."""
    import numpy as np

    youden = sensitivity + specificity - 1
    low, high = (
        np.clip((end + specificity - 1) / np.where(youden > 0, youden, np.nan), 0, 1)
        for end in uncorrected(found)
    )
    return Ends(low, high)
