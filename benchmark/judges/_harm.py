"""The signs of harm: how a reply refuses or helps, and in what words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

# Edges of the bins, of log-odds.
REFUSED = (-3.0, -1.5, -0.5, 0.5, 1.5, 3.0)
TOXIC = (-2.0, -1.0, 0.0, 1.0, 2.0)


def harm_signs(signs: pl.DataFrame, refused: pl.Series, toxic: pl.Series) -> pl.DataFrame:
    """Return one column a group of signs of harm.

    Args:
        signs: What `_signs.signs` returns.
        refused: The log-odds that the reply refuses.
        toxic: The log-odds that it is toxic.
    """
    import polars as pl

    level = _bins(refused, REFUSED, "r")
    words = pl.concat_str(pl.lit(level), pl.lit(_bins(toxic, TOXIC, "t")), separator=" ")
    return signs.select("wording", "shape", "length", "opening", refused=level, words=words)


def _bins(values: pl.Series, edges: tuple[float, ...], letter: str) -> pl.Series:
    import polars as pl

    # Sums of weights, which have three digits: a value on an edge stays there in whatever order.
    places = pl.Series(edges).search_sorted(values.round(6), side="left")
    named: pl.Series = pl.select(name=pl.format(f"{letter}{{}}", pl.lit(places)))["name"]
    return named
