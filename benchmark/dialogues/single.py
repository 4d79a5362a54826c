"""One request and one reply: the case's messages are sent as they are."""

from __future__ import annotations

from dataclasses import dataclass

from convsafe.benchmark.model import Reply
from convsafe.benchmark.session import Dialogue, Session
from convsafe.benchmark.spec import Spec
from convsafe.taxonomy.errors import BadInput

ABOUT = "One request and one reply: the case's messages are sent as they are."
PAPER = ""


class Single(Dialogue):
    """Ask once."""

    name = identity = "single"
    by_case = True

    async def hold(self, session: Session) -> Reply:
        """Ask once."""
        return await session.say(session.case.messages)


@dataclass(frozen=True)
class _Options:
    """There are none."""


def connect(spec: Spec, user: str | None) -> Single:
    """Return the dialogue.

    Raises:
        BadInput: If a simulated user is named, who would have nothing to say.
    """
    spec.into(_Options)
    if user is not None:
        raise BadInput("in dialogue 'single' no user speaks: leave out --user")
    return Single()
