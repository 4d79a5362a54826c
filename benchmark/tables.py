"""Read a table of requests and replies, and find its columns."""

from __future__ import annotations

import codecs
import csv
import json
import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convsafe.benchmark.csv_records import records
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.files import read_json, read_jsonl

if TYPE_CHECKING:
    import polars as pl

PROMPT_COLUMNS = ("prompt", "request", "question", "instruction")
RESPONSE_COLUMNS = ("response", "completion", "reply", "answer", "output")
ID_COLUMNS = ("id",)
# The field that holds, as JSON, a value of a column whose values are not all of one kind.
_MIXED = "of more than one kind, as JSON"


def read_table(path: Path) -> pl.DataFrame:
    """Read a CSV, JSON, JSONL or Parquet file, by its ending.

    Raises:
        BadInput: If it cannot be read as that, or has no rows.
    """
    import polars as pl

    readers: dict[str, Callable[[Path], pl.DataFrame]] = {
        ".csv": _csv,
        ".parquet": pl.read_parquet,
        ".jsonl": _jsonl,
        ".json": _json,
    }
    if not path.is_file():
        raise BadInput("no such file", file=path)
    if path.suffix not in readers:
        raise BadInput("the file's name must end in .csv, .json, .jsonl or .parquet", file=path)
    try:
        frame = readers[path.suffix](path)
    except pl.exceptions.PolarsError as error:
        raise BadInput(f"not a {path.suffix[1:]} file: {_cause(error)}", file=path) from None
    if frame.is_empty():
        raise BadInput("there are no rows", file=path)
    return frame


def _cause(error: Exception) -> str:
    """Return what is wrong with a file, without advice on options of the library that reads it."""
    advice, _, cause = str(error).partition("Original error:")
    return " ".join((cause or advice).strip("` \n").split())[:300]


def _csv(path: Path) -> pl.DataFrame:
    """Read a CSV as text, without its blank lines."""
    import polars as pl

    data = path.read_bytes()
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadInput("not UTF-8; save it as UTF-8", file=path, line=line) from None
    try:
        frame = pl.read_csv(data, infer_schema=False)
    except pl.exceptions.PolarsError:
        _refuse_long_rows(path, data.decode("utf-8-sig"))
        raise
    blank = frame.select(pl.all_horizontal(pl.all().is_null())).to_series()
    return _filled(data, frame, blank).filter(~blank)


def _refuse_long_rows(path: Path, text: str) -> None:
    """Raise `BadInput` on the first row of a CSV that has more fields than there are columns."""
    columns: list[str] = []
    # What is not CSV at all is told by who read it first.
    with suppress(csv.Error):
        for line, values in records(text):
            columns = columns or values
            if len(values) > len(columns):
                # A stray comma may stand before any column but the first.
                id = values[0] if columns[0] in ID_COLUMNS else None
                what = (
                    f"the row has {len(values)} fields, and there are {len(columns)} columns:"
                    " put a text that holds a comma in quotation marks"
                )
                raise BadInput(what, file=path, line=line, id=id or None)


def _filled(data: bytes, frame: pl.DataFrame, blank: pl.Series) -> pl.DataFrame:
    """Return empty fields as empty texts; those a row may lack stay null, if it has too few."""
    import polars as pl

    # Only a row whose last field is null can have too few, so that most files are read once.
    if not (frame[:, -1].is_null() & ~blank).any():
        return frame.fill_null("")
    whole = pl.lit(_whole(data, frame.width))
    return frame.with_columns(pl.when(whole).then(pl.all().fill_null("")).otherwise(pl.all()))


def _whole(data: bytes, width: int) -> pl.Series:
    """Tell the rows of a CSV that have a field for every column.

    A mark at the end of every line is in the column after the last of these rows alone; one inside
    quotation marks harms nothing.
    """
    import polars as pl

    lines = data.removeprefix(codecs.BOM_UTF8).lstrip(b"\r\n").replace(b"\r\n", b"\n")
    last = b"" if lines.endswith(b"\n") else b",+\n"
    marked = lines.replace(b"\n", b",+\n") + last
    return pl.read_csv(marked, infer_schema=False, columns=[width]).to_series().is_not_null()


def _jsonl(path: Path) -> pl.DataFrame:
    return _frame(path, [row for _, row in read_jsonl(path)])


def _json(path: Path) -> pl.DataFrame:
    rows = read_json(path)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise BadInput("write a list of objects, one a row", file=path)
    return _frame(path, rows)


def _frame(path: Path, rows: list[dict[str, Any]]) -> pl.DataFrame:
    try:
        return _without_nan(_built(rows), rows)
    except UnicodeEncodeError:
        what = "a text has half a surrogate pair, which is no text: write it as UTF-8"
        raise BadInput(what, file=path) from None


