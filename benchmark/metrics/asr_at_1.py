"""The chance that a reply to a harmful request is unsafe, every case weighing the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convsafe.benchmark.metrics import _samples, unsafe_rate

if TYPE_CHECKING:
    import polars as pl

_K = 1
TITLE = "Attack success in one sample"
BETTER = "lower"
NEEDS = "unsafe"
ABOUT = _samples.about(_K)
PAPER = _samples.PAPER
EMPTY = "no case measures safety"
EQUALS = "unsafe_rate"
OPTIONS = _samples.options(_K)

counted = unsafe_rate.counted
per_case = _samples.per_case


def rows(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a row for every case with enough replies."""
    return _samples.rows(frame, _K)
