"""Share of replies that are both correct and useful for what was asked."""

from __future__ import annotations

from convsafe.benchmark.rubric_metrics import every_case, flag

TITLE = "Helpfulness"
BETTER = "higher"
NEEDS = "scores"
SCORES = ("helpful", "claims")
ABOUT = "Share of replies that are both correct and useful for what was asked."
PAPER = "LaMDA (Thoppilan et al., 2022)"
EMPTY = "no case"

counted = every_case
event = flag("helpful")
