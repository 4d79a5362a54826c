"""The suite's recipe: which transforms on which cases, how many, drawn how.

A recipe is YAML in `recipes/`. Its steps run in order; a step may take what an earlier one made:

    recipe: full
    seed: 1
    steps:
      - name: ciphers
        transforms: [cipher]        # a kind, kind/name, or a name
        from: {sources: [core], languages: [en], paired: true}
        per: area                   # or hazard, language, agent, config, source
        units: 10                   # of each stratum; all when left out
        controls: [cipher/identity] # applied to the same units, whatever is asked for
    core: {pairs_per_area: 14, units_per_family: 2}

A unit is a request with its twin, or a case that has none. Units are drawn by a sum of the seed,
the step's name and their ids: every transform of a step gets the same ones, so that they can be
compared, and a larger `units` keeps what a smaller one drew. Cases on the sexual exploitation of
minors are never transformed.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from convsafe.data_builders import transform
from convsafe.data_builders.transform import Transformer
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.records import Case
from convsafe.taxonomy.tree import NEVER_SHOWN, load_tree, read_yaml

RECIPES = Path(__file__).parent / "recipes"
FULL = RECIPES / "full.yaml"

Unit = tuple[Case, ...]


def area_of(case: Case) -> str:
    """Return the area of a case's primary hazard, or an empty text without one."""
    return load_tree().area_of(case.hazards[0]).id if case.hazards else ""


_STRATA: Mapping[str, Callable[[Case], str]] = {
    "area": area_of,
    "hazard": lambda case: case.hazards[0] if case.hazards else "",
    "language": lambda case: case.language,
    "agent": lambda case: case.scope.agent if case.scope else "",
    "config": lambda case: case.config,
    "source": lambda case: case.source,
}


@dataclass(frozen=True)
class Select:
    """Which cases a step takes: those that meet every condition that is given.

    `transformed` lists the kinds of the transforms a case must bear, in order; none for base cases.
    `single` cases are one request, without a system prompt or earlier turns.
    """

    sources: tuple[str, ...] | None = None
    configs: tuple[str, ...] | None = None
    languages: tuple[str, ...] | None = None
    measures: tuple[str, ...] | None = None
    ids: tuple[str, ...] | None = None
    transformed: tuple[str, ...] = ()
    paired: bool | None = None
    scoped: bool | None = None
    single: bool | None = None

    def takes(self, case: Case) -> bool:
        """Return whether a case meets the conditions."""
        return (
            NEVER_SHOWN not in case.hazards
            and tuple(tag.kind for tag in case.transforms) == self.transformed
            and _among(case.source, self.sources)
            and _among(case.config, self.configs)
            and _among(case.language, self.languages)
            and (self.measures is None or bool(set(self.measures) & set(case.measures)))
            and (self.ids is None or case.id.startswith(self.ids))
            and (self.paired is None or (case.twin_id is not None) == self.paired)
            and (self.scoped is None or (case.scope is not None) == self.scoped)
            and (self.single is None or (len(case.messages) == 1) == self.single)
        )


def _among(value: str, allowed: tuple[str, ...] | None) -> bool:
    return allowed is None or value in allowed


@dataclass(frozen=True)
class Step:
    """One step: names of transforms, the cases it takes, and how many units of each stratum."""

    name: str
    transforms: tuple[str, ...]
    select: Select
    per: str = "area"
    units: int | None = None
    controls: tuple[str, ...] = ()

    def transformers(self) -> list[Transformer]:
        """Return the step's transforms, controls apart."""
        controls = {str(each) for each in self.control_transformers()}
        return [each for each in transform.find_all(self.transforms) if str(each) not in controls]

    def control_transformers(self) -> list[Transformer]:
        """Return the step's controls."""
        return transform.find_all(self.controls)

    def draw(self, cases: Iterable[Case], seed: int) -> list[Unit]:
        """Return the units this step takes, by a sum of their ids, in order of their ids.

        Where every transform of the step was made for some cases alone, others are not drawn.
        """
        only = [each.part.only for each in self.transformers()]
        made_for = frozenset().union(*filter(None, only)) if None not in only else None
        units = _units(
            case
            for case in cases
            if (made_for is None or case.id in made_for) and self.select.takes(case)
        )
        strata: defaultdict[str, list[Unit]] = defaultdict(list)
        for unit in units:
            strata[_STRATA[self.per](unit[0])].append(unit)
        drawn = [
            unit
            for stratum in strata.values()
            for unit in sorted(stratum, key=lambda unit: self._rank(unit, seed))[: self.units]
        ]
        return sorted(drawn, key=lambda unit: unit[0].id)

    def _rank(self, unit: Unit, seed: int) -> bytes:
        return hashlib.sha256(f"{seed}:{self.name}:{unit[0].id}".encode()).digest()


