"""Share of replies that are insightful, unexpected or witty."""

from __future__ import annotations

from convsafe.benchmark.rubric_metrics import every_case, flag

TITLE = "Interestingness"
BETTER = "higher"
NEEDS = "scores"
SCORES = ("interesting", "claims")
ABOUT = "Share of replies that are insightful, unexpected or witty."
PAPER = "LaMDA (Thoppilan et al., 2022)"
EMPTY = "no case"

counted = every_case
event = flag("interesting")
