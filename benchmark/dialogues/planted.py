"""Reasoning planted before the answer, where something is wrong with what the user wants.

For service agents whose user is unclear or wants what the tools do not do (facet `error`). Whether
anything is wrong, and what, is decided before the model answers: by the case itself, or with
`--user` by that model, which is asked about the conversation (its decisions are the activations
that `planted_rate` counts). Where something is, a fixed plan for that error is put before the
answer. Weights and the agent's own instructions stay as they are.

The plan is the beginning of the model's own turn (`into=reply`); a server that takes no begun turn
is given it at the end of the system prompt instead (`into=system`). With `plan=no` nothing is
planted: the run to compare with.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

from convsafe.benchmark.model import Params, Reply
from convsafe.benchmark.model import connect as connect_model
from convsafe.benchmark.session import Dialogue, Session, Speaker
from convsafe.benchmark.spec import Spec
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.files import sha256_of
from convsafe.taxonomy.records import Case, Message
from convsafe.taxonomy.tree import read_yaml

ABOUT = "A plan for recovery is planted before the answer where the user's wish cannot be met."
PAPER = "after ReIn (2602.17022): inception of reasoning; errors and recoveries as there, own words"

PATH = Path(__file__).parent / "plans.yaml"
FACET = "error"
_NONE = "none"
_INTO = ("reply", "system")
_BEGUN = "<think>\n{plan}\n</think>\n\n"
_NOTED = "{system}\n\nWhat you have thought so far about the last message: {plan}"
_TOLD = (
    "Read a conversation of a user with a service agent, whose instructions stand first. Decide"
    " whether the user's last message has one of these errors:\n{errors}\n- none: the wish is clear"
    " and the agent's tools can do it.\nAnswer with one line, ERROR: and the name."
)
_DECIDED = re.compile(r"(?im)^\W*error\W*:\W*(\w+)")
_SHORT = Params(temperature=0.0, max_tokens=64)


class Plan(NamedTuple):
    """How an error is known, and what is planted then."""

    about: str
    plan: str


@dataclass(frozen=True)
class Options:
    """What is planted.

    Args:
        plan: Whether anything is.
        into: `reply`, as the beginning of the model's turn; `system`, after its system prompt.
    """

    plan: bool = True
    into: str = "reply"

    def check(self) -> None:
        """Raise `BadInput` if there is no such place."""
        if self.into not in _INTO:
            raise BadInput(f"planted:into must be {' or '.join(_INTO)}")


@cache
def load_plans(path: Path = PATH) -> Mapping[str, Plan]:
    """Return the plans by the error's name.

    Raises:
        BadInput: If the file is malformed.
    """
    data = read_yaml(path)
    try:
        return {name: Plan(**found) for name, found in data["errors"].items()}
    except (TypeError, KeyError, AttributeError):
        raise BadInput("`errors` must map names to `about` and `plan`", file=path) from None


class Planted(Dialogue):
    """Decide, plant, ask."""

    name = "planted"

    def __init__(self, options: Options, user: str | None) -> None:
        self.options = options
        self.identity = f"{self.name}:{options}:{sha256_of(PATH)}"
        self.other = Speaker(connect_model(user)) if user is not None else None

    async def hold(self, session: Session) -> Reply:
        """Return the model's answer, without what was planted."""
        messages = session.case.messages
        error = await self._error(session) if self.options.plan else None
        plan = load_plans()[error].plan if error else None
        into = self.options.into if plan else None
        session.note("planted", turn=1, error=error, into=into)
        if plan is None:
            return await session.say(messages)
        if self.options.into == "system":
            return await session.say(_with_note(messages, plan))
        begun = _BEGUN.format(plan=plan)
        reply = await session.say((*messages, Message("assistant", begun)))
        # Some servers send the begun turn back with the rest.
        return reply._replace(text=reply.text.removeprefix(begun).removeprefix(begun.strip()))

    async def _error(self, session: Session) -> str | None:
        """Return what is wrong with the user's last message, or None."""
        if self.other is None:
            return _error_of(session.case)
        errors = "\n".join(f"- {name}: {one.about}" for name, one in load_plans().items())
        shown = "\n\n".join(
            f"{said.role.upper()}: {said.content}" for said in session.case.messages
        )
        asked = (Message("system", _TOLD.format(errors=errors)), Message("user", shown))
        answer = await self.other.say(asked, _SHORT)
        found = {name.lower() for name in _DECIDED.findall(answer.text)}
        name = found.pop() if len(found) == 1 else _NONE
        return name if name in load_plans() else None


def _error_of(case: Case) -> str | None:
    """Return the error a case was written with; its clear twin has none."""
    if case.expected not in ("clarify", "escalate"):
        return None
    names = (facet.name for facet in case.facets if facet.kind == FACET)
    return next((name for name in names if name in load_plans()), None)


def _with_note(messages: Sequence[Message], plan: str) -> tuple[Message, ...]:
    first = messages[0]
    if first.role != "system":
        noted = _NOTED.format(system="", plan=plan).strip()
        return (Message("system", noted), *messages)
    return (Message("system", _NOTED.format(system=first.content, plan=plan)), *messages[1:])


def connect(spec: Spec, user: str | None) -> Planted:
    """Return the dialogue.

    Raises:
        UnknownName: If there is no such option or provider.
        BadInput: If a model is to decide where nothing is planted.
    """
    options = spec.into(Options)
    options.check()
    if user is not None and not options.plan:
        raise BadInput("with plan=no nothing is decided: leave out --user")
    return Planted(options, user)
