"""The hazard tree: areas and their leaves, read from `hazards/*.yaml`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from convsafe.taxonomy.errors import BadInput, UnknownName
from convsafe.taxonomy.records import SEVERITIES

HAZARDS = Path(__file__).parent / "hazards"
# Nothing of this leaf is ever displayed or transformed.
NEVER_SHOWN = "child_sexual_exploitation"
_LEAF_TEXTS = ("name", "definition", "in_scope", "out_of_scope", "harmless_twin", "severity")


@dataclass(frozen=True)
class Hazard:
    """A leaf of the tree: what is asked for, and what its harmless twin looks like.

    `own_prompts` is False where this project writes no prompts of its own.
    """

    id: str
    name: str
    area: str
    definition: str
    in_scope: str
    out_of_scope: str
    harmless_twin: str
    severity: str
    own_prompts: bool = True


@dataclass(frozen=True)
class Area:
    """A branch of the tree with its leaves."""

    id: str
    name: str
    definition: str
    leaves: tuple[Hazard, ...]


@dataclass(frozen=True)
class Tree:
    """The whole hazard tree; areas in order of their ids."""

    areas: tuple[Area, ...]

    def __iter__(self) -> Iterator[Hazard]:
        """Yield every leaf, area by area."""
        return (leaf for area in self.areas for leaf in area.leaves)

    @property
    def ids(self) -> frozenset[str]:
        """Every valid hazard id: areas and leaves."""
        return frozenset(area.id for area in self.areas) | {leaf.id for leaf in self}

    def get(self, id: str) -> Area | Hazard:
        """Return the area or leaf of that id.

        Raises:
            UnknownName: With the nearest ids.
        """
        if (node := self._nodes.get(id)) is not None:
            return node
        raise UnknownName("hazard", id, self.ids, "Add one: taxonomy/hazards/<area>.yaml")

    @cached_property
    def _nodes(self) -> Mapping[str, Area | Hazard]:
        return {node.id: node for node in (*self.areas, *self)}

    def area_of(self, id: str) -> Area:
        """Return the area an id belongs to (itself for an area)."""
        node = self.get(id)
        found = node if isinstance(node, Area) else self.get(node.area)
        assert isinstance(found, Area)
        return found

    def find(self, text: str) -> list[Hazard]:
        """Return the leaves whose id, name or texts hold every word of `text`, best first."""
        words = text.casefold().replace("_", " ").split()

        def rank(leaf: Hazard) -> int | None:
            title = f"{leaf.id} {leaf.name}".casefold().replace("_", " ")
            whole = f"{title} {leaf.definition} {leaf.in_scope} {leaf.out_of_scope}".casefold()
            if not all(word in whole for word in words):
                return None
            return sum(word not in title for word in words)

        ranked = [(rank(leaf), number, leaf) for number, leaf in enumerate(self)]
        kept = [(score, number, leaf) for score, number, leaf in ranked if score is not None]
        return [leaf for _, _, leaf in sorted(kept, key=lambda entry: entry[:2])]


def read_yaml(path: Path) -> Any:
    """Return the value of a YAML file, read with the fast loader where there is one.

    Raises:
        BadInput: If it is not YAML, naming the file and line.
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        with path.open(encoding="utf-8") as text:
            return yaml.load(text, Loader=loader)  # noqa: S506 - both loaders are safe ones
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or str(error)
        line = mark.line + 1 if mark else None
        raise BadInput(f"not YAML: {what}", file=path, line=line) from None


@cache
def load_tree(folder: Path = HAZARDS) -> Tree:
    """Read and check the hazard tree.

    Raises:
        BadInput: On a missing field, an unknown severity or an id used twice.
    """
    tree = Tree(tuple(_read_area(path) for path in sorted(folder.glob("*.yaml"))))
    seen: set[str] = set()
    for node in (*tree.areas, *tree):
        if node.id in seen:
            raise BadInput("this hazard id is used twice", file=folder, id=node.id)
        seen.add(node.id)
    return tree


def _read_area(path: Path) -> Area:
    data = read_yaml(path)
    for name in ("id", "name", "definition", "leaves"):
        if not data.get(name):
            raise BadInput(f"the area has no {name}", file=path)
    if data["id"] != path.stem:
        raise BadInput(f"the area's id {data['id']!r} is not the file's name", file=path)
    leaves = tuple(_read_leaf(path, data["id"], leaf) for leaf in data["leaves"])
    return Area(data["id"], data["name"], data["definition"], leaves)


def _read_leaf(path: Path, area: str, leaf: Mapping[str, Any]) -> Hazard:
    id = str(leaf.get("id"))
    for name in _LEAF_TEXTS:
        if not leaf.get(name):
            raise BadInput(f"the leaf has no {name}", file=path, id=id)
    if leaf["severity"] not in SEVERITIES:
        raise BadInput(f"severity {leaf['severity']!r} is not known", file=path, id=id)
    if extra := set(leaf) - {"id", "own_prompts", *_LEAF_TEXTS}:
        raise BadInput(f"unknown fields {sorted(extra)}", file=path, id=id)
    return Hazard(area=area, **leaf)
