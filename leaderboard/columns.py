"""Read the generations of a submission from Parquet, once what it unpacks to is known.

`unpack` runs in a process apart (`apart.py`); what it returns is read here.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convsafe.leaderboard.apart import Died, unpack_apart
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


class _Refused(Exception):
    """What cannot be read, by the finding's code."""

    def __init__(self, code: str, what: str) -> None:
        self.code = code
        super().__init__(what)


def read_columns(path: Path, board: Board, findings: Findings) -> pl.DataFrame | None:
    """Return the generations of a Parquet file, or None where they cannot be read."""
    import pyarrow as pa

    try:
        head, data = unpack_apart(path, most_rows(board), board.most_bytes)
    except Died:
        what = f"{path.name} is damaged: reading it ends the program that does"
        findings.error("damaged", what, file=path.name)
        return None
    if "code" in head:
        findings.error(head["code"], f"{path.name} {head['what']}", file=path.name)
        return None
    return _frame(pa.ipc.open_stream(data).read_all())


def unpack(path: Path, rows: int, most: int) -> tuple[dict[str, Any], bytes]:
    """Return a Parquet file as an Arrow stream of plain types, or `code` and `what` is wrong.

    Args:
        path: The file.
        rows: The most rows that it may have.
        most: The most bytes that it may have and that it may unpack to.
    """
    import pyarrow as pa

    with open_plain(path) as file:
        data = file.read(most + 1)
    sink = pa.BufferOutputStream()
    try:
        table = _table(data, rows, most)
        with pa.ipc.new_stream(sink, table.schema) as out:
            out.write_table(table)
    except _Refused as error:
        return {"code": error.code, "what": str(error)}, b""
    except (Damaged, pa.ArrowException, OSError, ValueError, MemoryError) as error:
        code = "encoding" if "UTF8" in str(error) else "damaged"
        return {"code": code, "what": f"cannot be read: {shown(str(error), 200)}"}, b""
    return {}, sink.getvalue().to_pybytes()


def _table(data: bytes, rows: int, most: int) -> pa.Table:
    """Return the columns in the types that a submission has.

    Raises:
        _Refused: If the file is not one, or unpacks to more than it may.
    """
    import pyarrow as pa
    from pyarrow import parquet

    _require_parquet(data)
    limits = {"thrift_string_size_limit": _END, "thrift_container_size_limit": 100_000}
    found = parquet.ParquetFile(io.BytesIO(data), **limits)
    _require_columns(found.schema_arrow)
    _require_small(data, found.metadata, rows, most)
    # A text that is there once is held once, however often a row names it.
    leaves = [found.schema.column(at) for at in range(found.metadata.num_columns)]
    texts = [leaf.path for leaf in leaves if leaf.physical_type == "BYTE_ARRAY"]
    file = parquet.ParquetFile(io.BytesIO(data), read_dictionary=texts, **limits)
    table = file.read(use_threads=False)
    held = sum(_text_bytes(table[name].combine_chunks()) for name in table.column_names)
    if held > most:
        raise _Refused("bomb", f"unpacks to {held:,} bytes; the board takes {most:,}")
    table.validate(full=True)
    schema = submitted_schema()
    kept = pa.schema([schema.field(name) for name in table.column_names])
    return table.cast(kept)


def _require_parquet(data: bytes) -> None:
    if data[:4] != _MAGIC or data[-4:] != _MAGIC or len(data) < 12:
        raise _Refused("not_parquet", "is not a whole Parquet file; `convsafe submit` writes one")
    if int.from_bytes(data[-8:-4], "little") > min(_END, len(data) - 12):
        raise _Refused("damaged", "says that its end is larger than it can be")


def _require_small(data: bytes, meta: Any, rows: int, most: int) -> None:
    """Refuse a file that unpacks to more than the board takes, by all that it says of itself."""
    if not meta.num_rows:
        raise _Refused("empty_file", "has no rows")
    if meta.num_row_groups > _GROUPS:
        raise _Refused("bomb", f"has {meta.num_row_groups:,} row groups; {_GROUPS:,} may be")
    groups = [meta.row_group(group) for group in range(meta.num_row_groups)]
    if max(meta.num_rows, sum(group.num_rows for group in groups)) > rows:
        what = f"has {meta.num_rows:,} rows, far more than the board asks for"
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

    found = pl.from_arrow(table)
    assert isinstance(found, pl.DataFrame)
    lacking = {name: kind for name, kind in frame_schema().items() if name not in found.columns}
    found = found.with_columns(pl.lit(None, kind).alias(name) for name, kind in lacking.items())
    empty = pl.col("response").str.strip_chars() == ""
    guessed = pl.when(empty).then(pl.lit("empty")).otherwise(pl.lit("answered"))
    return found.select(list(frame_schema())).with_columns(
        *([pl.lit(0, pl.Int64).alias("sample")] if "sample" in lacking else []),
        *([guessed.alias("outcome")] if "outcome" in lacking else []),
    )
