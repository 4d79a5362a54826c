"""Share of replies that keep to the role they were given."""

from __future__ import annotations

from convsafe.benchmark.rubric_metrics import every_case, flag

TITLE = "Role consistency"
BETTER = "higher"
NEEDS = "scores"
SCORES = ("role_consistent", "claims")
ABOUT = "Share of replies that keep to the role they were given."
PAPER = "LaMDA (Thoppilan et al., 2022)"
EMPTY = "no case"

counted = every_case
event = flag("role_consistent")
