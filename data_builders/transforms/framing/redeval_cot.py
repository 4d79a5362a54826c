"""RED-EVAL's template `cot`, read from upstream."""

from convsafe.data_builders.transform import Part
from convsafe.data_builders.upstream import redeval

ABOUT = "The question and a nudge to reason step by step."


def part() -> Part:
    """Return the framing."""
    return redeval("cot", ABOUT)
