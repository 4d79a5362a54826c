"""Read the generations of a submission from Parquet, once what it unpacks to is known."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convsafe.leaderboard.board import Board
from convsafe.leaderboard.findings import Findings, shown
from convsafe.leaderboard.folder_checks import open_plain
from convsafe.leaderboard.pages import Damaged, unpacked_size
from convsafe.leaderboard.submitted import NEEDED, frame_schema, most_rows, submitted_schema

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

_MAGIC = b"PAR1"
# The largest end of a file, in bytes; the most row groups; the most values of a row (a dialogue
# is one row with a value a turn).
_END, _GROUPS, _VALUES = 4 << 20, 1_000, 64
_TEXTS = ("id", "outcome", "response", "model", "finish_reason")
# Read as dictionaries: a text that is there once is held once, however often a row names it.
_DICTIONARIES = (*_TEXTS, "messages.list.element.role", "messages.list.element.content")


class _Refused(Exception):
    """What cannot be read, by the finding's code."""

    def __init__(self, code: str, what: str) -> None:
        self.code = code
        super().__init__(what)


def read_columns(path: Path, board: Board, findings: Findings) -> pl.DataFrame | None:
    """Return the generations of a Parquet file, or None where they cannot be read."""
    import pyarrow as pa

    with open_plain(path) as file:
        data = file.read(board.most_bytes + 1)
    try:
        return _frame(_table(data, board))
    except _Refused as error:
        findings.error(error.code, f"{path.name} {error}", file=path.name)
    except Damaged as error:
        findings.error("damaged", f"{path.name} is damaged: {error}", file=path.name)
    except (pa.ArrowException, OSError, ValueError) as error:
        code = "encoding" if "UTF8" in str(error) else "damaged"
        what = f"{path.name} cannot be read: {shown(str(error), 200)}"
        findings.error(code, what, file=path.name)
    return None


def _table(data: bytes, board: Board) -> pa.Table:
    """Return the columns as they are in the file, texts as dictionaries."""
    from pyarrow import parquet

    _require_parquet(data)
    file = parquet.ParquetFile(
        io.BytesIO(data),
        read_dictionary=list(_DICTIONARIES),
        thrift_string_size_limit=_END,
        thrift_container_size_limit=100_000,
    )
    _require_columns(file.schema_arrow)
    _require_small(data, file.metadata, board)
    table = file.read(use_threads=False)
    held = sum(_text_bytes(table[name].combine_chunks()) for name in table.column_names)
    if held > board.most_bytes:
        what = f"unpacks to {held:,} bytes; the board takes {board.most_bytes:,}"
        raise _Refused("bomb", what)
    table.validate(full=True)
    return table


def _require_parquet(data: bytes) -> None:
    if data[:4] != _MAGIC or data[-4:] != _MAGIC or len(data) < 12:
        raise _Refused("not_parquet", "is not a whole Parquet file; `convsafe submit` writes one")
    if int.from_bytes(data[-8:-4], "little") > min(_END, len(data) - 12):
        raise _Refused("damaged", "says that its end is larger than it can be")


def _require_small(data: bytes, meta: Any, board: Board) -> None:
    """Refuse a file that unpacks to more than the board takes, by all that it says of itself."""
    rows, most = most_rows(board), board.most_bytes
    groups = [meta.row_group(group) for group in range(meta.num_row_groups)]
    if len(groups) > _GROUPS:
        raise _Refused("bomb", f"has {len(groups):,} row groups; at most {_GROUPS:,} may be")
    if max(meta.num_rows, sum(group.num_rows for group in groups)) > rows:
        what = f"has {meta.num_rows:,} rows; the board asks for {len(board.ids):,} cases"
        raise _Refused("too_many_rows", what)
    chunks = [group.column(at) for group in groups for at in range(meta.num_columns)]
    size = unpacked_size(data, meta)
    held = max(size.bytes, sum(chunk.total_uncompressed_size for chunk in chunks))
    if held > most:
        raise _Refused("bomb", f"unpacks to {held:,} bytes; the board takes {most:,}")
    if max([size.values, *(chunk.num_values for chunk in chunks)]) > rows * _VALUES:
        raise _Refused("bomb", "has a column with far more values than replies")


