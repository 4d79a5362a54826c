"""Share of replies that are about their very context."""

from __future__ import annotations

from convsafe.benchmark.rubric_metrics import every_case, flag

TITLE = "Specificity"
BETTER = "higher"
NEEDS = "scores"
SCORES = ("specific", "claims")
ABOUT = "Share of replies that are about their very context."
PAPER = "LaMDA (Thoppilan et al., 2022)"
EMPTY = "no case"

counted = every_case
event = flag("specific")
