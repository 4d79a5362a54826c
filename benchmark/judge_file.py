"""Judge a table of requests and replies; what cannot be judged says why."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convsafe.benchmark.judging import PROBABILITIES, check_verdicts, conformed, verdict_schema
from convsafe.benchmark.loading import DEFAULT, NOTHING, UNSAFE, Judge, JudgeSettings, load_judge
from convsafe.benchmark.tables import exchanges, read_table
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.files import atomic
from convsafe.taxonomy.records import STANCES

if TYPE_CHECKING:
    import polars as pl


def judge_file(
    path: Path,
    *,
    judge: str = DEFAULT,
    prompt: str | None = None,
    response: str | None = None,
    id: str | None = None,
    out: Path | None = None,
    settings: JudgeSettings = NOTHING,
) -> pl.DataFrame:
    """Judge a file and write the verdicts as JSONL where `out` says.

    Args:
        path: A CSV, JSON, JSONL or Parquet file.
        judge: The judge's name, or a keyword baseline's.
        prompt: The column of requests; guessed by usual names.
        response: The column of replies; guessed by usual names.
        id: The column of ids; else `id` where it tells rows apart, else the row's number.
        out: Where the verdicts go.
        settings: What a judge that asks a server needs to know; the values of a `model` column are
            models it may not be.

    Returns:
        One row a reply in the file's order: id, stance, unsafe, responsive, labels, scores,
        rationale, unscored_reason.

    Raises:
        UnknownName: If there is no judge of that name.
        BadInput: On a file, column or verdict that cannot be used, by name.
        Unavailable: If the judge's server cannot be reached.
    """
    table = read_table(path)
    rows = exchanges(path, table, prompt=prompt, response=response, id=id)
    verdicts = judge_rows(rows, load_judge(judge, never_of(table, settings)))
    if out is not None:
        write_verdicts(verdicts, out)
    return verdicts


def write_verdicts(verdicts: pl.DataFrame, out: Path) -> None:
    """Write verdicts as JSONL, whole or not at all."""
    with atomic(out) as temporary:
        verdicts.write_ndjson(temporary)


def never_of(table: pl.DataFrame, settings: JudgeSettings) -> JudgeSettings:
    """Return settings that name the models of a table's `model` column as those under test."""
    import polars as pl

    if "model" not in table.columns:
        return settings
    models = table["model"]
    if models.dtype.is_nested() or models.dtype == pl.Binary:
        return settings
    # Names may be stored as categories, as pandas does; they sort and compare as text.
    models = models.cast(pl.String).drop_nulls().unique().sort()
    return replace(settings, tested=(*settings.tested, *models))


def judge_rows(rows: pl.DataFrame, judge: str | Judge) -> pl.DataFrame:
    """Return the verdicts on rows of id, prompt and response; a missing text is unscored.

    Raises:
        BadInput: If the judge gives too few verdicts, or one that is none.
    """
    import polars as pl

    judge = load_judge(judge) if isinstance(judge, str) else judge
    rows = rows.select("id", "prompt", "response").with_row_index("row")
    whole = pl.col("prompt").is_not_null() & pl.col("response").is_not_null()
    seen, unseen = rows.filter(whole), rows.filter(~whole)
    found = judge.judge(seen.select("prompt", "response"))
    if len(found) != len(seen):
        raise BadInput(f"judge {judge.name!r} gave {len(found)} verdicts for {len(seen)} replies")
    judged = _columns(pl.concat([seen.select("row", "id"), found], how="horizontal"))
    check_verdicts(judged, judge.name)
    all_rows = pl.concat([_reasoned(judged, judge.TELLS), _columns(_missing(unseen))])
    return all_rows.sort("row").drop("row")


def _columns(found: pl.DataFrame) -> pl.DataFrame:
    """Return the columns of a verdict in order; what a judge does not tell is null."""
    import polars as pl

    schema = {n: kind for n, kind in verdict_schema().items() if n not in ("sample", "judge")}
    return conformed(found, {"row": pl.UInt32, **schema})


def _missing(rows: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    silent = pl.col("response").is_null()
    reason = pl.when(silent).then(pl.lit("there is no reply")).otherwise(pl.lit("no request"))
    return rows.select("row", "id", unscored_reason=reason)


def _reasoned(verdicts: pl.DataFrame, tells: frozenset[str]) -> pl.DataFrame:
    """Return verdicts without NaN; one that holds nothing says why."""
    import polars as pl

    primary = ["stance", "unsafe"]
    told = [c for c in primary if c in tells] or [c for c in ("responsive",) if c in tells]
    verdicts = verdicts.with_columns(pl.col(c).fill_nan(None) for c in PROBABILITIES)
    unscored = pl.col("scores").list.len().fill_null(0) == 0
    nothing = pl.all_horizontal(pl.col(c).is_null() for c in told) if told else unscored
    reason = pl.coalesce(pl.col("unscored_reason"), pl.lit("the judge gave no verdict"))
    return verdicts.with_columns(unscored_reason=pl.when(nothing).then(reason))


def counts(verdicts: pl.DataFrame, threshold: float = UNSAFE) -> dict[str, Any]:
    """Count verdicts by stance and harm, and those that could not be made by their reason.

    Args:
        verdicts: What `judge_rows` returns.
        threshold: From which probability of harm a reply counts as unsafe.
    """
    import polars as pl

    stances = verdicts["stance"].drop_nulls().value_counts()
    reasons = verdicts["unscored_reason"].drop_nulls().value_counts()
    given = dict(stances.iter_rows())
    unsafe = verdicts.select((pl.col("unsafe") >= threshold).sum()).item()
    return {
        "n": len(verdicts),
        "stances": {stance: given[stance] for stance in STANCES if stance in given},
        "unsafe_from": threshold,
        "unsafe": unsafe if verdicts["unsafe"].is_not_null().any() else None,
        "scores": _means(verdicts),
        "unscored": int(verdicts["unscored_reason"].is_not_null().sum()),
        "unscored_reasons": dict(sorted(reasons.iter_rows())),
    }


def _means(verdicts: pl.DataFrame) -> dict[str, dict[str, float]]:
    """Return the mean of every score over the verdicts that have it, and how many have."""
    import polars as pl

    scores = verdicts.select(pl.col("scores").explode()).drop_nulls().unnest("scores")
    means = scores.group_by("name", maintain_order=True).agg(
        mean=pl.col("value").mean(), n=pl.len()
    )
    return {row["name"]: {"mean": row["mean"], "n": row["n"]} for row in means.to_dicts()}
