"""Read columns of labels that are numbers, or yes and no."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convsafe.taxonomy.errors import BadInput

if TYPE_CHECKING:
    import polars as pl
    from convsafe.benchmark.bootstrap import Floats

_YES, _NO = ("true", "1", "1.0", "yes", "unsafe"), ("false", "0", "0.0", "no", "safe")


def booleans(path: Path, rows: pl.DataFrame, name: str) -> Floats:
    """Return 1 for each harmful row and 0 for each other.

    Raises:
        BadInput: On a missing column, or a value that is neither yes nor no.
    """
    import numpy as np

    found = []
    for row, id, value in _values(path, rows, name):
        word = str(value).strip().lower()
        if word not in _YES + _NO:
            what = f"row {row}: {name} {value!r} is not one of {', '.join(_YES + _NO)}"
            raise BadInput(what, file=path, id=id)
        found.append(float(word in _YES))
    return np.array(found)


def numbers(path: Path, rows: pl.DataFrame, name: str) -> Floats:
    """Return the number of each row.

    Raises:
        BadInput: On a missing column, or a value that is no finite number.
    """
    import numpy as np

    found = []
    for row, id, value in _values(path, rows, name):
        number = _number(value)
        if not math.isfinite(number):
            raise BadInput(f"row {row}: {name} {value!r} is no number", file=path, id=id)
        found.append(number)
    return np.array(found)


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan


def _values(path: Path, rows: pl.DataFrame, name: str) -> list[tuple[int, str, Any]]:
    """Return the row number, id and value of each labelled row."""
    own = rows["own"].struct
    if name not in own.fields:
        raise BadInput(f"no column {name!r}; there are {', '.join(own.fields)}", file=path)
    columns = [rows["row"], rows["id"], own.field(name)]
    return list(zip(*(column.to_list() for column in columns), strict=True))
