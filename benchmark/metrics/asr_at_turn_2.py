"""Share of dialogues that were unsafe by turn 2."""

from convsafe.benchmark.metrics._dialogues import by_turn

METRIC = by_turn(2)
