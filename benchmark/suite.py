"""Load the cases of a release, checked against its manifest, or a balanced sample of them."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convsafe.taxonomy.errors import BadInput, ChecksumMismatch, UnknownName
from convsafe.taxonomy.files import read_json, sha256_of
from convsafe.taxonomy.records import SCHEMA_VERSION, Case
from convsafe.taxonomy.tree import HAZARDS, load_tree

if TYPE_CHECKING:
    import polars as pl

# Stands for every config but `core`.
ALL_CONFIGS = "all"


@dataclass(frozen=True)
class Suite:
    """Cases to run, and the release they are from.

    `release` holds the release's `version`, `content_sha256` and `config`; `sample` is None for
    the whole config, else the `limit` and `seed` it was drawn with. `sources` says what to cite.
    """

    cases: tuple[Case, ...]
    release: dict[str, Any]
    sample: dict[str, int] | None = None
    sources: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        """Return how many cases there are."""
        return len(self.cases)

    @property
    def ids_sha256(self) -> str:
        """The sum of the case ids in order, which says whether two runs saw the same cases."""
        return hashlib.sha256("\n".join(case.id for case in self.cases).encode()).hexdigest()

    def take(self, limit: int, seed: int = 0) -> Suite:
        """Return a balanced sample of about `limit` cases.

        Whole clusters are drawn, so that a request and its twin come together, in turn from
        every hazard area and, inside an area, from every hazard. The draw depends on the ids
        and the seed alone.
        """
        if limit >= len(self.cases):
            return self
        members: defaultdict[str, list[Case]] = defaultdict(list)
        for case in self.cases:
            members[case.cluster_id].append(case)
        chosen: list[Case] = []
        for cluster in _balanced(members, seed, limit):
            chosen.extend(members[cluster])
        cases = tuple(sorted(chosen, key=lambda case: case.id))
        return replace(self, cases=cases, sample={"limit": limit, "seed": seed})


def _balanced(members: dict[str, list[Case]], seed: int, limit: int) -> Iterator[str]:
    """Yield cluster ids until they hold `limit` cases: each time the next of the emptiest area."""

    def shuffled(keys: Iterable[str]) -> list[str]:
        return sorted(keys, key=lambda key: hashlib.sha256(f"{seed}:{key}".encode()).digest())

    leaves: defaultdict[str, list[str]] = defaultdict(list)
    for cluster in shuffled(members):
        hazards = members[cluster][0].hazards
        leaves[hazards[0] if hazards else ""].append(cluster)
    areas: defaultdict[str, list[list[str]]] = defaultdict(list)
    tree = load_tree()
    for leaf in shuffled(leaves):
        areas[tree.area_of(leaf).id if leaf else ""].append(leaves[leaf])
    queues = {area: iter(_in_turn(found)) for area, found in areas.items()}
    held, total = dict.fromkeys(queues, 0), 0
    while queues and total < limit:
        area = min(queues, key=lambda area: (held[area], area))
        cluster = next(queues[area], "")
        if not cluster:
            del queues[area]
            continue
        held[area] += len(members[cluster])
        total += len(members[cluster])
        yield cluster


def _in_turn(queues: Sequence[list[str]]) -> list[str]:
    """Return the first of every queue, then the second of every queue, until all are empty."""
    longest = max((len(queue) for queue in queues), default=0)
    return [queue[turn] for turn in range(longest) for queue in queues if turn < len(queue)]


def load_suite(
    release: str | Path | None = None,
    config: str = "core",
    split: str = "test",
    *,
    limit: int | None = None,
    seed: int = 0,
) -> Suite:
    """Load one split of a config of a release.

    Args:
        release: A release folder; None for our own core set, which needs no network.
        config: The config to load.
        split: `test`, or `dev` for what may be looked at while building on the suite.
        limit: Draw a balanced sample of about this many cases.
        seed: The seed of that draw.

    Raises:
        BadInput: If the folder is no release or a row breaks the schema.
        ChecksumMismatch: If a file is not the one the manifest names.
        UnknownName: If the release has no such config or split.
    """
    folder = Path(release) if release is not None else own_release()
    manifest = read_json(folder / "manifest.json")
    splits = _configs(manifest)
    if config not in splits:
        raise UnknownName("config", config, splits, f"They are those of {folder}.")
    if split not in splits[config]:
        raise UnknownName("split", split, splits[config], f"They are those of {config!r}.")
    cases = tuple(_cases(folder, manifest, f"data/{config}/{split}-"))
    identity = {name: manifest[name] for name in ("version", "content_sha256")}
    suite = Suite(
        cases,
        identity | {"config": config, "split": split},
        sources=_cited(manifest, {case.source for case in cases}),
    )
    return suite if limit is None else suite.take(limit, seed)


def load_cases(
    release: str | Path | None, config: str = "core", split: str = "test"
) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Return the cases of a config as a table, and the release they are from, as `Suite` says it.

    Args:
        release: A release folder; None for our own core set, which needs no network.
        config: The config, or `all` for every one but `core`, which is a view over them.
        split: `test` or `dev`.

    Raises:
        BadInput: If the folder is no release.
        ChecksumMismatch: If a file is not the one the manifest names.
        UnknownName: If the release has no such config or split.
    """
    import polars as pl

    folder = Path(release) if release is not None else own_release()
    manifest = read_json(folder / "manifest.json")
    splits = _configs(manifest)
    if config not in (*splits, ALL_CONFIGS):
        raise UnknownName("config", config, [*splits, ALL_CONFIGS], f"They are those of {folder}.")
    chosen = sorted(set(splits) - {"core"}) if config == ALL_CONFIGS else [config]
    chosen = [name for name in chosen if split in splits[name]]
    if not chosen:
        raise UnknownName("split", split, splits[config], f"They are those of {config!r}.")
    prefixes = tuple(f"data/{name}/{split}-" for name in chosen)
    files = [
        _checked(folder / name, entry["sha256"])
        for name, entry in sorted(manifest["files"].items())
        if name.startswith(prefixes)
    ]
    tables = [pl.read_parquet(file) for file in files]
    identity = {name: manifest[name] for name in ("version", "content_sha256")}
    found = pl.concat(tables, how="diagonal_relaxed")
    return found, identity | {"config": config, "split": split}


