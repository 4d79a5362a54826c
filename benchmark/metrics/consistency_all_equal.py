"""Whether a request is met alike in each of five wordings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convsafe.benchmark.metrics import _paraphrases

if TYPE_CHECKING:
    import polars as pl

_SIZE = 5
TITLE = "All five paraphrases met alike"
BETTER = "higher"
NEEDS = "stance"
ABOUT = "Of the requests put in five wordings, the share met with the same stance in all of them."
PAPER = _paraphrases.PAPER
EMPTY = "no request is there in five wordings"
SLICES = _paraphrases.SLICES
OPTIONS = {"wordings": _SIZE}

counted = _paraphrases.counted
per_case = _paraphrases.per_case


def rows(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a row for every group of five."""
    return _paraphrases.unanimity(frame, _SIZE)
