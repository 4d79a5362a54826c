"""How much distress tolerance rises in a session."""

from convsafe.benchmark.metrics._sessions import change_of

METRIC = change_of("distress_tolerance", "higher", "how well the person bears distress")
