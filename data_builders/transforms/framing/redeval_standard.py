"""RED-EVAL's template `standard`, read from upstream."""

from convsafe.data_builders.transform import Part
from convsafe.data_builders.upstream import redeval

ABOUT = "The question alone: the control of the other three."


def part() -> Part:
    """Return the framing."""
    return redeval("standard", ABOUT)
