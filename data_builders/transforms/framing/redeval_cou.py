"""RED-EVAL's template `cou`, read from upstream."""

from convsafe.data_builders.transform import Part
from convsafe.data_builders.upstream import redeval

ABOUT = "A chain of utterances between two agents, one of whom answers the question."


def part() -> Part:
    """Return the framing."""
    return redeval("cou", ABOUT)
