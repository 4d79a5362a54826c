"""Figures as people read them."""

from __future__ import annotations

from functools import cache

from convsafe.benchmark.corrections import BY_CARD, BY_LABELS
from convsafe.benchmark.metric import METRICS, load_metric
from convsafe.taxonomy.records import Estimate


def percent(estimate: Estimate) -> str:
    """Return a figure as people read it, or why there is none; shares are in percent."""
    if estimate.value is None:
        return "no figure" if estimate.n else "no case"
    if not _is_share(estimate.metric):
        return f"{estimate.value:.2f}"
    return f"{100 * estimate.value:.1f} %"


def interval(estimate: Estimate) -> str:
    """Return a figure's 95 % interval as people read it."""
    if estimate.low is None or estimate.high is None:
        return ""
    if not _is_share(estimate.metric):
        return f"{estimate.low:.2f} to {estimate.high:.2f}"
    return f"{_end(estimate.low)} to {_end(estimate.high)}"


# Of a share, of a difference of shares, and of one of such differences.
_SHARES = ((0.0, 1.0), (-1.0, 1.0), (-2.0, 2.0))


@cache
def _is_share(name: str) -> bool:
    """Tell whether a figure is a share, or a difference of shares."""
    name = name.removeprefix(BY_CARD).removeprefix(BY_LABELS)
    # Every metric of the catalogue has a range; what else is reported is a share.
    return name not in METRICS.names() or load_metric(name).range in _SHARES


def _end(share: float) -> str:
    """Return one end in percent; rounding must not make a share look certain."""
    if 0 < share < 0.0005:
        return "<0.1"
    return ">99.9" if 0.9995 <= share < 1 else f"{100 * share:.1f}"
