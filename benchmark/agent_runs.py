"""Runs of agents on what an attacker gets a well-meaning user to pass on, by how the user asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convsafe.benchmark.metric import has_facet
from convsafe.benchmark.pairing import only_made_by

if TYPE_CHECKING:
    import polars as pl

PAPER = "Too helpful to be safe: user-mediated attacks (2601.10758)"
# A user's wish for safety is a transform of the request, so transformed cases count.
SLICES = ("area", "hazard", "language", "source", "config", "facet", "severity")
EMPTY = "no case passes on an attacker's content this way"

NONE = only_made_by()
SOFT = only_made_by("context", "soft_safety")
HARD = only_made_by("context", "hard_safety")


def attacked() -> pl.Expr:
    """Select the cases in which a user passes on what an attacker made."""
    import polars as pl

    return has_facet("set", "user_mediated") & pl.col("measures").list.contains("safety")
