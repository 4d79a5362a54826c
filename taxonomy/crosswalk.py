"""Crosswalks: what each upstream category is in our tree, read from `crosswalks/*.yaml`.

Relations are SKOS mapping relations and say how our hazard stands to the native category:
`exact`, `broader` (ours is wider), `narrower` (ours is one part) or `partial` (they overlap).
A category that another taxonomy has too names it as `same_as` and has the same hazards.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from convsafe.taxonomy.errors import BadInput, UnknownName
from convsafe.taxonomy.tree import load_tree, read_yaml

CROSSWALKS = Path(__file__).parent / "crosswalks"
Match = Literal["exact", "broader", "narrower", "partial"]
MATCHES: tuple[str, ...] = get_args(Match)


class Link(NamedTuple):
    """One native category's relation to one hazard."""

    hazard: str
    match: str


@dataclass(frozen=True)
class Category:
    """A native category; `why` says why it has no hazards, `verified` if its name was seen."""

    name: str
    links: tuple[Link, ...]
    why: str | None = None
    verified: bool = True


@dataclass(frozen=True)
class Crosswalk:
    """One upstream taxonomy and its mapping into ours."""

    id: str
    name: str
    url: str
    axis: str
    categories: tuple[Category, ...]
    note: str | None = None

    def get(self, native: str) -> Category:
        """Return a native category.

        Raises:
            UnknownName: If this taxonomy has no such category.
        """
        for category in self.categories:
            if category.name == native:
                return category
        raise UnknownName(
            f"category of {self.id}",
            native,
            [category.name for category in self.categories],
            f"Map it in taxonomy/crosswalks/{self.id}.yaml",
        )

    def hazards(self, native: str) -> tuple[str, ...]:
        """Return the hazard ids of a native category's rows, primary first.

        Every row of the category is of an exact or broader hazard. Where there is none, the
        category is a union, and its row may be any of the narrower or partial ones: all are given.
        """
        links = self.get(native).links
        sure = [link.hazard for link in links if link.match in ("exact", "broader")]
        return tuple(sure or (link.hazard for link in links))


class Mapped(NamedTuple):
    """One category of a taxonomy and the category of another that shares a hazard with it."""

    native: str
    other: str
    via: str
    match: str


def crosswalk_names() -> list[str]:
    """Return the ids of all taxonomies that are mapped."""
    return sorted(path.stem for path in CROSSWALKS.glob("*.yaml"))


@cache
def load_crosswalk(name: str) -> Crosswalk:
    """Read and check one crosswalk.

    Raises:
        UnknownName: If no taxonomy of that name is mapped.
        BadInput: On a hazard or relation that does not exist, naming file and category.
    """
    if name not in crosswalk_names():
        raise UnknownName(
            "taxonomy", name, crosswalk_names(), "Add one: taxonomy/crosswalks/<name>.yaml"
        )
    path = CROSSWALKS / f"{name}.yaml"
    data = read_yaml(path)
    for field in ("id", "name", "url", "axis", "categories"):
        if not data.get(field):
            raise BadInput(f"the crosswalk has no {field}", file=path)
    if data["id"] != name:
        raise BadInput(f"id {data['id']!r} is not the file's name", file=path)
    categories = tuple(_category(path, entry) for entry in data["categories"])
    if len({category.name for category in categories}) < len(categories):
        raise BadInput("a category is listed twice", file=path)
    return Crosswalk(name, data["name"], data["url"], data["axis"], categories, data.get("note"))


def _category(path: Path, entry: dict[str, Any]) -> Category:
    name = str(entry.get("name")).strip()
    if other := entry.get("same_as"):
        return _same(path, name, other)
    links = tuple(Link(link["id"], link["match"]) for link in entry.get("hazards", ()))
    for link in links:
        if link.hazard not in load_tree().ids:
            raise BadInput(f"no hazard {link.hazard!r}", file=path, id=name)
        if link.match not in MATCHES:
            raise BadInput(f"no relation {link.match!r}", file=path, id=name)
    if not links and not entry.get("why"):
        raise BadInput("maps to no hazard and does not say why", file=path, id=name)
    return Category(name, links, entry.get("why"), entry.get("verified", True))


def _same(path: Path, name: str, other: dict[str, str]) -> Category:
    """Return a category with the hazards another taxonomy's category is mapped to."""
    if set(other) != {"taxonomy", "category"} or other["taxonomy"] == path.stem:
        raise BadInput("`same_as` names a taxonomy and a category of it", file=path, id=name)
    found = load_crosswalk(other["taxonomy"]).get(other["category"])
    return replace(found, name=name)


def map_between(source: str, target: str) -> list[Mapped]:
    """Map every category of one taxonomy to another's, through shared hazards.

    Two categories meet where both link to the same leaf, or one to a leaf and the other to its
    area. The relation given is exact only where both links are; otherwise it is the weaker one.
    """
    tree, pairs = load_tree(), []
    for category in load_crosswalk(source).categories:
        for other in load_crosswalk(target).categories:
            for link in category.links:
                for far in other.links:
                    same = link.hazard == far.hazard
                    area = tree.area_of(link.hazard).id
                    nested = area == tree.area_of(far.hazard).id and area in (
                        link.hazard,
                        far.hazard,
                    )
                    if same or nested:
                        via = link.hazard if link.hazard != area else far.hazard
                        pairs.append(
                            Mapped(category.name, other.name, via, _joint(link, far, same))
                        )
    return pairs


def _joint(near: Link, far: Link, same: bool) -> str:
    if same and near.match == far.match == "exact":
        return "exact"
    return "partial" if "partial" in (near.match, far.match) else "close"
