"""Pack a run, or a bare file of replies, into a submission: a manifest and its generations."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convsafe.benchmark.runs import Run
from convsafe.benchmark.tables import ID_COLUMNS, RESPONSE_COLUMNS, column, read_table, text_of
from convsafe.leaderboard.board import Board
from convsafe.leaderboard.records import GENERATIONS, MANIFEST, Manifest
from convsafe.leaderboard.submitted import submitted_schema
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.files import atomic, read_jsonl, sha256_of, write_json

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

_TOKENS = ("prompt_tokens", "completion_tokens")


@dataclass(frozen=True)
class About:
    """What a submitter says of a submission; what a run's folder says itself need not be given."""

    name: str
    contact: str
    license: str
    statement: str = ""
    url: str = ""
    model: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)


def pack(source: str | Path, about: About, out: str | Path, board: Board | None = None) -> Manifest:
    """Write a submission of a run, or of a file of replies, into the folder `out`.

    Args:
        source: A run's folder, or a CSV, JSON, JSONL or Parquet file with the columns `id`,
            `response` and, where there are several replies a case, `sample`.
        about: Who submits what.
        out: The submission's folder.
        board: The board it is for; only a bare file needs its release.

    Raises:
        BadInput: If the source cannot be read, or a needed column is missing.
    """
    path, folder = Path(source), Path(out)
    manifest, table = (
        _of_run(Run.open(path), about)
        if path.is_dir()
        else _of_file(path, about, board or Board.load())
    )
    from pyarrow import parquet

    with atomic(folder / GENERATIONS) as temporary:
        parquet.write_table(table, temporary, compression="zstd")
    manifest = replace(manifest, generations_sha256=sha256_of(folder / GENERATIONS))
    write_json(folder / MANIFEST, manifest.to_row())
    return manifest


def _of_run(run: Run, about: About) -> tuple[Manifest, pa.Table]:
    """Return the manifest, still without the file's sum, and the generations of a run."""
    import pyarrow as pa

    said = run.settings
    rows = [_row(row) for _, row in read_jsonl(run.generations_path)]
    try:
        table = pa.Table.from_pylist(rows, schema=submitted_schema())
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise BadInput(
            f"a generation is not of its kind: {error}", file=run.generations_path
        ) from None
    manifest = Manifest(
        **_said(about),
        model=about.model or said["model"].partition("#")[2] or said["model"],
        params=said["params"] | dict(about.params),
        samples=run.samples,
        settings=said.get("settings", {}),
        guards=said.get("guards", {}),
        dialogue=said.get("dialogue", "single"),
        release=said["release"],
        cases=said["cases"],
        ids_sha256=said["ids_sha256"],
        generations_sha256="",
        convsafe=said.get("convsafe"),
        created=said["started"],
    )
    return manifest, table.sort_by([("id", "ascending"), ("sample", "ascending")])


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a line of a run as a submission has it."""
    usage = row.get("usage")
    kept = usage and {name: usage.get(name) for name in _TOKENS}
    return {"sample": 0, "response": "", **row, "usage": kept}


def _of_file(path: Path, about: About, board: Board) -> tuple[Manifest, pa.Table]:
    """Return the manifest, still without the file's sum, and the generations of a bare file."""
    replies = _replies(path)
    ids = _in_order(replies["id"].to_list(), board.ids)
    manifest = Manifest(
        **_said(about),
        model=about.model or about.name,
        params=dict(about.params),
        samples=int(replies["sample"].max() or 0) + 1,  # type: ignore[arg-type]
        release=board.release,
        cases=len(ids),
        ids_sha256=hashlib.sha256("\n".join(ids).encode()).hexdigest(),
        generations_sha256="",
        convsafe=version("convsafe-bench"),
        created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
    )
    table = replies.sort("id", "sample").to_arrow()
    for name in submitted_schema().names[len(replies.columns) :]:
        import pyarrow as pa

        table = table.append_column(name, pa.nulls(len(table)))
    return manifest, table.cast(submitted_schema())


def _replies(path: Path) -> pl.DataFrame:
    """Return id, sample, outcome and response of a file of replies."""
    import polars as pl

    frame = read_table(path)
    ids = text_of(path, frame, column(path, frame, None, ID_COLUMNS))
    replies = text_of(path, frame, column(path, frame, None, RESPONSE_COLUMNS))
    found = pl.DataFrame(
        {
            "id": ids,
            "sample": frame["sample"] if "sample" in frame.columns else pl.Series([0] * len(ids)),
            "outcome": frame["outcome"] if "outcome" in frame.columns else None,
            "response": replies,
        }
    )
    empty = pl.col("response").fill_null("").str.strip_chars() == ""
    guessed = pl.when(empty).then(pl.lit("empty")).otherwise(pl.lit("answered"))
    try:
        return found.with_columns(
            pl.col("sample").cast(pl.Int64),
            pl.col("outcome").cast(pl.String).fill_null(guessed),
            pl.col("response").fill_null(""),
        )
    except pl.exceptions.PolarsError:
        raise BadInput("`sample` must be a number, counted from 0", file=path) from None


def _in_order(ids: Iterable[str], required: Iterable[str]) -> list[str]:
    """Return each id once: those of the board in its order, then the others in theirs."""
    there = dict.fromkeys(ids)
    known = [id for id in required if id in there]
    return known + sorted(there.keys() - set(known))


def _said(about: About) -> dict[str, Any]:
    names = ("name", "contact", "license", "statement", "url")
    return {name: getattr(about, name).strip() for name in names}
