"""What a partition of generations or verdicts adds to the scores of its cases.

This is the work that is done apart, by processes or machines: read, check, judge, sum up. It goes
back as sums a case, a key a reply, and nothing of the replies themselves.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convsafe.benchmark.judging import card_of, conformed, verdict_schema, verdicts_of
from convsafe.benchmark.loading import JudgeSettings, load_judge, unsafe_from
from convsafe.benchmark.metric import METRICS, load_metric
from convsafe.benchmark.partitions import Partition
from convsafe.benchmark.per_case import Sums, summed
from convsafe.benchmark.runs import generation_schema, parsed_generation
from convsafe.benchmark.scoring import scores_in
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.records import OUTCOMES, STANCES

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import polars as pl

    Keys = npt.NDArray[np.int64]

GENERATIONS, VERDICTS, USABLE = "generations", "verdicts", "usable"
# A key is a case's number times this, plus the sample's.
SAMPLES = 2**32


@dataclass(frozen=True)
class Task:
    """What every worker must know.

    Args:
        cases: The Arrow file of `known_cases` with `prompt` and `messages`, in their order.
        judge: The judge's name.
        settings: What a judge that asks a server needs to know.
    """

    cases: Path
    judge: str
    settings: JudgeSettings


@dataclass(frozen=True)
class Part:
    """What a partition adds.

    `keys` has one number a usable reply; `scores` names the scores that some verdict has; `sums` is
    None where only the keys were asked for.
    """

    keys: Keys
    sums: Sums | None = None
    scores: frozenset[str] = frozenset()


class Reducer:
    """Reduces partitions, one after another."""

    def __init__(self, task: Task) -> None:
        import polars as pl

        self._cases = pl.read_ipc(task.cases)
        self._codes = self._cases.select("id", "case")
        self._judge = load_judge(task.judge, task.settings)
        self._threshold = unsafe_from(self._judge.made_with)
        every, told = map(load_metric, METRICS.names()), card_of(self._judge).supports
        # Which scores there are is known at the end: sums of those that lack are left out then.
        self._metrics = [one for one in every if one.told_by(told, one.scores)]

    def __call__(self, job: tuple[str, Partition]) -> Part:
        """Return what a partition of a kind adds.

        Raises:
            BadInput: On what cannot be counted, naming file, line and id.
        """
        kind, partition = job
        if kind == VERDICTS:
            return self._summed(self._coded(read_verdict_rows(partition), partition), partition)
        rows = read_generation_rows(partition, texts=kind == GENERATIONS)
        rows = self._coded(rows, partition).filter(outcome_is_usable())
        if kind == USABLE:
            return Part(_keys(rows))
        return self._judged(rows, partition)

    def _judged(self, rows: pl.DataFrame, partition: Partition) -> Part:
        cases = self._cases[rows["case"].unique().sort()]
        found = verdicts_of(
            cases, rows.drop("case", "row"), self._judge.name, self._judge.judge, self._threshold
        )
        found = found.join(rows.select("id", "sample", "case", "row"), on=["id", "sample"])
        return self._summed(found, partition)

    def _coded(self, rows: pl.DataFrame, partition: Partition) -> pl.DataFrame:
        """Return the rows with their cases, each of which is there and comes once."""
        import polars as pl

        rows = rows.join(self._codes, on="id", how="left", maintain_order="left")
        rows = rows.with_row_index("row")
        what = "the release has no case of this id; is the file of another release or config?"
        _refuse(rows, pl.col("case").is_null(), what, partition)
        sample = pl.col("sample")
        what = f"`sample` must be a whole number from 0 to {SAMPLES // 2}"
        _refuse(rows, (sample < 0) | (sample > SAMPLES // 2) | sample.is_null(), what, partition)
        what = "this id and sample come more than once"
        once = pl.struct("case", "sample").is_first_distinct()
        _refuse(rows, ~once, what, partition)
        return rows

    def _summed(self, coded: pl.DataFrame, partition: Partition) -> Part:
        import polars as pl

        names = {name for (name,) in coded.select("judge").unique().iter_rows()}
        if names - {self._judge.name}:
            other = pl.col("judge").ne_missing(self._judge.name)
            what = (
                f"not a verdict of {self._judge.name!r}; a score is of one judge: give its --judge"
            )
            _refuse(coded, other, what, partition)
        _refuse_numbers(coded, partition)
        sums = summed(self._cases, coded, self._metrics, self._threshold)
        return Part(_keys(coded), sums, frozenset(scores_in(coded)))


def outcome_is_usable() -> pl.Expr:
    """Tell the generations that are not failed."""
    import polars as pl

    return pl.col("outcome") != "failed"


def read_generation_rows(partition: Partition, *, texts: bool = True) -> pl.DataFrame:
    """Return the generations of a partition, with the columns of `generation_schema`.

    Args:
        partition: Of a file of generations.
        texts: Whether the replies are needed.

    Raises:
        BadInput: On a row that is no generation, naming it.
    """
    import polars as pl

    schema = generation_schema()
    if partition.group is None:
        rows = [
            parsed_generation(partition.path, at, line, partition.place)
            for at, line in enumerate(partition.lines())
        ]
        return pl.DataFrame(rows, schema=schema, orient="row")
    read = [name for name in schema if texts or name in ("id", "sample", "outcome")]
    found = _conformed(partition, read, schema)
    found = found.with_columns(
        pl.col("sample").fill_null(0),
        pl.col("outcome").fill_null("answered"),
    )
    _refuse(found, pl.col("id").is_null(), "a generation has no id", partition)
    known = pl.col("outcome").is_in(OUTCOMES)
    _refuse(found, ~known, f"`outcome` is not one of {', '.join(OUTCOMES)}", partition)
    if texts:
        lacks = pl.col("response").is_null() & (pl.col("outcome") == "answered")
        _refuse(found, lacks, "`response` must be a text", partition)
    return found.with_columns(pl.col("response").fill_null(""))


def read_verdict_rows(partition: Partition) -> pl.DataFrame:
    """Return the verdicts of a partition, without what no metric reads.

    Raises:
        BadInput: On a row that is no verdict, naming it.
    """
    import polars as pl

    schema = {
        name: kind
        for name, kind in verdict_schema().items()
        if name not in ("rationale", "unscored_reason")
    }
    if partition.group is None:
        found = _parsed_verdicts(partition, schema)
    else:
        found = _conformed(partition, list(schema), schema)
    found = found.with_columns(pl.col("sample").fill_null(0))
    _refuse(found, pl.col("id").is_null(), "a verdict has no id", partition)
    known = pl.col("stance").is_in(STANCES) | pl.col("stance").is_null()
    _refuse(found, ~known, f"`stance` is not one of {', '.join(STANCES)}", partition)
    return found


def _parsed_verdicts(partition: Partition, schema: Mapping[str, Any]) -> pl.DataFrame:
    import polars as pl

    data = partition.read_bytes()
    try:
        found = pl.read_ndjson(io.BytesIO(data), schema=schema)
    except pl.exceptions.PolarsError as error:
        raise _first_broken(partition, schema, str(error)) from None
    # Polars passes over empty lines, which would shift the numbers of all that follow.
    if len(found) != len(partition.lines()):
        raise _first_broken(partition, schema, "an empty line")
    return found


def _first_broken(partition: Partition, schema: Mapping[str, Any], what: str) -> BadInput:
    """Return the error of the first line that is no verdict."""
    import polars as pl

    for at, line in enumerate(partition.lines()):
        try:
            row = json.loads(line)
            if row.get("id") and len(pl.read_ndjson(io.BytesIO(line), schema=schema)) == 1:
                continue
            id = row.get("id")
        except (ValueError, AttributeError):
            id = None
        except pl.exceptions.PolarsError as error:
            id, what = row.get("id"), "NaN is no number" if b"NaN" in line else str(error)
        what = f"not a verdict: {what.splitlines()[0]}"
        return BadInput(what, file=partition.path, line=partition.place(at), id=id)
    return BadInput(f"not a verdict file: {what}", file=partition.path)


def _conformed(partition: Partition, read: list[str], schema: Mapping[str, Any]) -> pl.DataFrame:
    """Return the columns of a partition of Parquet in the schema's types."""
    import polars as pl

    found = partition.read_rows(read)
    if "id" not in found.columns:
        raise BadInput("the file has no column `id`", file=partition.path)
    try:
        return conformed(found, schema)
    except pl.exceptions.PolarsError as error:
        what = f"a column has another type than it should: {error}"
        raise BadInput(what, file=partition.path) from None


