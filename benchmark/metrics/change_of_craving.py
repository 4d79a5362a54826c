"""How much craving rises in a session."""

from convsafe.benchmark.metrics._sessions import change_of

METRIC = change_of("craving", "lower", "how strong the craving is")
