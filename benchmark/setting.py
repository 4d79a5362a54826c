"""Run settings: what a run puts around the model on every case, as P-ground or a second look.

A setting of words is a YAML file in `settings/` with `about`, `after`, and `system` (put before the
case's own system prompt) or `user` (a wrapper that holds `{request}` once) or both. One that does
more is a Python file there with `ABOUT`, `PAPER` and `connect(spec) -> Layer`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from convsafe.benchmark.model import Reply
from convsafe.benchmark.session import Layer, Say, Session
from convsafe.benchmark.spec import Spec
from convsafe.taxonomy.catalogue import Catalogue, Shelf
from convsafe.taxonomy.errors import BadInput, UnknownName
from convsafe.taxonomy.records import Message
from convsafe.taxonomy.tree import read_yaml

PROGRAMS = Catalogue("run setting", "convsafe.benchmark.settings")
SETTINGS = Shelf("run setting", Path(__file__).parent / "settings", "benchmark/settings")
_SLOT = "{request}"
_KEYS = {"about", "after", "system", "user"}


@dataclass
class Setting(Layer):
    """One setting: its name and the words it adds."""

    name: str
    about: str
    system: str | None
    user: str | None
    place = "secondary"

    def __post_init__(self) -> None:
        """Two runs are under the same setting if the sum of its words is equal."""
        words = f"{self.system}\0{self.user}"
        self.identity = hashlib.sha256(words.encode()).hexdigest()

    async def reply(self, messages: Sequence[Message], say: Say, session: Session) -> Reply:  # noqa: ARG002
        """Put the words around a turn and pass it on."""
        return await say(self.apply(messages))

    def apply(self, messages: Sequence[Message]) -> tuple[Message, ...]:
        """Return the messages under this setting."""
        found = list(messages)
        if self.user and found[-1].role == "user":
            found[-1] = Message("user", self.user.replace(_SLOT, found[-1].content))
        if self.system and found[0].role == "system":
            found[0] = Message("system", f"{self.system}\n\n{found[0].content}")
        elif self.system:
            found.insert(0, Message("system", self.system))
        return tuple(found)


def load_settings(names: Sequence[str]) -> tuple[Layer, ...]:
    """Return settings by name, in the order given.

    Args:
        names: Each a name, with its options where it has some: `NAME:KEY=VALUE`.

    Raises:
        UnknownName: If there is no such file, with the nearest names, or no such option.
        BadInput: If a file is malformed, or a setting is given twice.
    """
    specs = [Spec.parse(name) for name in names]
    if len({spec.name for spec in specs}) < len(specs):
        raise BadInput(f"a setting is given twice: {', '.join(names)}")
    return tuple(map(_load, specs))


def _load(spec: Spec) -> Layer:
    if spec.name in PROGRAMS.names():
        layer: Layer = PROGRAMS.load(spec.name).connect(spec)
        return layer
    if spec.name not in SETTINGS.names():
        known = [*SETTINGS.names(), *PROGRAMS.names()]
        raise UnknownName("run setting", spec.name, known, f"Add one: {SETTINGS.place}/<name>.yaml")
    spec.into(_NoOptions)
    return _words(spec.name)


@dataclass(frozen=True)
class _NoOptions:
    """Words alone have none."""


def _words(name: str) -> Setting:
    path = SETTINGS.path(name)
    data = read_yaml(path)
    if not isinstance(data, dict) or set(data) - _KEYS or not data.get("about"):
        raise BadInput(f"a setting has {', '.join(sorted(_KEYS))}", file=path)
    if not data.get("system") and not data.get("user"):
        raise BadInput("a setting needs `system` or `user`", file=path)
    if data.get("user") and data["user"].count(_SLOT) != 1:
        raise BadInput(f"`user` must hold {_SLOT} once", file=path)
    return Setting(name, data["about"], data.get("system"), data.get("user"))
