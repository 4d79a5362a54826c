"""Run settings: words that a run puts around every case, as P-ground or a safety prompt.

A setting is a YAML file in `settings/` with `about`, `after`, and `system` (put before the case's
own system prompt) or `user` (a wrapper that holds `{request}` once) or both.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from convsafe.taxonomy.catalogue import Shelf
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.records import Message
from convsafe.taxonomy.tree import read_yaml

SETTINGS = Shelf("run setting", Path(__file__).parent / "settings", "benchmark/settings")
_SLOT = "{request}"
_KEYS = {"about", "after", "system", "user"}


@dataclass(frozen=True)
class Setting:
    """One setting: its name and the words it adds."""

    name: str
    about: str
    system: str | None
    user: str | None

    @property
    def sha256(self) -> str:
        """The sum of its words: two runs are under the same setting if it is equal."""
        return hashlib.sha256(f"{self.system}\0{self.user}".encode()).hexdigest()

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


def load_settings(names: Sequence[str]) -> tuple[Setting, ...]:
    """Return settings by name, in the order given.

    Raises:
        UnknownName: If there is no such file, with the nearest names.
        BadInput: If a file is malformed, or a setting is given twice.
    """
    if len(set(names)) < len(names):
        raise BadInput(f"a setting is given twice: {', '.join(names)}")
    return tuple(_load(name) for name in names)


def _load(name: str) -> Setting:
    path = SETTINGS.path(name)
    data = read_yaml(path)
    if not isinstance(data, dict) or set(data) - _KEYS or not data.get("about"):
        raise BadInput(f"a setting has {', '.join(sorted(_KEYS))}", file=path)
    if not data.get("system") and not data.get("user"):
        raise BadInput("a setting needs `system` or `user`", file=path)
    if data.get("user") and data["user"].count(_SLOT) != 1:
        raise BadInput(f"`user` must hold {_SLOT} once", file=path)
    return Setting(name, data["about"], data.get("system"), data.get("user"))
