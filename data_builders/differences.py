"""Compare two releases case by case, and say which version bump the change needs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from convsafe.data_builders.released import find_release, read_manifest, read_rows
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.records import Case

Bump = Literal["none", "patch", "minor", "major"]
BUMPS: tuple[Bump, ...] = get_args(Bump)
Kind = Literal["added", "removed", "text", "retagged", "relinked", "moved", "clustered", "metadata"]
KINDS: tuple[Kind, ...] = get_args(Kind)

TAGS = ("hazards", "expected", "severity", "language", "measures", "transforms", "scope")
# What says where a case is from, and how we know: no score depends on it.
METADATA = (
    *("expected_source", "hazard_sources", "basis"),
    *("source", "source_id", "license", "also_in"),
)
LINKS = ("base_id", "twin_id")
PLACE = ("config", "split")
# What is left is sent to the model or read by a judge.
TEXT = tuple(
    field.name
    for field in fields(Case)
    if field.name not in {"id", "cluster_id", *TAGS, *METADATA, *LINKS, *PLACE}
)
_FIELDS: dict[Kind, tuple[str, ...]] = {
    "text": TEXT,
    "retagged": TAGS,
    "moved": PLACE,
    "clustered": ("cluster_id",),
    "metadata": METADATA,
}
# Relinked means that pairs among the shared ids changed, and with them every paired metric.
NEEDS: dict[Kind, Bump] = {
    "added": "minor",
    "removed": "minor",
    "text": "major",
    "retagged": "major",
    "relinked": "major",
    "moved": "minor",
    "clustered": "minor",
    "metadata": "patch",
}
MEANS: dict[Bump, str] = {
    "none": "the rows are the same: scores are comparable",
    "patch": "only metadata changed: scores are comparable",
    "minor": "scores are comparable on the shared ids only",
    "major": "scores are not comparable",
}
_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?\Z")


class Change(NamedTuple):
    """One change of one case: where it stands now, where it stood, and what differs."""

    id: str
    kind: Kind
    config: str
    source: str
    fields: tuple[str, ...] = ()
    before: str = ""

    @property
    def configs(self) -> set[str]:
        """Every config whose scores the change may touch; `core` is a view of our own cases."""
        view = "core" if self.source == "core" else self.config
        return {self.config, self.before or self.config, view}


@dataclass(frozen=True)
class Diff:
    """What changed between two releases.

    `old` and `new` are their versions; `files` the files whose bytes differ; `promised` is the
    bump between the declared versions, `needed` the least one that the change allows.
    """

    old: str
    new: str
    shared: int
    changes: tuple[Change, ...]
    files: tuple[str, ...]
    promised: Bump
    needed: Bump

    @property
    def honest(self) -> bool:
        """Whether the versions promise no more than the change allows."""
        return BUMPS.index(self.promised) >= BUMPS.index(self.needed)

    def counts(self, by: Literal["config", "source"]) -> dict[str, Counter[str]]:
        """Return how many changes of each kind there are in each config or source."""
        found: dict[str, Counter[str]] = {}
        for change in self.changes:
            for name in change.configs if by == "config" else {change.source}:
                found.setdefault(name, Counter())[change.kind] += 1
        return dict(sorted(found.items()))

    def needs(self, config: str) -> Bump:
        """Return the bump that the changes of one config need."""
        return _highest(NEEDS[entry.kind] for entry in self.changes if config in entry.configs)

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain values; no text of any case is in it."""
        return {
            "old": self.old,
            "new": self.new,
            "shared": self.shared,
            "promised": self.promised,
            "needed": self.needed,
            "honest": self.honest,
            "scores": MEANS[self.needed],
            "configs": {
                name: {"needed": self.needs(name), **counts}
                for name, counts in self.counts("config").items()
            },
            "sources": {name: dict(counts) for name, counts in self.counts("source").items()},
            "files": list(self.files),
            "changes": [change._asdict() for change in self.changes],
        }


def diff(old: str | Path, new: str | Path) -> Diff:
    """Compare two release folders.

    The rule is the design's: major is not comparable, minor is comparable on shared ids, patch is
    metadata only. It holds below 1.0.0 too, and in both directions; a version with a suffix
    (`1.0.0-rc.1`) promises nothing. Unverified sources stand outside.

    Raises:
        BadInput: If a folder is no release or its version is no semantic version.
        ChecksumMismatch: If a file is not the one its manifest names.
    """
    folders = find_release(old), find_release(new)
    before, after = (read_manifest(folder) for folder in folders)
    promised = promise(before["version"], after["version"])
    rows = [_rows(folder, found) for folder, found in zip(folders, (before, after), strict=True)]
    changes = tuple(compare(*rows))
    files = tuple(_changed_files(before["files"], after["files"]))
    shared = len(rows[0].keys() & rows[1].keys())
    needed = _highest(NEEDS[change.kind] for change in changes)
    if needed == "none" and files:
        needed = "patch"
    if not shared and changes:
        needed = "major"
    return Diff(before["version"], after["version"], shared, changes, files, promised, needed)


def promise(old: str, new: str) -> Bump:
    """Return the bump from one version to another: the first part that differs."""
    parts = []
    for version in (old, new):
        if not (match := _VERSION.match(version)):
            raise BadInput(f"{version!r} is no semantic version: write it like 1.0.0")
        parts.append(match.groups())
    if parts[0] != parts[1] and (parts[0][3] or parts[1][3]):
        return "major"
    levels: tuple[Bump, ...] = ("major", "minor", "patch")
    differing = (level for level, a, b in zip(levels, *parts, strict=False) if a != b)
    return next(differing, "none")


def compare(
    old: Mapping[str, Mapping[str, Any]], new: Mapping[str, Mapping[str, Any]]
) -> Iterator[Change]:
    """Yield every change between two sets of rows by id, in order of the ids."""
    shared = old.keys() & new.keys()
    for id in sorted(old.keys() | new.keys()):
        row = new.get(id) or old[id]
        if id not in shared:
            kind: Kind = "added" if id in new else "removed"
            yield Change(id, kind, row["config"], row["source"])
            continue
        for kind, names in _changed(old[id], new[id], shared):
            yield Change(id, kind, row["config"], row["source"], names, old[id]["config"])


def _changed(
    old: Mapping[str, Any], new: Mapping[str, Any], shared: Iterable[str]
) -> Iterator[tuple[Kind, tuple[str, ...]]]:
    """Yield in what way a shared case changed, and in which fields."""
    for kind, names in _FIELDS.items():
        if found := _differing(old, new, names):
            yield kind, found
    if links := _differing(old, new, LINKS):
        # Scores compare on shared ids: a link to a case that only one release has breaks none.
        broken = tuple(name for name in links if old[name] in shared or new[name] in shared)
        yield ("relinked", broken) if broken else ("clustered", links)


def _differing(
    old: Mapping[str, Any], new: Mapping[str, Any], names: Sequence[str]
) -> tuple[str, ...]:
    return tuple(name for name in names if old[name] != new[name])


def _rows(folder: Path, manifest: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return a release's rows by id, with their split; a column that is left out is null."""
    found = {}
    empty = dict.fromkeys(field.name for field in fields(Case))
    for config, split, row in read_rows(folder, manifest):
        found[row["id"]] = {**empty, **row, "config": config, "split": split}
    return found


def _changed_files(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted(old.keys() | new.keys()):
        if old.get(name, {}).get("sha256") != new.get(name, {}).get("sha256"):
            yield name


def _highest(bumps: Iterable[Bump]) -> Bump:
    return max(bumps, key=BUMPS.index, default="none")
