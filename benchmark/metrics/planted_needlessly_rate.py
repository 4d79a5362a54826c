"""Share of clear wishes before which reasoning was planted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convsafe.benchmark import recovery
from convsafe.benchmark.metric import TRACE
from convsafe.benchmark.rubric_metrics import Ratio

if TYPE_CHECKING:
    import polars as pl

TITLE = "Plans planted where nothing was wrong"
BETTER = "lower"
NEEDS = TRACE
ABOUT = (
    "Of the dialogues whose wish is clear and supported, the share in which reasoning"
    " was planted before the answer, in dialogue 'planted'."
)
PAPER = "ours, after ReIn (2602.17022)"
EMPTY = "no reply was given in dialogue 'planted'"

_RATIO = Ratio(recovery.was_planted, recovery.might_be_planted)
per_case, rows = _RATIO.per_case, _RATIO.rows


def counted() -> pl.Expr:
    """Select the dialogues whose wish is clear."""
    return recovery.of_error("comply")
