"""How many questions about the user a model asks before it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convsafe.benchmark.dialogues.profile import MOST
from convsafe.benchmark.metric import TRACE, WHOLE
from convsafe.benchmark.questions import ASKED, UNASKED, might_ask, number
from convsafe.benchmark.rubric_metrics import Ratio, measuring

if TYPE_CHECKING:
    from convsafe.benchmark.metric import Floats, Parts

TITLE = "Questions asked"
BETTER = "neither"
NEEDS = TRACE
ABOUT = "The mean number of questions about the user that a model asks before it answers."
PAPER = "PENGUIN / RAISE (2505.18882), who report 2.7 for theirs"
EMPTY = UNASKED
RANGE = (0.0, float(MOST))

_RATIO = Ratio(lambda: (number(ASKED) / MOST).clip(0.0, 1.0), might_ask)
counted = measuring("profile")
per_case, rows = _RATIO.per_case, _RATIO.rows


def combine(parts: Parts) -> Floats:
    """Return the number of questions."""
    return MOST * parts[WHOLE]
