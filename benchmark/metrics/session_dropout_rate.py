"""Share of sessions that the simulated user left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convsafe.benchmark.metrics import _sessions

if TYPE_CHECKING:
    import polars as pl

TITLE = "Sessions dropped out"
BETTER = "lower"
NEEDS = "trace"
ABOUT = (
    "The share of sessions in which the simulated user gives up and leaves before the turns are"
    " used."
)
PAPER = _sessions.PAPER
EMPTY = _sessions.EMPTY
RANGE = (0.0, 1.0)
SLICES = _sessions.SLICES

counted = _sessions.every
replies = _sessions.is_session
rows = _sessions.rows
combine = _sessions.within(*RANGE)


def per_case() -> dict[str, pl.Expr]:
    """Count the sessions that were left."""
    return _sessions.sums(_sessions.happened("dropout"))
