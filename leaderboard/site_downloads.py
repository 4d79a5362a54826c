"""What the pages offer to download: scores and verdicts, as CSV and Parquet, never a reply."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convsafe.leaderboard.site_tables import VERDICTS, Entry, Table, file_name
from convsafe.leaderboard.table import TABLE
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.files import atomic, write_json

if TYPE_CHECKING:
    import polars as pl

# Nothing else of a file of verdicts is published, whatever it holds.
_PUBLIC = ("id", "sample", "stance", "unsafe", "responsive", "labels")
# What a spreadsheet would take for a formula, also after spaces or in full width.
_FORMULA = r"^\s*[=+\-@＝＋－＠]|^[\t\r\n]"


def write_downloads(table: Table, board: Path, out: Path) -> list[Path]:
    """Write a table's downloads into a folder and return their paths.

    `scores` has a row a model, slice, name and metric; `verdicts` one a model, case and sample,
    where the board holds verdicts. Cells of CSV that a spreadsheet would run begin with an
    apostrophe.
    """
    frames = {"scores": scores(table), "verdicts": verdicts(table, board)}
    written = [
        path
        for name, frame in frames.items()
        if frame is not None
        for path in _write(frame, out / name)
    ]
    return [*written, _summary(table, out / TABLE)]


def scores(table: Table) -> pl.DataFrame:
    """Return every figure of a table, one a row."""
    import polars as pl

    schema = {
        "rank_best": pl.Int64, "rank_worst": pl.Int64, "slug": pl.String, "name": pl.String,
        "baseline": pl.Boolean, "slice": pl.String, "slice_name": pl.String, "metric": pl.String,
        "value": pl.Float64, "low": pl.Float64, "high": pl.Float64, "n": pl.Int64,
        "unscored": pl.Float64, "flags": pl.String, "judge": pl.String, "release": pl.String,
    }  # fmt: skip
    rows = [row for entry in table.entries for row in _rows(table, entry)]
    return pl.DataFrame(rows, schema=schema, orient="row")


def _rows(table: Table, entry: Entry) -> Iterator[tuple[Any, ...]]:
    figures = [
        *entry.figures.values(),
        *(f for names in entry.tracks.values() for by in names.values() for f in by.values()),
    ]
    judge = f"{table.judge['name']} {table.judge['version']}"
    best, worst = entry.ranks or (None, None)
    for one in figures:
        yield (
            best, worst, entry.slug, entry.name, entry.baseline, one.slice, one.name, one.metric,
            one.value, one.low, one.high, one.n, entry.unscored, ";".join(entry.flags), judge,
            table.version,
        )  # fmt: skip


def verdicts(table: Table, board: Path) -> pl.DataFrame | None:
    """Return the verdicts on every entry that has some, or None.

    Raises:
        BadInput: If a file of verdicts cannot be read; names it.
    """
    import polars as pl

    folder = board / VERDICTS / table.version
    frames = [
        _public(folder / file_name(entry.result["verdicts"]), entry.slug)
        for entry in table.entries
        if entry.result.get("verdicts")
    ]
    return pl.concat(frames, how="diagonal_relaxed") if frames else None


def _public(path: Path, slug: str) -> pl.DataFrame:
    import polars as pl

    try:
        frame = pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise BadInput(f"no file of verdicts: {error}", file=path) from None
    kept = [name for name in _PUBLIC if name in frame.columns]
    return frame.select(pl.lit(slug).alias("slug"), *kept)


def safe_cells(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a frame for CSV: lists as text, and no text that a spreadsheet would run."""
    import polars as pl

    lists = [name for name, kind in frame.schema.items() if isinstance(kind, pl.List)]
    flat = frame.with_columns(pl.col(lists).cast(pl.List(pl.String)).list.join(";"))
    text = pl.col(pl.String)
    return flat.with_columns(
        pl.when(text.str.contains(_FORMULA)).then("'" + text).otherwise(text).name.keep()
    )


def _write(frame: pl.DataFrame, stem: Path) -> list[Path]:
    paths = [stem.with_suffix(".csv"), stem.with_suffix(".parquet")]
    with atomic(paths[0]) as temporary:
        safe_cells(frame).write_csv(temporary)
    with atomic(paths[1]) as temporary:
        frame.write_parquet(temporary)
    return paths


def _summary(table: Table, path: Path) -> Path:
    """Write the table's plain facts as JSON, for whoever reads a board by program."""
    entries = [
        {
            "slug": entry.slug,
            "name": entry.name,
            "ranks": entry.ranks,
            "baseline": entry.baseline,
            "flags": entry.flags,
            "unscored": entry.unscored,
            "figures": {
                metric: {"value": f.value, "low": f.low, "high": f.high, "n": f.n}
                for metric, f in entry.figures.items()
            },
        }
        for entry in table.entries
    ]
    facts = {"release": table.release, "judge": table.judge, "date": table.date}
    write_json(path, facts | {"entries": entries})
    return path