def _require_columns(schema: pa.Schema) -> None:
    """Refuse columns that a submission does not have, lacks, or has in another type."""
    names = list(schema.names)
    if unknown := [name for name in names if name not in frame_schema()]:
        listed = ", ".join(shown(name) for name in unknown[:5])
        raise _Refused("columns", f"has columns that no submission has: {listed}")
    if len(set(names)) < len(names):
        raise _Refused("columns", "has a column twice")
    if lacking := [name for name in NEEDED if name not in names]:
        raise _Refused("columns", f"has no column {' and no '.join(lacking)}")
    for column in schema:
        if not _FITS[column.name](column.type):
            what = f"column {column.name!r} holds {shown(str(column.type))}"
            wanted = submitted_schema().field(column.name).type
            raise _Refused("types", f"has the wrong type: {what}, and not {wanted}")


def _is_text(kind: pa.DataType) -> bool:
    from pyarrow import types

    if types.is_dictionary(kind):
        kind = kind.value_type
    return bool(types.is_string(kind) or types.is_large_string(kind))


def _is_count(kind: pa.DataType) -> bool:
    from pyarrow import types

    return bool(types.is_integer(kind))


def _is_number(kind: pa.DataType) -> bool:
    from pyarrow import types

    return bool(types.is_floating(kind) or types.is_integer(kind))


def _are_turns(kind: pa.DataType) -> bool:
    from pyarrow import types

    if types.is_null(kind):
        return True
    listed = types.is_list(kind) or types.is_large_list(kind)
    return bool(listed) and _is_struct(kind.value_type, ("role", "content"), _is_text)


def _is_usage(kind: pa.DataType) -> bool:
    from pyarrow import types

    names = ("prompt_tokens", "completion_tokens")
    return bool(types.is_null(kind)) or _is_struct(kind, names, _is_count)


def _is_struct(
    kind: pa.DataType, names: tuple[str, ...], fits: Callable[[pa.DataType], bool]
) -> bool:
    from pyarrow import types

    if not types.is_struct(kind):
        return False
    fields = [kind.field(at) for at in range(kind.num_fields)]
    return {one.name for one in fields} == set(names) and all(fits(one.type) for one in fields)


def _or_null(fits: Callable[[pa.DataType], bool]) -> Callable[[pa.DataType], bool]:
    return lambda kind: str(kind) == "null" or fits(kind)


_FITS: Mapping[str, Callable[[pa.DataType], bool]] = {
    "id": _is_text,
    "sample": _is_count,
    "outcome": _is_text,
    "response": _is_text,
    "messages": _are_turns,
    "model": _or_null(_is_text),
    "finish_reason": _or_null(_is_text),
    "usage": _is_usage,
    "seconds": _or_null(_is_number),
}


def _text_bytes(array: Any) -> int:
    """Return how many bytes the texts of an array have, each counted as often as it is there."""
    import pyarrow as pa
    from pyarrow import compute, types

    kind = array.type
    if isinstance(array, pa.ChunkedArray):
        return sum(_text_bytes(chunk) for chunk in array.chunks)
    if types.is_dictionary(kind):
        lengths = compute.binary_length(array.dictionary).cast(pa.int64())
        return compute.sum(lengths.take(array.indices)).as_py() or 0
    if types.is_string(kind) or types.is_large_string(kind):
        return compute.sum(compute.binary_length(array).cast(pa.int64())).as_py() or 0
    if types.is_list(kind) or types.is_large_list(kind):
        return _text_bytes(array.flatten())
    if types.is_struct(kind):
        return sum(_text_bytes(array.field(at)) for at in range(kind.num_fields))
    return 0


def _frame(table: pa.Table) -> pl.DataFrame:
    """Return the table in the types of `frame_schema`, with what was left out."""
    import polars as pl
    import pyarrow as pa

    schema = submitted_schema()
    kept = pa.schema([schema.field(name) for name in table.column_names])
    found = pl.from_arrow(table.cast(kept))
    assert isinstance(found, pl.DataFrame)
    lacking = {name: kind for name, kind in frame_schema().items() if name not in found.columns}
    found = found.with_columns(pl.lit(None, kind).alias(name) for name, kind in lacking.items())
    empty = pl.col("response").str.strip_chars() == ""
    guessed = pl.when(empty).then(pl.lit("empty")).otherwise(pl.lit("answered"))
    return found.select(list(frame_schema())).with_columns(
        *([pl.lit(0, pl.Int64).alias("sample")] if "sample" in lacking else []),
        *([guessed.alias("outcome")] if "outcome" in lacking else []),
    )
