"""Rows that a judge was fitted on, which say nothing of how well it judges others.

A fitted judge may have `SEEN`, the path of a file with the hash of every row that it saw, one a
line. The hash tells whether a row was seen and not what it said, so that texts that may not be
redistributed need not be.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.files import write_text

if TYPE_CHECKING:
    import polars as pl

_BETWEEN = "\x1f"
_HASH = re.compile(r"[0-9a-f]{16}")


def row_hash(prompt: str, response: str) -> str:
    """Return the first 16 hex digits of the SHA-256 of a row, each text NFC and stripped."""
    parts = (unicodedata.normalize("NFC", text).strip() for text in (prompt, response))
    return hashlib.sha256(_BETWEEN.join(parts).encode()).hexdigest()[:16]


def write_seen(path: Path, rows: Iterable[tuple[str, str]]) -> None:
    """Write the hashes of rows of prompt and response, sorted and each once."""
    hashes = sorted({row_hash(prompt, response) for prompt, response in rows})
    write_text(path, "".join(f"{entry}\n" for entry in hashes))


def seen_mask(judge: Any, rows: pl.DataFrame) -> pl.Series:
    """Tell for each row of `prompt` and `response` whether a judge was fitted on it.

    A row without a text was seen by no judge.

    Args:
        judge: A loaded judge; one without `SEEN` saw none.
        rows: With columns `prompt` and `response`.

    Raises:
        BadInput: If the judge's file is missing or holds what is no hash.
    """
    import polars as pl

    known = seen_hashes(judge)
    if not known:
        return pl.repeat(False, len(rows), eager=True, dtype=pl.Boolean).alias("seen")
    pairs = rows.select("prompt", "response").iter_rows()
    found = [None not in pair and row_hash(*pair) in known for pair in pairs]
    return pl.Series("seen", found, pl.Boolean)


def seen_hashes(judge: Any) -> frozenset[str]:
    """Return the hashes of all rows a judge was fitted on."""
    path = getattr(judge, "SEEN", None)
    return frozenset() if path is None else _read(Path(path))


def _read(path: Path) -> frozenset[str]:
    if not path.is_file():
        raise BadInput("the hashes of rows seen in fitting are missing; fit again", file=path)
    lines = path.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, 1):
        if not _HASH.fullmatch(line):
            raise BadInput(f"{line[:40]!r} is not 16 hex digits", file=path, line=number)
    return frozenset(lines)
