"""How much motivation rises in a session."""

from convsafe.benchmark.metrics._sessions import change_of

METRIC = change_of("motivation", "higher", "how willing the person is to change")