def _built(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Build a frame; a column of mixed kinds is kept as JSON, so that the others can be read."""
    import polars as pl

    try:
        return pl.DataFrame(rows, infer_schema_length=None)
    except (pl.exceptions.PolarsError, TypeError, OverflowError):
        names = dict.fromkeys(name for row in rows for name in row)
        return pl.DataFrame([_series(name, [row.get(name) for row in rows]) for name in names])


def _series(name: str, values: list[Any]) -> pl.Series:
    """Build one column, of JSON where its values are not of one kind."""
    import polars as pl

    values = [None if _is_nan(value) else value for value in values]
    try:
        return pl.DataFrame([{name: value} for value in values], infer_schema_length=None)[name]
    except (pl.exceptions.PolarsError, TypeError, OverflowError):
        texts = [None if value is None else {_MIXED: json.dumps(value)} for value in values]
        return pl.Series(name, texts, pl.Struct({_MIXED: pl.String}))


def _without_nan(frame: pl.DataFrame, rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Make null what was NaN and became the text "NaN" among texts; that text itself stays."""
    import polars as pl

    for series in frame.select(pl.col(pl.String)).iter_columns():
        written = (series == "NaN").arg_true()
        nan = [row for row in written if _is_nan(rows[row][series.name])]
        frame = frame.with_columns(series.scatter(nan, None)) if nan else frame
    return frame


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


def column(path: Path, frame: pl.DataFrame, name: str | None, usual: Sequence[str]) -> str:
    """Return the column of that name, or the first of the usual ones.

    Raises:
        BadInput: If there is none, with the columns there are.
    """
    listed = ", ".join(frame.columns)
    if name is not None and name not in frame.columns:
        raise BadInput(f"no column {name!r}; there are {listed}", file=path)
    if name is not None:
        return name
    for known in usual:
        if known in frame.columns:
            return known
    raise BadInput(
        f"no column named {' or '.join(usual)}; there are {listed}: name it by its option",
        file=path,
    )


def exchanges(
    path: Path,
    frame: pl.DataFrame,
    *,
    prompt: str | None = None,
    response: str | None = None,
    id: str | None = None,
) -> pl.DataFrame:
    """Return id, prompt and response of every row; the row's number where there is no id.

    Raises:
        BadInput: On a missing column, one that is no text, or an id that is empty or twice there.
    """
    import polars as pl

    asked = column(path, frame, prompt, PROMPT_COLUMNS)
    replied = column(path, frame, response, RESPONSE_COLUMNS)
    return pl.DataFrame(
        {
            "id": _ids(path, frame, id),
            "prompt": text_of(path, frame, asked),
            "response": text_of(path, frame, replied),
        }
    )


def text_of(path: Path, frame: pl.DataFrame, name: str) -> pl.Series:
    """Return a column as text, null where it is null or NaN.

    Raises:
        BadInput: If it holds lists, objects or bytes.
    """
    import polars as pl

    values: pl.Series = frame[name]
    if values.dtype.is_nested() or values.dtype == pl.Binary:
        mixed = values.dtype == pl.Struct({_MIXED: pl.String})
        kind = "values of more than one kind" if mixed else values.dtype
        raise BadInput(f"column {name!r} holds {kind}, not text", file=path)
    if values.dtype.is_float():
        values = values.fill_nan(None)
    return pl.Series(name, values.cast(pl.String))


def _ids(path: Path, frame: pl.DataFrame, name: str | None) -> pl.Series:
    """Return the ids as text; usual columns count only where they tell rows apart."""
    import polars as pl

    rows = pl.Series("id", range(1, len(frame) + 1)).cast(pl.String)
    if name is None:
        usual = [known for known in ID_COLUMNS if known in frame.columns]
        unique = [known for known in usual if _wrong_id(text_of(path, frame, known)) is None]
        return text_of(path, frame, unique[0]) if unique else rows
    found = text_of(path, frame, column(path, frame, name, ()))
    wrong = _wrong_id(found)
    if wrong is not None:
        row, what = wrong
        raise BadInput(f"row {row + 1}: id {what}; leave --id out to number rows", file=path)
    return found


def _wrong_id(ids: pl.Series) -> tuple[int, str] | None:
    """Return the first row whose id is empty or was there before, and which of both."""
    empty = (ids.fill_null("").str.strip_chars() == "").arg_true()
    if len(empty):
        return int(empty[0]), "is empty"
    again = (~ids.is_first_distinct()).arg_true()
    return (int(again[0]), f"{ids[int(again[0])]!r} is there twice") if len(again) else None
