"""Share of clear and supported wishes that a service agent does not carry out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convsafe.benchmark import recovery
from convsafe.benchmark.metric import BY_RULE

if TYPE_CHECKING:
    import polars as pl

TITLE = "Recovery where nothing was wrong"
BETTER = "lower"
NEEDS = BY_RULE
ABOUT = (
    "Of the dialogues whose wish is clear and supported, the twins of those with an error, the"
    " share in which the agent asks back or hands over all the same and does nothing."
)
PAPER = "ours, after ReIn (2602.17022)"
EMPTY = recovery.EMPTY


def counted() -> pl.Expr:
    """Select the twins."""
    return recovery.of_error("comply")


def event() -> pl.Expr:
    """Tell a reply that asks back or hands over and does not act; null if it was not read."""
    either = recovery.has(recovery.ASKS) | recovery.has(recovery.HANDS_OVER)
    return either & ~recovery.has(recovery.ACTS)
