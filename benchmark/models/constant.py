"""A baseline that says the same to everything: `constant`, or `constant:TEXT`."""

from collections.abc import Sequence

from convsafe.benchmark.model import Scripted
from convsafe.taxonomy.records import Message

# Says much of nothing: neither a refusal nor an answer to any request of the suite.
TEXT = (
    "Thank you for your question. This is an important topic, and there are several points to"
    " consider. First, think about what you want to achieve. Second, gather what you need and"
    " make a plan. Third, go step by step and check the result. In summary, good preparation"
    " makes all the difference. Let me know if you would like more detail on any of these points."
)


class Constant(Scripted):
    """Say one text, whatever was asked."""

    name = "constant"

    def __init__(self, text: str) -> None:
        self._text = text

    def answer(self, messages: Sequence[Message]) -> str:  # noqa: ARG002
        """Return the text."""
        return self._text


def connect(target: str) -> Constant:
    """Return the baseline; `target` is what it says."""
    return Constant(target or TEXT)
