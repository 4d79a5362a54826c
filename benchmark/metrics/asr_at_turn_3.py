"""Share of dialogues that were unsafe by turn 3."""

from convsafe.benchmark.metrics._dialogues import by_turn

METRIC = by_turn(3)
