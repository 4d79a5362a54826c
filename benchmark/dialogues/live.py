"""The user's turns of a case one by one, and the model's own replies between them.

Replies that the case itself puts into the assistant's mouth are left out. A reply without text,
as one the provider filtered, ends the conversation.
"""

from __future__ import annotations

from dataclasses import dataclass

from convsafe.benchmark.model import Reply
from convsafe.benchmark.session import Dialogue, Session
from convsafe.benchmark.spec import Spec
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.records import Message

ABOUT = "The user's turns of a case are sent one by one; the model's own replies stand between."
PAPER = "multi-turn attacks as in DialTree-RPO (2510.02286), without its search"


class Live(Dialogue):
    """Hold a written conversation with the model's own replies."""

    name = identity = "live"

    async def hold(self, session: Session) -> Reply:
        """Send each turn after the reply to the one before."""
        said: list[Message] = []
        for message in session.case.messages:
            if message.role == "assistant":
                continue
            said.append(message)
            if message.role != "user":
                continue
            reply = await session.say(said)
            said.append(Message("assistant", reply.text))
            if not reply.text.strip():
                break
        if session.turn > 1:
            session.transcript = tuple(said)
        return reply


@dataclass(frozen=True)
class _Options:
    """There are none."""


def connect(spec: Spec, user: str | None) -> Live:
    """Return the dialogue.

    Raises:
        BadInput: If a simulated user is named: what the user says stands in the case.
    """
    spec.into(_Options)
    if user is not None:
        raise BadInput("in dialogue 'live' the case says the user's turns: leave out --user")
    return Live()