class CoreRule(NamedTuple):
    """How the core view is drawn: base pairs of an area, and units of each family in it."""

    pairs_per_area: int
    units_per_family: int


@dataclass(frozen=True)
class Recipe:
    """A whole recipe."""

    name: str
    seed: int
    steps: tuple[Step, ...]
    core: CoreRule
    file: Path = field(compare=False)


def _units(cases: Iterable[Case]) -> Iterator[Unit]:
    """Yield each request with its twin where both are there and point to each other."""
    by_id = {case.id: case for case in cases}
    for case in by_id.values():
        twin = by_id.get(case.twin_id or "")
        if twin is None or twin.twin_id != case.id:
            yield (case,)
        elif case.id < twin.id:
            yield (case, twin)


def load_recipe(path: str | Path = FULL) -> Recipe:
    """Read and check a recipe.

    Raises:
        BadInput: If it is malformed, naming the file and the step.
        UnknownName: If it names a transform that is not there.
    """
    path = Path(path)
    if not path.is_file():
        raise BadInput("no such recipe", file=path)
    data = read_yaml(path)
    if not isinstance(data, dict) or set(data) != {"recipe", "seed", "steps", "core"}:
        raise BadInput("a recipe has `recipe`, `seed`, `steps` and `core`", file=path)
    try:
        steps = tuple(_step(path, entry) for entry in data["steps"])
        core = CoreRule(**data["core"])
    except (TypeError, KeyError) as error:
        raise BadInput(f"not a recipe: {error}", file=path) from None
    if len({step.name for step in steps}) < len(steps):
        raise BadInput("two steps share a name", file=path)
    return Recipe(data["recipe"], int(data["seed"]), steps, core, path)


def _step(path: Path, entry: Any) -> Step:
    name = entry["name"]
    chosen = {key: _frozen(value) for key, value in entry.get("from", {}).items()}
    rest = {key: _frozen(entry[key]) for key in set(entry) - {"name", "from"}}
    try:
        step = Step(name=name, select=Select(**chosen), **rest)
    except TypeError as error:
        raise BadInput(f"step {name!r}: {error}", file=path) from None
    if step.per not in _STRATA:
        raise BadInput(f"step {name!r}: per is one of {', '.join(_STRATA)}", file=path)
    transform.find_all((*step.transforms, *step.controls))
    return step


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def wanted_names(asked: Sequence[str] | None) -> frozenset[str] | None:
    """Return the transforms that are asked for as `kind/name`; None for all of them.

    Raises:
        UnknownName: On a name that is none.
    """
    if asked is None or "all" in asked:
        return None
    return frozenset(str(each) for each in transform.find_all(asked))


def check_wanted(recipe: Recipe, wanted: frozenset[str] | None) -> None:
    """Raise `BadInput` if something that is wanted is in no step of a recipe."""
    steps = recipe.steps if wanted else ()
    applied = {
        str(e) for step in steps for e in (*step.transformers(), *step.control_transformers())
    }
    if missing := sorted((wanted or frozenset()) - applied):
        raise BadInput(
            f"no step of recipe {recipe.name!r} applies {', '.join(missing)}: add one that says on"
            " which cases, or give another --recipe",
            file=recipe.file,
        )
