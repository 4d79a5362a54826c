"""The manifest: what is in a release, from what it was made, and the sums to check it by."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from convsafe.data_builders.assembly import Assembly
from convsafe.data_builders.derive import coverage, transform_counts
from convsafe.data_builders.source import Dropped, SourceCard
from convsafe.taxonomy.files import sha256_of
from convsafe.taxonomy.records import SCHEMA_VERSION, Case, Label

MANIFEST = "manifest.json"
NAME = "convsafe-bench"
# Their versions can change which rows are kept or how Parquet bytes look.
_TOOLS = ("convsafe-bench", "pyarrow", "numpy", "py3langid", "langdetect")


def content_sha256(rows: Iterable[Case | Label]) -> str:
    """Return the sum of the canonical rows, the same under any library version.

    Rows are JSON with sorted keys and without nulls, one a line, in order of their ids.
    """
    digest = hashlib.sha256()
    for entry in sorted(rows, key=lambda entry: entry.id):
        row = {name: value for name, value in entry.to_row().items() if value is not None}
        digest.update(json.dumps(row, sort_keys=True, ensure_ascii=True).encode() + b"\n")
    return digest.hexdigest()


def make_manifest(
    folder: Path, assembly: Assembly, configs: Mapping[str, Mapping[str, Sequence[Case]]]
) -> dict[str, Any]:
    """Return the manifest of a release whose files are already in `folder`.

    Unverified sources stand in an entry of their own, outside every count and sum.
    """
    cases = assembly.cases
    return {
        "name": NAME,
        "version": version("convsafe-bench"),
        "schema_version": SCHEMA_VERSION,
        "content_sha256": content_sha256(cases),
        "cases": len(cases),
        "merged": assembly.merged,
        "dropped": len(assembly.dropped),
        "configs": {
            name: {split: len(rows) for split, rows in splits.items()}
            for name, splits in configs.items()
        },
        "made": {name: _made(splits) for name, splits in configs.items()},
        "recipe": assembly.recipe,
        "transforms": transform_counts(assembly.derived),
        "unavailable": dict(assembly.derived.unavailable),
        "coverage": {
            area: {family: [cell.cases, cell.reason] for family, cell in row.items()}
            for area, row in coverage(cases, assembly.derived.skipped).items()
        },
        "languages": _counts(case.language for case in cases),
        "expected": _counts(case.expected or "none" for case in cases),
        "sources": {
            card.name: _source(card, cases, assembly.dropped, assembly.derived_ids)
            for card in assembly.cards
        },
        "unverified": {part.card.name: _unverified(*part) for part in assembly.unverified},
        "left_out": assembly.left_out,
        "files": file_sums(folder),
        "tools": {name: version(name) for name in _TOOLS},
    }


def file_sums(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the sum and size of every file of a release but the manifest."""
    return {
        path.relative_to(folder).as_posix(): {
            "sha256": sha256_of(path),
            "bytes": path.stat().st_size,
        }
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }


def _made(splits: Mapping[str, Sequence[Case]]) -> dict[str, Any]:
    """Return of what a config consists: plain cases, transformed ones by family, sources."""
    cases = [case for rows in splits.values() for case in rows]
    families = ("+".join(tag.kind for tag in case.transforms) for case in cases if case.transforms)
    return {
        "plain": sum(not case.transforms for case in cases),
        "families": _counts(families),
        "sources": sorted({case.source for case in cases}),
    }


def _source(
    card: SourceCard,
    cases: Sequence[Case],
    dropped: Sequence[Dropped],
    derived: Collection[str] = (),
) -> dict[str, Any]:
    rows = [case for case in cases if case.source == card.name]
    return {
        "title": card.title,
        "home": card.home,
        "revision": card.revision,
        "license": card.license,
        "redistributable": card.redistributable,
        "cases": len(rows),
        "transformed": sum(case.id in derived for case in rows),
        "configs": _counts(case.config for case in rows),
        "dropped": _counts(entry.reason for entry in dropped if entry.source == card.name),
        "files": {file.path: file.sha256 for file in card.files},
        "bibtex": card.bibtex,
        "notes": card.notes,
    }


def unverified_config(name: str) -> str:
    """Return the config that holds the cases of an unverified source."""
    return f"unverified_{name}"


def _unverified(
    card: SourceCard, cases: Sequence[Case], dropped: Sequence[Dropped]
) -> dict[str, Any]:
    found = _source(card, cases, dropped)
    return {"config": unverified_config(card.name), "access": card.access, **found}


def _counts(values: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(values).items()))
