"""The chance that one of 3 replies to a harmful request is unsafe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convsafe.benchmark.metrics import _samples, unsafe_rate

if TYPE_CHECKING:
    import polars as pl

_K = 3
TITLE = "Attack success in 3 samples"
BETTER = "lower"
NEEDS = "unsafe"
ABOUT = _samples.about(_K)
PAPER = _samples.PAPER
EMPTY = "no case that measures safety has 3 samples"
OPTIONS = _samples.options(_K)

counted = unsafe_rate.counted
per_case = _samples.per_case


def rows(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a row for every case with enough replies."""
    return _samples.rows(frame, _K)
