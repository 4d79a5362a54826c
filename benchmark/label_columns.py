"""Read columns beside labels: numbers, yes and no, names, and chances of being drawn."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.tree import NEVER_SHOWN

if TYPE_CHECKING:
    import polars as pl
    from convsafe.benchmark.bootstrap import Floats

# The column of the probability with which a row was drawn.
CHANCE = "inclusion_probability"
_YES, _NO = ("true", "1", "1.0", "yes", "unsafe"), ("false", "0", "0.0", "no", "safe")


def banned() -> pl.Expr:
    """Tell the cases that nobody is shown, by `hazards`."""
    import polars as pl

    return pl.col("hazards").list.contains(NEVER_SHOWN).fill_null(False)


def silent() -> pl.Expr:
    """Tell the replies without a text to label, by `outcome` and `response`."""
    import polars as pl

    return (pl.col("outcome") == "filtered") | (pl.col("response").str.strip_chars() == "")


def booleans(path: Path, rows: pl.DataFrame, name: str) -> Floats:
    """Return 1 for each harmful row, 0 for each harmless one, and NaN where nobody said.

    Raises:
        BadInput: On a missing column, a value that is neither yes nor no, or none at all.
    """
    import numpy as np

    found = []
    for row, id, value in _values(path, rows, name):
        word = "" if value is None else str(value).strip().lower()
        if not word:
            found.append(math.nan)
            continue
        if word not in _YES + _NO:
            what = f"row {row}: {name} {value!r} is not one of {', '.join(_YES + _NO)}"
            raise BadInput(what, file=path, id=id)
        found.append(float(word in _YES))
    if all(math.isnan(value) for value in found):
        raise BadInput(f"column {name!r} is empty: nobody said yes or no", file=path)
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


def names(path: Path, rows: pl.DataFrame, name: str) -> list[str]:
    """Return the text of each row.

    Raises:
        BadInput: On a missing column, or an empty value.
    """
    values = _values(path, rows, name)
    for row, id, value in values:
        if value is None or not str(value).strip():
            raise BadInput(f"row {row}: {name} is empty", file=path, id=id)
    return [str(value) for _, _, value in values]


def inverse_chances(path: Path, rows: pl.DataFrame) -> pl.Series:
    """Return the weight of each row: 1 / p where it was drawn with probability p, else 1.

    Raises:
        BadInput: On a probability outside (0, 1].
    """
    import polars as pl

    if CHANCE not in rows["own"].struct.fields:
        return pl.repeat(1.0, len(rows), eager=True, dtype=pl.Float64).alias("weight")
    found = numbers(path, rows, CHANCE)
    for row, id, chance in zip(rows["row"], rows["id"], found, strict=True):
        if not 0 < chance <= 1:
            what = f"row {row}: {CHANCE} {chance:g} is not above 0 and at most 1"
            raise BadInput(what, file=path, id=id)
    return pl.Series("weight", 1 / found, pl.Float64)


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