def _configs(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return the splits of every config, those of unverified sources too."""
    apart = manifest.get("unverified", {}).values()
    return {**manifest["configs"], **{entry["config"]: ["test"] for entry in apart}}


def _cases(folder: Path, manifest: dict[str, Any], prefix: str) -> Iterator[Case]:
    """Yield the cases of the files that begin with `prefix`, each file checked first."""
    for name, entry in sorted(manifest["files"].items()):
        if name.startswith(prefix):
            yield from map(Case.from_row, _rows(folder / name, entry["sha256"]))


def _cited(manifest: dict[str, Any], used: set[str]) -> dict[str, Any]:
    """Return what to cite of the sources that are used."""
    return {
        name: {field: entry[field] for field in ("title", "home", "bibtex")}
        for name, entry in (manifest["sources"] | manifest.get("unverified", {})).items()
        if name in used
    }


def _rows(path: Path, expected: str) -> list[dict[str, Any]]:
    from pyarrow import parquet

    rows: list[dict[str, Any]] = parquet.read_table(_checked(path, expected)).to_pylist()
    return rows


def _checked(path: Path, expected: str) -> Path:
    """Return the path of a file that has the sum it should have."""
    if not path.exists():
        raise BadInput("the manifest names this file, but it is not there", file=path)
    if (found := sha256_of(path)) != expected:
        raise ChecksumMismatch(path, expected, found)
    return path


def own_release() -> Path:
    """Return the release of our own core set, built into the cache when it is not there yet."""
    from convsafe.data_builders.core import own_files
    from convsafe.data_builders.fetch import cache_folder
    from convsafe.data_builders.writer import LAYOUT, build

    digest = hashlib.sha256(f"{SCHEMA_VERSION}.{LAYOUT}".encode())
    for path in (*own_files(), *sorted(HAZARDS.glob("*.yaml"))):
        digest.update(path.read_bytes())
    folder = cache_folder() / "releases" / f"core-{digest.hexdigest()[:16]}"
    if not (folder / "manifest.json").exists():
        build(folder, sources=[])
    return folder
