"""What commands read and print of transforms: names, and the coverage matrix."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

# A word for "no transform at all"; no file may bear it.
NONE = "none"
_MARK = "n/a"
# More areas than this are counted, not named.
_NAMED = 3


def listed(names: str) -> list[str]:
    """Return the names of a comma-separated list; `none` stands for no name."""
    return [name for name in names.split(",") if name and name != NONE]


def coverage_lines(manifest: Mapping[str, Any]) -> Iterator[str]:
    """Yield the coverage matrix of a build, then what it cannot show and why."""
    matrix: Mapping[str, Mapping[str, list[Any]]] = manifest["coverage"]
    if not manifest["transforms"]:
        return
    families = list(next(iter(matrix.values()), {}))
    yield ""
    yield f"{'transformed cases':<24}" + "".join(f"{name:>12}" for name in families)
    for area, row in matrix.items():
        shown = (f"{cell[0]:,}" if cell[0] else _MARK for cell in row.values())
        yield f"{area:<24}" + "".join(f"{text:>12}" for text in shown)
    yield from _reasons(matrix)
    yield from _not_applicable(manifest["transforms"])
    for name, why in manifest["unavailable"].items():
        yield f"not applied: {name}: {why}"


def _reasons(matrix: Mapping[str, Mapping[str, list[Any]]]) -> Iterator[str]:
    """Yield how many fields are filled, then why others are not: a line a family and reason."""
    empty: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for area, row in matrix.items():
        for family, (count, why) in row.items():
            if not count:
                empty[family, why].append(area)
    cells = sum(len(row) for row in matrix.values())
    yield f"{cells - sum(map(len, empty.values()))} of {cells} fields filled"
    for (family, why), areas in sorted(empty.items()):
        where = f"{len(areas)} areas" if len(areas) > _NAMED else ", ".join(areas)
        yield f"  {_MARK} {family}: {why} ({where})"


def _not_applicable(transforms: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Yield how often transforms did not fit, by their most frequent reasons."""
    count = sum(sum(entry["not_applicable"].values()) for entry in transforms.values())
    made = sum(entry["cases"] for entry in transforms.values())
    yield (
        f"{made:,} cases made by {sum(bool(entry['cases']) for entry in transforms.values())}"
        f" transforms; {count:,} times one did not fit: not_applicable.jsonl"
    )
