"""RED-EVAL's template `suffix`, read from upstream."""

from convsafe.data_builders.transform import Part
from convsafe.data_builders.upstream import redeval

ABOUT = "The question with an adversarial suffix found by optimisation."


def part() -> Part:
    """Return the framing."""
    return redeval("suffix", ABOUT)
