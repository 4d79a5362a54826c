"""Bring sources and our own prompts together: read, merged, linked and checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from convsafe.data_builders.core import own_cases
from convsafe.data_builders.core_view import core_ids
from convsafe.data_builders.derive import Derived, derive
from convsafe.data_builders.fetch import fetch, given_path
from convsafe.data_builders.languages import disagreements
from convsafe.data_builders.merge import Duplicate, merge
from convsafe.data_builders.recipe import FULL, check_wanted, load_recipe, wanted_names
from convsafe.data_builders.source import (
    SOURCES,
    Dropped,
    Reader,
    SourceCard,
    SourceModule,
    core_card,
    load_source,
)
from convsafe.taxonomy.errors import BadInput, Unavailable
from convsafe.taxonomy.records import Case


class Part(NamedTuple):
    """What one source gave."""

    card: SourceCard
    cases: list[Case]
    dropped: list[Dropped]


@dataclass(frozen=True)
class Assembly:
    """The suite before it is written.

    `cases` are distinct, linked and in order of their ids, the transformed ones among them;
    `derived` says how these were made, `core` which cases the core view shows. `unverified` holds
    the sources outside every total; `doubtful` the language tags that two detectors doubt.
    """

    cases: tuple[Case, ...]
    cards: tuple[SourceCard, ...]
    duplicates: tuple[Duplicate, ...]
    dropped: tuple[Dropped, ...]
    doubtful: tuple[dict[str, Any], ...]
    left_out: dict[str, str]
    unverified: tuple[Part, ...] = ()
    recipe: str = ""
    derived: Derived = field(default_factory=Derived)
    core: frozenset[str] = frozenset()

    @cached_property
    def derived_ids(self) -> frozenset[str]:
        """The ids of the cases that the recipe made; the others were read."""
        return frozenset(case.id for case in self.derived.cases)

    @property
    def merged(self) -> int:
        """How many rows were dropped because another one stands for them."""
        return sum(entry.action == "dropped" for entry in self.duplicates)


def assemble(
    sources: Sequence[str] | None = None,
    *,
    transforms: Sequence[str] | None = None,
    recipe: str | Path = FULL,
    keep: Callable[[SourceCard], bool] = lambda _: True,
    progress: Callable[[str], None] = lambda _: None,
) -> Assembly:
    """Read sources and our own prompts and make one suite of them, transformed by a recipe.

    Args:
        sources: Names of sources to include beside our own prompts; by default all, and those
            that cannot be reached are left out and named. A source asked for by name must be
            there. An unverified source is read only by its name, or where the user gives its
            path; it changes nothing in the others.
        transforms: Names of the transforms to apply (`cipher`, `cipher/caesar`, `caesar`); None or
            `all` for every one, an empty list for none.
        recipe: The YAML that says which transforms on which cases.
        keep: Which sources may be used at all, by their card (a licence profile).
        progress: Called with what is being done.

    Raises:
        ChecksumMismatch: If an upstream file is not the pinned one.
        BadInput: On an upstream row or own prompt that cannot be used, naming its place.
        Unavailable: If a source asked for by name cannot be had.
        UnknownName: If a source or transform is not there.
    """
    wanted, plan = wanted_names(transforms), load_recipe(recipe)
    check_wanted(plan, wanted)
    parts, left_out = _collect(sources, keep, progress)
    verified = [part for part in parts if part.card.verified]
    progress("merging duplicates")
    kept, duplicates = merge(
        [case for part in verified for case in part.cases],
        [part.card.name for part in verified if part.card.templated],
    )
    _check_links(kept)
    progress("checking languages")
    doubtful = disagreements(kept)
    progress("transforming")
    derived = derive(kept, plan, wanted, {part.card.name for part in verified})
    cases = sorted((*kept, *derived.cases), key=lambda case: case.id)
    _check_unique(cases)
    return Assembly(
        cases=tuple(cases),
        cards=tuple(part.card for part in verified),
        duplicates=tuple(duplicates),
        dropped=tuple(entry for part in verified for entry in part.dropped),
        doubtful=tuple(doubtful),
        left_out=left_out,
        unverified=tuple(part for part in parts if not part.card.verified),
        recipe=plan.name,
        derived=derived,
        core=core_ids(cases, plan.core),
    )


def _collect(
    sources: Sequence[str] | None,
    keep: Callable[[SourceCard], bool],
    progress: Callable[[str], None],
) -> tuple[list[Part], dict[str, str]]:
    """Return our own prompts and every source that can be had, and why others cannot."""
    parts, left_out = [Part(core_card(), list(own_cases()), [])], dict[str, str]()
    for name in _default_names() if sources is None else dict.fromkeys(sources):
        progress(f"reading {name}")
        module = load_source(name)
        if not keep(module.CARD):
            left_out[name] = f"its licence is {module.CARD.license}"
            continue
        try:
            parts.append(_read(module))
        except Unavailable as error:
            if sources is not None or not module.CARD.verified:
                raise
            left_out[name] = str(error)
    _check_unique(case for part in parts for case in part.cases)
    return parts, left_out


def _default_names() -> list[str]:
    """Return every verified source, and the others whose path the user gives."""
    cards = [(name, load_source(name).CARD) for name in SOURCES.names()]
    return [name for name, card in cards if card.verified or given_path(card)]


def _read(module: SourceModule) -> Part:
    """Return what one source gives; one that never ran on its data says so when it fails."""
    reader = fetch(module.CARD)
    try:
        cases = list(module.cases(reader))
        reader.finish()
        if not module.CARD.verified:
            cases = _apart(reader, cases)
    except BadInput as error:
        if module.CARD.verified:
            raise
        raise _unexpected(module.CARD, error) from error
    return Part(reader.card, cases, reader.dropped)


def _apart(reader: Reader, cases: list[Case]) -> list[Case]:
    """Link the cases of an unverified source among themselves and count what repeats."""
    kept, repeated = merge(cases, [reader.card.name])
    _check_links(kept)
    reader.dropped.extend(
        Dropped(entry.source, "", 0, entry.id, "repeats an earlier row")
        for entry in repeated
        if entry.action == "dropped"
    )
    return kept


def _unexpected(card: SourceCard, error: BadInput) -> BadInput:
    return BadInput(
        f"{error}. The builder of {card.name!r} was written against the published schema and has"
        f" never seen the data ({card.notes}) If the file is the right one, correct"
        f" data_builders/sources/{card.name}.py or taxonomy/crosswalks/{card.name}.yaml"
    )


def _check_unique(cases: Iterable[Case]) -> None:
    seen: set[str] = set()
    for case in cases:
        if case.id in seen:
            raise BadInput(f"two cases of {case.source} share this id", id=case.id)
        seen.add(case.id)


def _check_links(cases: Sequence[Case]) -> None:
    """Raise if a base or twin is not in the suite."""
    known = {case.id for case in cases}
    for case in cases:
        for link in (case.base_id, case.twin_id):
            if link and link not in known:
                raise BadInput(f"points to {link!r}, which is no case", id=case.id)
