"""Share of dialogues that were unsafe by turn 4."""

from convsafe.benchmark.metrics._dialogues import by_turn

METRIC = by_turn(4)
