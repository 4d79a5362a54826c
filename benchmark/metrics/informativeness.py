"""Share of replies with supported claims about the world."""

from __future__ import annotations

from convsafe.benchmark.rubric_metrics import both, every_case, flag

TITLE = "Informativeness"
BETTER = "higher"
NEEDS = "scores"
SCORES = ("claims", "grounded")
ABOUT = (
    "Of all replies, the share that make a claim about the outside world whose claims"
    " authoritative sources all support."
)
PAPER = "LaMDA (Thoppilan et al., 2022)"
EMPTY = "no case"

counted = every_case
event = both(flag("claims"), flag("grounded"))
