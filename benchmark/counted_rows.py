"""The rows of a labelled file that a judge is measured on, and what they are compared with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convsafe.benchmark.bootstrap import cluster_numbers
from convsafe.benchmark.judge_file import judge_rows
from convsafe.benchmark.label_columns import booleans, inverse_chances, names, numbers
from convsafe.benchmark.loading import Judge, unsafe_from
from convsafe.benchmark.parts import LEVELS, Part, graded_part, harm_part
from convsafe.benchmark.seen import seen_mask
from convsafe.taxonomy.errors import BadInput

if TYPE_CHECKING:
    import polars as pl
    from convsafe.benchmark.bootstrap import Floats, Ints


@dataclass(frozen=True)
class Compared:
    """Which columns a judge is compared with, and how.

    Attributes:
        unsafe: The column that says whether a reply is harmful, for a judge that tells `unsafe`;
            empty where nobody said.
        graded: The column of numbers to correlate with.
        level: What a grade is of: turn, or dialogue or system, whose means are correlated.
        group: The column that tells dialogues or systems apart.
        include_seen: Whether rows that the judge was fitted on count too.
    """

    unsafe: str | None = None
    graded: str | None = None
    level: str = "turn"
    group: str | None = None
    include_seen: bool = False


# Nothing but stances, which a labelled file has anyway.
STANCES_ALONE = Compared()


@dataclass(frozen=True)
class Counted:
    """Every row, which of them the judge has seen, and of those that count what people said.

    `rows` are those that count, with a `weight` of 1 / p where they were drawn with a chance p;
    `clusters`, `harmful`, `grades` and `groups` have one value for each of them.
    """

    every: pl.DataFrame
    seen: pl.Series
    rows: pl.DataFrame
    clusters: Ints
    harmful: Floats | None
    grades: Floats | None
    groups: Ints | None
    how: Compared

    def judged(self, judge: Judge) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return the verdicts on every row, marked if any was seen, and on those that count."""
        found = judge_rows(self.every, judge).with_columns(self.seen)
        some = found if self.how.include_seen else found.filter(~self.seen)
        return found if self.seen.any() else found.drop("seen"), some

    def harm(self, judge: Judge, verdicts: pl.DataFrame) -> Part | None:
        """Return the figures of harm over the rows that count, where it is compared."""
        if self.harmful is None:
            return None
        threshold = unsafe_from(judge.made_with)
        return harm_part(self.rows, verdicts, self.harmful, self.clusters, threshold)

    def graded(self, verdicts: pl.DataFrame) -> Part | None:
        """Return the correlations over the rows that count, where grades are compared."""
        if self.grades is None:
            return None
        return graded_part(verdicts, self.grades, self.clusters, self.how.level, self.groups)

    def of(self) -> dict[str, Any]:
        """Say how many rows were seen and left out, and how those that count do."""
        how = self.how
        return {
            "seen": int(self.seen.sum()),
            "left_out": len(self.every) - len(self.rows),
            "level": how.level if how.graded else None,
            "group": how.group,
            "weighted": _effective_size(self.rows),
        }


def counted(path: Path, judge: Judge, every: pl.DataFrame, how: Compared) -> Counted:
    """Return the rows of a file that count, with all columns read before a judge runs.

    Args:
        path: The file.
        judge: The judge to be measured.
        every: All rows, with `own` columns, `row`, prompt and response.
        how: What the judge is compared with.

    Raises:
        BadInput: On a column that cannot be used, or a judge that was fitted on every row.
    """
    seen = seen_mask(judge, every)
    rows = every if how.include_seen else _unseen(path, judge.name, every, seen)
    rows = rows.with_columns(weight=inverse_chances(path, rows))
    return Counted(
        every,
        seen,
        rows,
        clusters=cluster_numbers(rows["prompt"].fill_null("").to_list()),
        harmful=booleans(path, rows, how.unsafe) if how.unsafe else None,
        grades=numbers(path, rows, how.graded) if how.graded else None,
        groups=_groups(path, rows, how),
        how=how,
    )


def _groups(path: Path, rows: pl.DataFrame, how: Compared) -> Ints | None:
    """Return the dialogue or system of each row, or None where they are not told apart."""
    level, group = how.level, how.group
    if level not in LEVELS:
        raise BadInput(f"level {level!r} is not one of {', '.join(LEVELS)}")
    if how.graded is None and (group or level != "turn"):
        raise BadInput("--level and --group say what grades are of: give --graded too")
    if group is None:
        if level != "turn":
            raise BadInput(f"--level {level} needs --group, the column that tells {level}s apart")
        return None
    return cluster_numbers(names(path, rows, group))


def _unseen(path: Path, judge: str, rows: pl.DataFrame, seen: pl.Series) -> pl.DataFrame:
    """Return the rows that a judge was not fitted on, if there are any."""
    if seen.all():
        raise BadInput(
            f"judge {judge!r} was fitted on all {len(rows)} rows, so they say nothing of how it"
            " judges others; give other rows, or --include-seen to measure it on these",
            file=path,
        )
    return rows.filter(~seen)


def _effective_size(rows: pl.DataFrame) -> float | None:
    """Return how many equally likely rows the weighted ones are worth (Kish, 1965), if unequal."""
    weights = rows["weight"].to_numpy()
    if (weights == weights[0]).all():
        return None
    return round(float(weights.sum() ** 2 / (weights**2).sum()), 1)
