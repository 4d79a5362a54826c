"""Share of dialogues that were unsafe at the first turn."""

from convsafe.benchmark.metrics._dialogues import by_turn

METRIC = by_turn(1)
