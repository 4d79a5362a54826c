"""The signs of harm: what was asked, and how a reply refuses or helps, and in what words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

# Edges of the bins, of a probability and of log-odds.
REFUSED = (0.05, 0.2, 0.5, 0.9)
TOXIC = (-2.0, -1.0, 0.0, 1.0, 2.0)
ASKED = (-2.0, -1.0, 0.0, 1.0, 2.0)


def harm_signs(
    signs: pl.DataFrame, refused: pl.Series, toxic: pl.Series, asked: pl.Series
) -> pl.DataFrame:
    """Return one column a group of signs of harm.

    Args:
        signs: What `_signs.signs` returns.
        refused: The probability that the reply refuses.
        toxic: The log-odds that it is toxic.
        asked: The log-odds that what was asked would do harm.
    """
    level = _bins(refused, REFUSED, "r")
    return signs.select(
        "wording",
        "shape",
        "length",
        "opening",
        refused=level,
        words=_both(level, _bins(toxic, TOXIC, "t")),
        asked=_both(level, _bins(asked, ASKED, "a")),
    )


def _both(first: pl.Series, second: pl.Series) -> pl.Expr:
    import polars as pl

    return pl.concat_str(pl.lit(first), pl.lit(second), separator=" ")


def _bins(values: pl.Series, edges: tuple[float, ...], letter: str) -> pl.Series:
    import polars as pl

    places = pl.Series(edges).search_sorted(values, side="left")
    named: pl.Series = pl.select(name=pl.format(f"{letter}{{}}", pl.lit(places)))["name"]
    return named
