"""What several metric files share: sums over a case's replies, and comparisons in pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convsafe.benchmark.metric import exact

if TYPE_CHECKING:
    import polars as pl


def summed(one: pl.Expr, name: str = "sum") -> dict[str, pl.Expr]:
    """Return the sum of a reply's number over a case, and how many replies have none."""
    return {name: exact(one).sum(), f"{name}_unscored": one.is_null().sum()}


def part_of(frame: pl.DataFrame, part: str, name: str = "sum") -> pl.DataFrame:
    """Return the rows of a share among replies as one part of a composed figure.

    Args:
        frame: The cases that count in it, with `replies` and what `summed` returned.
        part: The part's name.
        name: What the sum is called.
    """
    import polars as pl

    known, unscored = pl.col(name), pl.col(f"{name}_unscored")
    return frame.select(
        "case",
        part=pl.lit(part),
        num=known,
        den=(pl.col("replies") - unscored).cast(pl.Float64),
        low=known,
        high=known + unscored,
        full=pl.col("replies").cast(pl.Float64),
        n=pl.col("replies").cast(pl.Float64),
        unscored=unscored.cast(pl.Float64),
    )


def certain(frame: pl.DataFrame, part: str, num: str, den: str) -> pl.DataFrame:
    """Return the rows of a ratio of what was counted, so that none of it is unscored.

    Args:
        frame: The cases that count in it.
        part: The part's name.
        num: The column that is summed up.
        den: The column of its weights, which is `n` too.
    """
    import polars as pl

    return frame.select(
        "case",
        part=pl.lit(part),
        num=num,
        den=den,
        low=num,
        high=num,
        full=den,
        n=den,
        unscored=pl.lit(0.0),
    )


def paired(members: pl.DataFrame, frame: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of a comparison in which every unit weighs the same.

    A unit counts in the figure where each of its parts has a scored reply. It always counts in the
    bounds and in `n`, which its parts share evenly so that it is 1 a unit.

    Args:
        members: The cases of each part of each unit: case (of the unit), part, member (a case).
            A unit without all its parts must not be there; several members of a part are averaged.
        frame: The cases with `replies` and what `summed` returned of a number in [0, 1].
    """
    import polars as pl

    unscored, replies = pl.col("sum_unscored"), pl.col("replies")
    rates = frame.select(
        pl.col("case").alias("member"),
        value=pl.when(unscored < replies).then(pl.col("sum") / (replies - unscored)),
        low=pl.col("sum") / replies,
        high=(pl.col("sum") + unscored) / replies,
        gap=unscored > 0,
    )
    sides = (
        members.join(rates, on="member")
        .group_by("case", "part")
        .agg(pl.col("value", "low", "high").mean(), pl.col("gap").any())
    )
    whole = pl.col("value").is_not_null().all().over("case")
    share = 1 / pl.len().over("case")
    return sides.select(
        "case",
        "part",
        num=pl.when(whole).then("value").otherwise(0.0),
        den=whole.cast(pl.Float64),
        low="low",
        high="high",
        full=pl.lit(1.0),
        n=share,
        unscored=pl.when(pl.col("gap").any().over("case")).then(share).otherwise(0.0),
    )


def weighed(
    frame: pl.DataFrame, *, value: pl.Expr, low: pl.Expr, high: pl.Expr, gap: pl.Expr
) -> pl.DataFrame:
    """Return the rows of a mean over cases of a number in [0, 1]: each case weighs the same.

    Args:
        frame: The cases that count.
        value: A case's number, null where it has too few scored replies.
        low: The least it can be, whatever its unscored replies are.
        high: The most it can be.
        gap: Whether a reply of the case is unscored.
    """
    import polars as pl

    return frame.select(
        "case",
        part=pl.lit(""),
        num=value.fill_null(0.0),
        den=value.is_not_null().cast(pl.Float64),
        low=low,
        high=high,
        full=pl.lit(1.0),
        n=pl.lit(1.0),
        unscored=gap.cast(pl.Float64),
    )