def _refuse_numbers(coded: pl.DataFrame, partition: Partition) -> None:
    """Raise `BadInput` on a probability that is none, or a score that is no number."""
    import polars as pl

    for name in ("unsafe", "responsive"):
        one = pl.col(name)
        wrong = (one.is_nan() | (one < 0) | (one > 1)).fill_null(False)
        _refuse(coded, wrong, f"`{name}` is no probability from 0 to 1", partition)
    value = pl.element().struct.field("value")
    wrong = pl.col("scores").list.eval(~value.is_finite()).list.any().fill_null(False)
    _refuse(coded, wrong, "a score is no number", partition)


def _refuse(rows: pl.DataFrame, wrong: pl.Expr, what: str, partition: Partition) -> None:
    """Raise `BadInput` of the first row that is wrong, with its place and id."""
    found = rows.select(wrong.arg_true().first()).item() if len(rows) else None
    if found is None:
        return
    at = rows["row"][found] if "row" in rows.columns else found
    raise BadInput(what, file=partition.path, line=partition.place(int(at)), id=rows["id"][found])


def _keys(coded: pl.DataFrame) -> Keys:
    import polars as pl

    key = pl.col("case").cast(pl.Int64) * SAMPLES + pl.col("sample")
    found: Keys = coded.select(key)["case"].to_numpy()
    return found
