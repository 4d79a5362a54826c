"""The records of a CSV with the lines they begin in, which an error names."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator


def records(text: str, delimiter: str = ",") -> Iterator[tuple[int, list[str]]]:
    """Yield every record with the line it begins in; that of a blank line is empty.

    Raises:
        csv.Error: On a record that is none.
    """
    before = csv.field_size_limit(sys.maxsize)
    reader = csv.reader(io.StringIO(text, ""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for values in reader:
            yield line, values
            line = reader.line_num + 1
    finally:
        csv.field_size_limit(before)
