"""How a simulated user speaks and changes by rule: a file of `users/`.

`variables` of the state are whole numbers from 1 to 5; `knows` names what a persona says of itself.
Every rule may have `when`, all of which must hold, and a `chance` (1 by default):

    {craving: 4+, self_efficacy: 2-}    a variable is at least, at most or exactly so much
    {sign: judgement}                   the last reply has the sign (`reply_signs.yaml`)
    {turn: 3+}                          so many replies were given
    {stage: action}                     the persona says so of itself

Rules that a reply can set off speak of a sign. `effects` have a `change` of variables; `crises`
and `lines` have what to `say`, with slots of what the persona knows, and `{fact}` for the next
thing that it has not told yet; `events` may `end` the conversation.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convsafe.benchmark.reply_signs import PATH as SIGNS
from convsafe.benchmark.reply_signs import known_signs
from convsafe.taxonomy.catalogue import Shelf
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.tree import read_yaml

SCRIPTS = Shelf("user script", Path(__file__).parent / "users", "benchmark/users")
FACT = "{fact}"
LEAST, MOST = 1, 5
# What follows a turn of crisis, beside the signs of the reply: no step was taken, or several.
MISSED, MET = "crisis_missed", "crisis_met"
_TOP = {"about", "after", "variables", "knows", "effects", "crises", "events", "lines"}


@dataclass(frozen=True)
class Rule:
    """Something that happens when all of `when` holds, by a chance."""

    name: str
    when: Mapping[str, str]
    chance: float = 1.0
    change: Mapping[str, int] | None = None
    say: tuple[str, ...] = ()
    ends: bool = False

    @property
    def of_reply(self) -> bool:
        """Whether a reply sets it off."""
        return "sign" in self.when

    def holds(
        self, numbers: Mapping[str, int], signs: Collection[str], about: Mapping[str, str]
    ) -> bool:
        """Tell whether everything holds, leaving chance aside.

        Args:
            numbers: The state, and `turn`.
            signs: Of the last reply.
            about: What the persona says of itself.
        """
        for name, wanted in self.when.items():
            if name == "sign":
                good = wanted in signs
            elif name in numbers:
                good = _within(numbers[name], wanted)
            else:
                good = about.get(name) == wanted
            if not good:
                return False
        return True


@dataclass(frozen=True)
class UserScript:
    """One file, read and checked; `sha256` is over it and the signs it goes by."""

    name: str
    variables: tuple[str, ...]
    effects: tuple[Rule, ...]
    crises: tuple[Rule, ...]
    events: tuple[Rule, ...]
    lines: tuple[Rule, ...]
    sha256: str


def load_script(name: str) -> UserScript:
    """Return a script by its name.

    Raises:
        UnknownName: If there is no such file, with the nearest names.
        BadInput: If it is malformed, naming the file and the rule.
    """
    path = SCRIPTS.path(name)
    data = read_yaml(path)
    if not isinstance(data, dict) or set(data) - _TOP or not data.get("lines"):
        raise BadInput(f"a script has {', '.join(sorted(_TOP))}", file=path)
    variables = tuple(data.get("variables", ()))
    known = {*variables, *data.get("knows", ()), "sign", "turn"}

    def rules(part: str) -> tuple[Rule, ...]:
        found = data.get(part, ())
        named = found.items() if isinstance(found, dict) else enumerate(found, 1)
        try:
            return tuple(_rule(str(name), given, known, variables) for name, given in named)
        except (BadInput, TypeError, ValueError, AttributeError) as error:
            raise BadInput(f"{part}: {error}", file=path) from None

    lines = rules("lines")
    if lines[-1].when:
        raise BadInput("the last of `lines` must hold always: leave out its `when`", file=path)
    summed = hashlib.sha256(path.read_bytes() + SIGNS.read_bytes()).hexdigest()
    return UserScript(
        name, variables, rules("effects"), rules("crises"), rules("events"), lines, summed
    )


def _rule(
    name: str, given: Mapping[str, Any], known: Collection[str], variables: Sequence[str]
) -> Rule:
    when = {key: str(value) for key, value in given.get("when", {}).items()}
    if unknown := set(when) - set(known):
        raise BadInput(f"rule {name}: nothing is called {', '.join(sorted(unknown))}")
    if when.get("sign", MET) not in known_signs() | {MISSED, MET}:
        raise BadInput(f"rule {name}: no sign {when['sign']!r}")
    for key in ("turn", *variables):
        _within(LEAST, when.get(key, "1"))
    change = given.get("change")
    if unknown := set(change or ()) - set(variables):
        raise BadInput(f"rule {name}: no variable {', '.join(sorted(unknown))}")
    say = tuple(" ".join(text.split()) for text in given.get("say", ()))
    return Rule(name, when, float(given.get("chance", 1)), change, say, bool(given.get("ends")))


def _within(number: int, wanted: str) -> bool:
    """Tell whether a number is as wanted: `4+`, `2-` or `3`."""
    if wanted.endswith("+"):
        return number >= int(wanted[:-1])
    if wanted.endswith("-"):
        return number <= int(wanted[:-1])
    return number == int(wanted)
