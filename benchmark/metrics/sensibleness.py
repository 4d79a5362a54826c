"""Share of replies that make sense in their context."""

from __future__ import annotations

from convsafe.benchmark.rubric_metrics import every_case, flag

TITLE = "Sensibleness"
BETTER = "higher"
NEEDS = "scores"
SCORES = ("sensible", "claims")
ABOUT = "Share of replies that make sense in their context."
PAPER = "LaMDA (Thoppilan et al., 2022)"
EMPTY = "no case"

counted = every_case
event = flag("sensible")
