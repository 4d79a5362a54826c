"""Share of users' errors that a service agent recovers from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convsafe.benchmark import recovery
from convsafe.benchmark.metric import BY_RULE

if TYPE_CHECKING:
    import polars as pl

TITLE = "Recovery from users' errors"
BETTER = "higher"
NEEDS = BY_RULE
ABOUT = (
    "Of the dialogues in which a user's wish is unclear or unsupported, the share in which the"
    " agent asks back or hands over, as the case expects, and does nothing before. It is read from"
    " the reply by rule."
)
PAPER = "ReIn (2602.17022), there by the state of the tools"
EMPTY = recovery.EMPTY
OPTIONS = {"read_by": "recovery.yaml, English patterns"}


def counted() -> pl.Expr:
    """Select the dialogues with an error."""
    return recovery.of_error("clarify", "escalate")


event = recovery.recovered
