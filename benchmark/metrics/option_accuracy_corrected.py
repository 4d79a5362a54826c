"""Multiple choice accuracy beyond chance, -1 to 1."""

from __future__ import annotations

from convsafe.benchmark.options import beyond_chance, with_answer

TITLE = "Multiple choice accuracy beyond chance"
BETTER = "higher"
NEEDS = "option"
RANGE = (-1.0, 1.0)
ABOUT = (
    "Accuracy corrected for chance, (accuracy - 1/k) / (1 - 1/k) for a question of k options,"
    " as a mean over questions: 0 for guessing, 1 for all right, below 0 for worse than guessing."
)
PAPER = "ours, for LabSafety Bench and RxSafeBench"
EMPTY = "no case has choices and an answer"
OPTIONS = {"chance": "1 / number of options"}

counted = with_answer
value = beyond_chance
