"""Cut files of generations or verdicts into partitions that can be read alone, in any order.

A partition of a JSONL file is a range of its bytes, from line to line; one of a Parquet file is a
range of rows within a row group. Nothing is read to plan them but the ends of lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convsafe.taxonomy.errors import BadInput

if TYPE_CHECKING:
    import polars as pl

# About 10,000 replies of 700 characters: a judge builds its lists anew for every table.
BYTES, ROWS = 8 << 20, 10_000
_SUFFIXES = {".jsonl": False, ".ndjson": False, ".parquet": True}


@dataclass(frozen=True)
class Partition:
    """Rows of a file: bytes `start` to `stop` of JSONL, or such rows of a Parquet row group.

    `size` is what it adds to a progress bar, in the unit of its kind of file.
    """

    path: Path
    start: int
    stop: int
    group: int | None = None

    @property
    def size(self) -> int:
        """Its bytes or rows."""
        return self.stop - self.start

    def place(self, row: int) -> int:
        """Return the line of JSONL, or the row of Parquet, counted from 1, of a row of it."""
        if self.group is not None:
            from pyarrow import parquet

            meta = parquet.read_metadata(self.path)
            before: int = sum(meta.row_group(group).num_rows for group in range(self.group))
            return before + self.start + row + 1
        with self.path.open("rb") as file:
            return sum(block.count(b"\n") for block in _blocks(file, self.start)) + row + 1

    def lines(self) -> list[bytes]:
        """Return the lines of a JSONL partition."""
        return self.read_bytes().removesuffix(b"\n").split(b"\n")

    def read_bytes(self) -> bytes:
        """Return the bytes of a JSONL partition."""
        with self.path.open("rb") as file:
            file.seek(self.start)
            return file.read(self.size)

    def read_rows(self, columns: Sequence[str]) -> pl.DataFrame:
        """Return those of the columns that a Parquet partition has."""
        import polars as pl
        import pyarrow as pa
        from pyarrow import parquet

        file = parquet.ParquetFile(self.path)
        kept = [name for name in columns if name in file.schema_arrow.names]
        at, found = 0, []
        for batch in file.iter_batches(ROWS, row_groups=[self.group], columns=kept):
            low, high = max(self.start - at, 0), min(self.stop - at, len(batch))
            if low < high:
                found.append(batch.slice(low, high - low))
            at += len(batch)
            if at >= self.stop:
                break
        table = pa.Table.from_batches(found, schema=pa.schema(map(file.schema_arrow.field, kept)))
        frame = pl.from_arrow(table)
        assert isinstance(frame, pl.DataFrame)
        return frame


def is_parquet(path: Path) -> bool:
    """Return whether a file is Parquet, by its ending.

    Raises:
        BadInput: If it is missing or of another kind.
    """
    if not path.is_file():
        raise BadInput("no such file", file=path)
    if (found := _SUFFIXES.get(path.suffix.lower())) is None:
        raise BadInput("the file's name must end in .jsonl or .parquet", file=path)
    return found


def partitions(path: Path, *, size: int = BYTES, rows: int = ROWS) -> list[Partition]:
    """Return a file's partitions in order.

    Args:
        path: A `.jsonl` or `.parquet` file.
        size: Bytes of a partition of JSONL, about; it ends with a line.
        rows: Rows of a partition of Parquet, at most.

    Raises:
        BadInput: If the file is missing, empty, or not what its ending says.
    """
    found = list(_groups(path, rows) if is_parquet(path) else _ranges(path, size))
    if not found:
        raise BadInput("the file is empty", file=path)
    return found


def _ranges(path: Path, size: int) -> Iterator[Partition]:
    end, start = path.stat().st_size, 0
    with path.open("rb") as file:
        while start < end:
            file.seek(min(start + size, end) - 1)
            # The byte before decides: a range that ends with a line takes no further one.
            if file.read(1) != b"\n":
                file.readline()
            yield Partition(path, start, file.tell())
            start = file.tell()


def _groups(path: Path, rows: int) -> Iterator[Partition]:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        meta = parquet.read_metadata(path)
    except pa.ArrowException as error:
        raise BadInput(f"not a Parquet file: {error}", file=path) from None
    for group in range(meta.num_row_groups):
        held = meta.row_group(group).num_rows
        for start in range(0, held, rows):
            yield Partition(path, start, min(start + rows, held), group)


def _blocks(file: Any, size: int) -> Iterator[bytes]:
    while size > 0 and (block := file.read(min(size, 1 << 20))):
        size -= len(block)
        yield block
