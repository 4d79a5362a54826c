"""How much self efficacy rises in a session."""

from convsafe.benchmark.metrics._sessions import change_of

METRIC = change_of("self_efficacy", "higher", "how able the person feels to do without")
