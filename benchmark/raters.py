"""What several raters say together: how far they agree, and what most of them say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypeVar

Value = TypeVar("Value", bound="str | bool")


def alpha(units: Sequence[Sequence[str | bool | None]]) -> float | None:
    """Return Krippendorff's alpha for nominal values (Krippendorff, 2011).

    1 is agreement, 0 is chance; a unit with fewer than two values says nothing. It is None where
    no unit has two values, or all have the same value, for then there is nothing to tell apart.

    Args:
        units: For each thing that was labelled its labels, None where a rater gave none.
    """
    counted = [Counter(value for value in unit if value is not None) for unit in units]
    paired = [unit for unit in counted if unit.total() > 1]
    totals = sum(paired, Counter[str | bool]())
    n = totals.total()
    expected = n * n - sum(count * count for count in totals.values())
    if not expected:
        return None
    # The pairs of a unit that differ, weighted so that every value counts once.
    observed = sum(_differing(unit) / (unit.total() - 1) for unit in paired)
    return 1 - (n - 1) * observed / expected


def _differing(unit: Counter[str | bool]) -> int:
    """Return how many ordered pairs of a unit's values differ."""
    total = unit.total()
    return total * total - sum(count * count for count in unit.values())


def majority(values: Sequence[Value | None]) -> Value | None:
    """Return the value that more than half of those who gave one gave, or None."""
    given = Counter(value for value in values if value is not None)
    if not given:
        return None
    value, count = given.most_common(1)[0]
    return value if 2 * count > given.total() else None


def by_unit(
    ids: Sequence[str], given: Sequence[Mapping[str, Value | None]]
) -> dict[str, list[Value | None]]:
    """Return the labels of every id, one of each rater."""
    return {id: [labels.get(id) for labels in given] for id in ids}
