"""The core view: a small balanced part of our own cases that covers every area and family.

For each hazard area it holds the same number of base pairs, in turn from its hazards, and for each
general family of transforms a few of these pairs under it, with their controls. The draw depends on
ids alone.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from convsafe.data_builders.recipe import CoreRule, area_of
from convsafe.data_builders.transform import each_kind, pair_key
from convsafe.taxonomy.records import Case, Transform

# The control of every cipher comes with the pair.
_CONTROL = Transform("cipher", "identity")


def core_ids(cases: Sequence[Case], rule: CoreRule) -> frozenset[str]:
    """Return the ids of the cases that the core view shows.

    Only our own English pairs are drawn, and their counterparts under a single transform.
    """
    ours = [case for case in cases if case.source == "core" and case.twin_id]
    pairs = _pairs(case for case in ours if not case.transforms and case.language == "en")
    changed = _changed(ours, pairs)
    used: Counter[Transform] = Counter()
    shown: set[str] = set()
    for area in sorted({area_of(pair[0]) for pair in pairs.values()}):
        keys = [key for key, pair in pairs.items() if area_of(pair[0]) == area]
        drawn = _draw_transformed(keys, changed, used, rule.units_per_family)
        # The plain pair of whatever is shown transformed, then more until there are enough.
        first = list(dict.fromkeys(key for key, _ in drawn))
        more = [key for key in _in_turn(keys, pairs) if key not in first]
        for key in [*first, *more[: max(0, rule.pairs_per_area - len(first))]]:
            shown.update(case.id for case in pairs[key])
        for key, tag in drawn:
            shown.update(case.id for case in changed[key][tag])
            if tag.kind == _CONTROL.kind:
                shown.update(case.id for case in changed[key].get(_CONTROL, ()))
    return frozenset(shown)


def _pairs(cases: Iterable[Case]) -> dict[str, tuple[Case, ...]]:
    """Return requests with their twins by the key they share, where both are there."""
    found: defaultdict[str, list[Case]] = defaultdict(list)
    for case in cases:
        found[pair_key(case)].append(case)
    return {key: tuple(pair) for key, pair in sorted(found.items()) if len(pair) == 2}


def _changed(
    cases: Iterable[Case], pairs: Mapping[str, tuple[Case, ...]]
) -> dict[str, dict[Transform, list[Case]]]:
    """Return the pairs' counterparts under each single transform of a general family.

    One that uses upstream's text (and bears its licence) is left out: the core is the same with or
    without upstream's sets.
    """
    home = {case.id: key for key, pair in pairs.items() for case in pair}
    licenses = {case.id: case.license for pair in pairs.values() for case in pair}
    general = {kind.name for kind in each_kind() if kind.general}
    found: dict[str, dict[Transform, list[Case]]] = {key: {} for key in pairs}
    for case in cases:
        single = len(case.transforms) == 1 and case.transforms[0].kind in general
        if single and licenses.get(case.base_id) == case.license:
            found[home[case.base_id]].setdefault(case.transforms[0], []).append(case)
    return found


def _draw_transformed(
    keys: Sequence[str],
    changed: Mapping[str, Mapping[Transform, list[Case]]],
    used: Counter[Transform],
    units: int,
) -> list[tuple[str, Transform]]:
    """Return pairs and the transforms they are shown under: seldom-used ones first."""
    drawn: list[tuple[str, Transform]] = []
    families = sorted({tag.kind for key in keys for tag in changed[key]})
    for family in families:
        for _ in range(units):
            open_to = [
                (used[tag], sum(key == taken for taken, _ in drawn), _rank(key, tag), key, tag)
                for key in keys
                for tag, pair in changed[key].items()
                if tag.kind == family
                and tag != _CONTROL
                and len(pair) == 2
                and (key, tag) not in drawn
            ]
            if open_to:
                *_, key, tag = min(open_to)
                used[tag] += 1
                drawn.append((key, tag))
    return drawn


def _in_turn(keys: Sequence[str], pairs: Mapping[str, tuple[Case, ...]]) -> list[str]:
    """Return the pairs in turn from every hazard, each hazard's in the order of their sums."""
    queues: defaultdict[str, list[str]] = defaultdict(list)
    for key in sorted(keys, key=_rank):
        queues[pairs[key][0].hazards[0]].append(key)
    longest = max(map(len, queues.values()), default=0)
    return [
        queue[turn]
        for turn in range(longest)
        for _, queue in sorted(queues.items())
        if turn < len(queue)
    ]


def _rank(key: str, tag: Transform | None = None) -> bytes:
    return hashlib.sha256(f"core:{key}:{tag}".encode()).digest()
