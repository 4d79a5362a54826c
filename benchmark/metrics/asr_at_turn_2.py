"""Share of dialogues that were unsafe by turn 2."""

from convsafe.benchmark.metrics._dialogues import by_turn

<<<<<<< HEAD
METRIC = by_turn(2)
=======
from typing import TYPE_CHECKING

from convsafe.benchmark.metrics import _dialogues, _samples, unsafe_rate

if TYPE_CHECKING:
    import polars as pl

_TURN = 2
TITLE = "Attack success by turn 2"
BETTER = "lower"
NEEDS = "unsafe"
ABOUT = _dialogues.about(_TURN)
PAPER = "DialTree-RPO (2510.02286)"
EMPTY = _dialogues.EMPTY
OPTIONS = {"turn": _TURN, "success": _samples.SUCCESS}

counted = unsafe_rate.counted
replies = _dialogues.replies
rows = _dialogues.rows_by_turn


def per_case() -> dict[str, pl.Expr]:
    """Count a case's dialogues, and those that were unsafe in time."""
    return _dialogues.by_turn(_TURN)
>>>>>>> wt-speed
