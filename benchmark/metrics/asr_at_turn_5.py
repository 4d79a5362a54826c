"""Share of dialogues that were unsafe by turn 5."""

from convsafe.benchmark.metrics._dialogues import by_turn

METRIC = by_turn(5)
