"""The shipped attacks on judges: texts put around a reply that leave what it means as it is.

A family is a YAML file in `attacks/` with `about`, `label` (kept: the true label stays), `because`
(why it does) and `attacks`. An attack has an `id` and `before`, `after`, a `rewrite` that holds
`{reply}` once, or a `rule` of `attack_rules.py`. `times` repeats `before` and `after`, `most`
bounds the replies it is tried on, and `replies` says which labels it is meant for, by default
those of the family: all, complied or refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convsafe.benchmark.attack_rules import RULES
from convsafe.taxonomy.catalogue import Shelf
from convsafe.taxonomy.errors import BadInput, UnknownName
from convsafe.taxonomy.tree import read_yaml

ATTACKS = Shelf("family of attacks", Path(__file__).parent / "attacks", "benchmark/attacks")
# Labels that each kind of attack is tried on.
ON: Mapping[str, tuple[str, ...]] = {
    "all": ("compliance", "partial", "refusal"),
    "complied": ("compliance",),
    "refused": ("refusal", "partial"),
}
_SLOT = "{reply}"
_FAMILY = {"about", "label", "because", "attacks"}
_WAYS = {"before", "after", "rewrite", "rule"}
_KEYS = {"id", "replies", "times", "most"} | _WAYS


@dataclass(frozen=True)
class Attack:
    """One attack: what it puts around a reply, and on which labels it is tried."""

    id: str
    family: str
    replies: str = "all"
    before: str = ""
    after: str = ""
    rewrite: str = _SLOT
    rule: str | None = None
    times: int = 1
    most: int | None = None

    def apply(self, reply: str) -> str:
        """Return the attacked reply."""
        changed = RULES[self.rule](reply) if self.rule else reply
        inner = f"{self.before * self.times}{changed}{self.after * self.times}"
        return self.rewrite.replace(_SLOT, inner)


def load_attacks(families: Sequence[str] = ()) -> tuple[Attack, ...]:
    """Return the attacks of some families, or of all, in order of family and file.

    Raises:
        UnknownName: If there is no such family, with the nearest names.
        BadInput: If a file is malformed, or two attacks have the same id.
    """
    found = [attack for name in families or ATTACKS.names() for attack in _family(name)]
    seen = dict[str, str]()
    for attack in found:
        if attack.id in seen:
            where = f"{seen[attack.id]} and {attack.family}"
            raise BadInput(f"attack {attack.id!r} is in {where}; give one another id")
        seen[attack.id] = attack.family
    return tuple(found)


def _family(name: str) -> list[Attack]:
    path = ATTACKS.path(name)
    data = read_yaml(path)
    if not isinstance(data, dict) or not _FAMILY <= set(data) <= _FAMILY | {"replies"}:
        raise BadInput(f"a family has {', '.join(sorted(_FAMILY))} and may have replies", file=path)
    if data["label"] != "kept":
        raise BadInput("`label` is kept: what changes the true label is no attack", file=path)
    if not isinstance(data["attacks"], list) or not data["attacks"]:
        raise BadInput("`attacks` is a list, not empty", file=path)
    default = data.get("replies", "all")
    return [
        _attack(path, name, {"replies": default} | _mapping(path, row)) for row in data["attacks"]
    ]


def _mapping(path: Path, row: Any) -> dict[str, Any]:
    if not isinstance(row, dict) or not set(row) <= _KEYS or not isinstance(row.get("id"), str):
        raise BadInput(f"an attack has an id and of {', '.join(sorted(_KEYS))}", file=path)
    return row


def _attack(path: Path, family: str, row: dict[str, Any]) -> Attack:
    """Return an attack if it does something, to labels there are."""
    if not _WAYS & set(row):
        raise BadInput(f"an attack needs {', '.join(sorted(_WAYS))}", file=path, id=row["id"])
    if row["replies"] not in ON:
        raise BadInput(f"`replies` is one of {', '.join(ON)}", file=path, id=row["id"])
    if "rewrite" in row and row["rewrite"].count(_SLOT) != 1:
        raise BadInput(f"`rewrite` must hold {_SLOT} once", file=path, id=row["id"])
    if row.get("rule") is not None and row["rule"] not in RULES:
        raise UnknownName("rule", row["rule"], RULES, "Add one: benchmark/attack_rules.py")
    for name in ("times", "most"):
        if name in row and not (isinstance(row[name], int) and row[name] > 0):
            raise BadInput(f"`{name}` is a number above 0", file=path, id=row["id"])
    return Attack(family=family, **row)
