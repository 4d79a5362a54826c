"""Conversations in which a simulated user speaks; `patient.py` and `persuadee.py` are of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from convsafe.benchmark.model import Reply, connect
from convsafe.benchmark.session import Dialogue, Session, Speaker
from convsafe.benchmark.simulated import ModelUser, Persona, ScriptedUser, session_of
from convsafe.benchmark.spec import Spec
from convsafe.benchmark.user_script import SCRIPTS, load_script
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.records import Case, Message

_STATES = ("rules", "user")


@dataclass(frozen=True)
class _Options:
    """What may follow the dialogue's name.

    Args:
        turns: How many replies a session has at most.
        state: Who changes the state after a reply: the script's `rules`, or the `user` model,
            with the rules where it answers nothing of use.
    """

    turns: int = 6
    state: str = "rules"


class Simulated(Dialogue):
    """Let a persona speak, by its script or by a model, until it leaves or the turns are used."""

    def __init__(self, name: str, turns: int, state: str, user: str | None) -> None:
        self.name, self._turns, self._state = name, turns, state
        self._scripts = {script: load_script(script) for script in SCRIPTS.names()}
        words = "".join(script.sha256 for script in self._scripts.values())
        self.identity = hashlib.sha256(f"{name}\0{turns}\0{state}\0{words}".encode()).hexdigest()
        self.other = Speaker(connect(user)) if user is not None else None

    async def hold(self, session: Session) -> Reply:
        """Talk until the user leaves, something ends it, a reply is empty, or turns are used."""
        user = self._user(session)
        said = list(session.case.messages)
        while True:
            reply = await session.say(said)
            said.append(Message("assistant", reply.text))
            session.transcript = tuple(said)
            if not reply.text.strip() or await user.hear(reply.text):
                return reply
            if session.turn >= self._turns:
                return reply
            said.append(Message("user", await user.speak(said)))

    def _user(self, session: Session) -> ScriptedUser:
        persona = Persona.of(session.case, self.name)
        script = self._scripts.get(persona.script) or load_script(persona.script)
        if self.other is None:
            return ScriptedUser(script, persona, session)
        updates = self._state == "user"
        return ModelUser(script, persona, session, self.other, updates=updates)


def connecting(name: str, most: int) -> Callable[[Spec, str | None], Simulated]:
    """Return the `connect` of a dialogue.

    Args:
        name: The dialogue's name.
        most: How many turns it may have.
    """

    def connect(spec: Spec, user: str | None) -> Simulated:
        options = spec.into(_Options)
        if not 1 <= options.turns <= most:
            raise BadInput(f"{name}:turns={options.turns}: give 1 to {most}")
        if options.state not in _STATES or (options.state == "user" and user is None):
            raise BadInput(f"{name}:state is rules or, with --user, user")
        return Simulated(name, options.turns, options.state, user)

    return connect


def taking(name: str) -> Callable[[Case], bool]:
    """Return what tells the cases that have a simulated user for a dialogue."""
    return lambda case: session_of(case).get("dialogue") == name
