"""Merge duplicates across sources and link what belongs together into clusters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from convsafe.data_builders.near import near_pairs, normalise
from convsafe.taxonomy.records import Case

_WHY = ("exact", "near", "similar")


@dataclass(frozen=True)
class Duplicate:
    """A duplicate and the case it repeats.

    `action` is `dropped`, or `linked` where both stay in one cluster, because others point to the
    duplicate or because it only resembles the other; `why` is `exact`, `near`, or `similar` for
    near-duplicates that name another thing.
    """

    id: str
    kept: str
    source: str
    action: str
    why: str
    similarity: float

    def to_row(self) -> dict[str, Any]:
        """Return one line of the report."""
        return {
            "id": self.id,
            "kept": self.kept,
            "source": self.source,
            "action": self.action,
            "why": self.why,
            "similarity": round(self.similarity, 4),
        }


def merge(
    cases: Sequence[Case], templated: Collection[str] = ()
) -> tuple[list[Case], list[Duplicate]]:
    """Merge exact and near-duplicates and set every case's `cluster_id`.

    Two cases are merged only if their language, expected answer, transforms, conversation
    frame, scope, choices and right choice are equal. The earlier case is kept, and with it the
    provenance of the other in `also_in`. Links survive: a twin is never dropped; a base that
    others were made from is dropped only for an exact duplicate, to which they then point; a
    translation only when its base was merged likewise. What may not be dropped stays, linked
    into one cluster; so do texts as close as near-duplicates that differ in a word that matters.

    Args:
        cases: In order of preference.
        templated: Sources whose prompts are one template over many terms; inside such a source
            only exact duplicates are merged.

    Returns:
        The kept cases sorted by id, and every duplicate found with what was done.
    """
    links = _Links(case.id for case in cases)
    together: dict[str, str] = {}
    for case in cases:
        links.join(case.id, case.base_id)
        # What its builder put into one cluster stays in one.
        links.join(case.id, together.setdefault(case.cluster_id, case.id))
        if case.twin_id:
            links.join(case.id, case.twin_id)
    found = _Found({case.base_id for case in cases if case.base_id != case.id})
    pairs = _duplicates(cases, templated)
    # Exact ones first, so that a near one hides none. Bases before translations: what becomes of
    # a translation depends on what became of its base.
    pairs.sort(key=lambda pair: (_WHY.index(pair.why), _is_derived(cases[pair.second]), pair))
    for pair in pairs:
        links.join(cases[pair.first].id, cases[pair.second].id)
        found.take(cases[pair.first], cases[pair.second], pair)
    kept = [
        replace(
            case,
            base_id=found.moved.get(case.base_id, case.base_id),
            cluster_id=links.root(case.id),
            also_in=tuple(sorted(found.also[case.id])),
        )
        for case in cases
        if case.id not in found.moved
    ]
    return sorted(kept, key=lambda case: case.id), [found.by_id[id] for id in sorted(found.by_id)]


class _Close(NamedTuple):
    """Two positions, the earlier first, and why the later might repeat the earlier."""

    first: int
    second: int
    why: str
    similarity: float

    @property
    def same(self) -> bool:
        """Whether both ask the same thing."""
        return self.why != "similar"


class _Found:
    """The duplicates found so far: `moved` maps each dropped id to the case kept for it."""

    def __init__(self, bases: set[str]) -> None:
        self._bases = bases
        self.by_id: dict[str, Duplicate] = {}
        self.moved: dict[str, str] = {}
        self.also: defaultdict[str, list[str]] = defaultdict(list)

    def take(self, keep: Case, drop: Case, pair: _Close) -> None:
        """Record a pair unless one of it is settled already."""
        if keep.id in self.by_id or drop.id in self.by_id:
            return
        if not self._may_drop(keep, drop, pair) and self._may_drop(drop, keep, pair):
            keep, drop = drop, keep
        action = "dropped" if self._may_drop(keep, drop, pair) else "linked"
        entry = Duplicate(drop.id, keep.id, drop.source, action, pair.why, pair.similarity)
        self.by_id[drop.id] = entry
        if pair.same:
            self.also[keep.id].append(f"{drop.source}/{drop.source_id}")
        if action == "dropped":
            self.moved[drop.id] = keep.id

    def _may_drop(self, keep: Case, drop: Case, pair: _Close) -> bool:
        if drop.twin_id or not pair.same:
            return False
        if _is_derived(drop):
            base = self.moved.get(drop.base_id, drop.base_id)
            return base == self.moved.get(keep.base_id, keep.base_id)
        return drop.id not in self._bases or (pair.why == "exact" and not _is_derived(keep))


def _is_derived(case: Case) -> bool:
    return case.base_id != case.id


def _duplicates(cases: Sequence[Case], templated: Collection[str]) -> list[_Close]:
    """Return the pairs whose texts are close and that are equal in all else."""
    groups: defaultdict[tuple[Any, ...], list[int]] = defaultdict(list)
    for place, case in enumerate(cases):
        frame = case.messages[:-1] if case.messages[-1].role == "user" else case.messages
        answers = case.expected, case.choices, case.answer
        groups[case.language, answers, case.transforms, frame, case.scope].append(place)
    pairs = []
    for places in groups.values():
        texts = [normalise(cases[place].prompt) for place in places]
        for pair in near_pairs(texts, language=cases[places[0]].language):
            first, second = places[pair.first], places[pair.second]
            why = "exact" if texts[pair.first] == texts[pair.second] else "near"
            template = cases[first].source == cases[second].source in templated
            if why == "exact" or not template:
                why = why if pair.same else "similar"
                pairs.append(_Close(first, second, why, pair.similarity))
    return sorted(pairs)


class _Links:
    """Union-find over ids; a group is named by its first id in order."""

    def __init__(self, ids: Iterable[str]) -> None:
        self._up = {id: id for id in ids}

    def root(self, id: str) -> str:
        while self._up[id] != id:
            self._up[id] = self._up[self._up[id]]
            id = self._up[id]
        return id

    def join(self, first: str, second: str) -> None:
        """Put two ids into one group; an id no case has is an error of the builder."""
        low, high = sorted((self.root(first), self.root(second)))
        self._up[high] = low
