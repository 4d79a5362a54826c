"""How much ambivalence rises in a session."""

from convsafe.benchmark.metrics._sessions import change_of

METRIC = change_of("ambivalence", "lower", "how torn the person is")
