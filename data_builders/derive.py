"""Apply a recipe: make the transformed cases, and account for every one that could not be made."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from convsafe.data_builders import transform
from convsafe.data_builders.recipe import Recipe, Step, Unit, area_of
from convsafe.data_builders.transform import NotApplicable, Transformer
from convsafe.taxonomy.records import Case


class Skipped(NamedTuple):
    """A case that a transform was drawn for and could not be applied to, and why."""

    id: str
    transform: str
    area: str
    reason: str
    detail: str = ""


@dataclass(frozen=True)
class Derived:
    """What a recipe made: the cases, what it skipped, and transforms that could not be had."""

    cases: tuple[Case, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    unavailable: tuple[tuple[str, str], ...] = ()


def derive(
    cases: Sequence[Case],
    recipe: Recipe,
    wanted: frozenset[str] | None = None,
    sources: Collection[str] = (),
) -> Derived:
    """Return the transformed cases of a suite, step by step.

    Args:
        cases: The base cases, linked.
        recipe: Which transforms on which of them.
        wanted: The transforms to apply, as `kind/name`; None for all. Controls of a step follow
            whatever of it is applied.
        sources: The upstream sources at hand; a transform that uses the text of another one is
            left out by name.
    """
    made: dict[str, Case] = {}
    skipped: set[Skipped] = set()
    away: dict[str, str] = {}
    for step in recipe.steps:
        chosen = []
        for each in _chosen(step, wanted):
            if each.part.source is None or each.part.source in sources:
                chosen.append(each)
            else:
                away[str(each)] = f"its text is in source {each.part.source!r}, which is not here"
        for unit in step.draw([*cases, *made.values()], recipe.seed) if chosen else ():
            for result in (result for each in chosen for result in apply(each, unit)):
                # Two steps may draw the same case for the same transform.
                if isinstance(result, Skipped):
                    skipped.add(result)
                else:
                    made[result.id] = result
    ordered = [made[id] for id in sorted(made)]
    return Derived(tuple(_relinked(ordered)), tuple(sorted(skipped)), tuple(sorted(away.items())))


def _chosen(step: Step, wanted: frozenset[str] | None) -> list[Transformer]:
    """Return what a step applies: what is wanted of it, after its controls."""
    controls = step.control_transformers()
    asked = [each for each in step.transformers() if wanted is None or str(each) in wanted]
    if asked or (wanted and any(str(control) in wanted for control in controls)):
        return [*controls, *asked]
    return []


def apply(transformer: Transformer, unit: Unit) -> list[Case] | list[Skipped]:
    """Return what a transform makes of a request and its twin: both, or neither and why."""
    at = 0
    found = []
    try:
        for at, case in enumerate(unit):  # noqa: B007 - the place of the one that did not fit
            found.append(transformer.apply(case))
    except NotApplicable as why:
        return [
            Skipped(
                case.id,
                str(transformer),
                area_of(case),
                why.reason if place == at else f"its twin: {why.reason}",
                why.detail,
            )
            for place, case in enumerate(unit)
        ]
    return found


def _relinked(made: Sequence[Case]) -> Iterator[Case]:
    """Yield the cases; a twin that was not made is no twin."""
    known = {case.id for case in made}
    for case in made:
        yield case if case.twin_id in known else replace(case, twin_id=None)


def stream(cases: Iterable[Case], transformers: Sequence[Transformer]) -> Iterator[Case | Skipped]:
    """Yield what every transform makes of every case, one at a time, holding none."""
    for case in cases:
        for transformer in transformers:
            yield from apply(transformer, (case,))


class Cell(NamedTuple):
    """One field of the coverage matrix: how many cases, and without any, why."""

    cases: int
    reason: str = ""


def coverage(cases: Iterable[Case], skipped: Iterable[Skipped]) -> dict[str, dict[str, Cell]]:
    """Return the cases of each hazard area and general family of transforms.

    A case counts by the area of its primary hazard and by every family it bears. A field without a
    case gives the most frequent reason why.
    """
    families = [kind.name for kind in transform.each_kind() if kind.general]
    counts: Counter[tuple[str, str]] = Counter()
    areas: set[str] = set()
    for case in cases:
        if area := area_of(case):
            areas.add(area)
            counts.update((area, kind) for kind in {tag.kind for tag in case.transforms})
    reasons: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for each in skipped:
        reasons[each.area, each.transform.split("/")[0]][each.reason] += 1
    return {
        area: {
            family: Cell(counts[area, family], _why(counts[area, family], reasons[area, family]))
            for family in families
        }
        for area in sorted(areas)
    }


def _why(count: int, reasons: Counter[str]) -> str:
    if count:
        return ""
    ordered = sorted(reasons.items(), key=lambda entry: (-entry[1], entry[0]))
    return ordered[0][0] if ordered else "no case of this area was drawn"


def transform_counts(derived: Derived) -> dict[str, dict[str, Any]]:
    """Return, for each transform, how many cases it made and could not make, and why."""
    made = Counter(
        f"{case.transforms[-1].kind}/{case.transforms[-1].name}" for case in derived.cases
    )
    why: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for each in derived.skipped:
        why[each.transform][each.reason] += 1
    return {
        name: {"cases": made[name], "not_applicable": dict(sorted(why[name].items()))}
        for name in sorted({*made, *why})
    }
