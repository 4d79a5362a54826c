"""Share of replies nobody can understand."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

TITLE = "Invalid replies"
BETTER = "lower"
NEEDS = "stance"
ABOUT = "Share of replies that are empty, not understandable or not decodable (CipherChat)."
PAPER = "CipherChat (Yuan et al., 2024)"
EMPTY = "no case"


def counted() -> pl.Expr:
    """Select every case."""
    import polars as pl

    return pl.lit(True)


def event() -> pl.Expr:
    """Tell an invalid reply; null where there is no verdict."""
    import polars as pl

    return pl.col("stance") == "invalid"
