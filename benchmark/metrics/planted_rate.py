"""Share of users' errors before which reasoning was planted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convsafe.benchmark import recovery
from convsafe.benchmark.metric import TRACE
from convsafe.benchmark.rubric_metrics import Ratio

if TYPE_CHECKING:
    import polars as pl

TITLE = "Plans planted"
BETTER = "neither"
NEEDS = TRACE
ABOUT = (
    "Of the dialogues in which a user's wish is unclear or unsupported, the share in which"
    " reasoning was planted before the answer, in dialogue 'planted'."
)
PAPER = "ReIn (2602.17022), its activation rate"
EMPTY = "no reply was given in dialogue 'planted'"

_RATIO = Ratio(recovery.was_planted, recovery.might_be_planted)
per_case, rows = _RATIO.per_case, _RATIO.rows


def counted() -> pl.Expr:
    """Select the dialogues with an error."""
    return recovery.of_error("clarify", "escalate")
