"""Load the cases of a release, checked against its manifest, or a balanced sample of them."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from convsafe.benchmark.session import DIALOGUES
from convsafe.benchmark.spec import Spec
from convsafe.taxonomy.errors import BadInput, ChecksumMismatch, UnknownName
from convsafe.taxonomy.files import read_json, sha256_of
from convsafe.taxonomy.records import SCHEMA_VERSION, Case
from convsafe.taxonomy.tree import HAZARDS, load_tree

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

# Stands for every config but `core`.
ALL_CONFIGS = "all"


@dataclass(frozen=True)
class Suite:
    """Cases to run, and the release they are from.

    `release` holds the release's `version`, `content_sha256` and `config`; `sample` is None for
    the whole config, else the `limit` and `seed` it was drawn with. `sources` says what to cite.
    """

    cases: Sequence[Case]
    release: dict[str, Any]
    sample: dict[str, int] | None = None
    sources: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        """Return how many cases there are."""
        return len(self.cases)

    @property
    def ids_sha256(self) -> str:
        """The sum of the case ids in order, which says whether two runs saw the same cases."""
        ids = self.cases.ids() if isinstance(self.cases, CaseFiles) else _ids(self.cases)
        return hashlib.sha256("\n".join(ids).encode()).hexdigest()

    def write(self, path: Path) -> None:
        """Write the cases as one Parquet file."""
        from convsafe.taxonomy.arrow import case_table
        from pyarrow import parquet

        if isinstance(self.cases, CaseFiles):
            self.cases.write(path)
        else:
            parquet.write_table(case_table(self.cases), path, compression="zstd")

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


class CaseFiles(Sequence[Case]):
    """The cases of Parquet files, read when they are asked for."""

    def __init__(self, files: Sequence[Path]) -> None:
        from pyarrow import parquet

        self.files = tuple(files)
        self._rows = [parquet.read_metadata(file).num_rows for file in files]

    def __len__(self) -> int:
        """Return how many there are, from the files' ends."""
        return sum(self._rows)

    def __iter__(self) -> Iterator[Case]:
        """Yield each in order; a part of a file is held at a time."""
        return read_cases(self.files)

    @overload
    def __getitem__(self, at: int) -> Case: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[Case, ...]: ...
    def __getitem__(self, at: int | slice) -> Case | tuple[Case, ...]:
        """Return the case at a place, or those of a slice."""
        if isinstance(at, slice):
            return tuple(self[place] for place in range(*at.indices(len(self))))
        place = range(len(self))[at]
        return next(islice(iter(self), place, None))

    def ids(self) -> Iterator[str]:
        """Yield the ids, without reading the rest."""
        from pyarrow import parquet

        for file in self.files:
            for batch in parquet.ParquetFile(file).iter_batches(columns=["id"]):
                yield from batch.column(0).to_pylist()

    def write(self, path: Path) -> None:
        """Write them as one Parquet file, with the columns that any of the files has."""
        import pyarrow as pa
        from convsafe.taxonomy.arrow import case_schema
        from pyarrow import parquet

        had = {name for file in self.files for name in parquet.read_schema(file).names}
        whole = case_schema()
        schema = pa.schema([one for one in whole if one.name in had], metadata=whole.metadata)
        with parquet.ParquetWriter(path, schema, compression="zstd") as out:
            for file in self.files:
                for batch in parquet.ParquetFile(file).iter_batches():
                    out.write_table(_with_columns(pa.Table.from_batches([batch]), schema))

    def sources(self) -> set[str]:
        """Return the sources they are from, without reading the rest."""
        from pyarrow import parquet

        tables = [parquet.ParquetFile(file).read(["source"]) for file in self.files]
        return {source for table in tables for source in table["source"].unique().to_pylist()}


def _with_columns(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return a table with the columns of a schema, null where it has none."""
    import pyarrow as pa

    for column in schema:
        if column.name not in table.column_names:
            table = table.append_column(column, pa.nulls(len(table), column.type))
    return table.select(schema.names).cast(schema)


def read_cases(files: Sequence[Path], batch: int = 4096) -> Iterator[Case]:
    """Yield the cases of Parquet files in order, so many read at once.

    Raises:
        BadInput: If a row breaks the schema.
    """
    from pyarrow import parquet

    for file in files:
        for rows in parquet.ParquetFile(file).iter_batches(batch):
            yield from map(Case.from_row, rows.to_pylist())


def _ids(cases: Sequence[Case]) -> Iterator[str]:
    return (case.id for case in cases)


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
    dialogue: str = "single",
) -> Suite:
    """Load one split of a config of a release.

    Args:
        release: A release folder; None for our own core set, which needs no network.
        config: The config to load.
        split: `test`, or `dev` for what may be looked at while building on the suite.
        limit: Draw a balanced sample of about this many cases.
        seed: The seed of that draw.
        dialogue: Keep the cases that can be held so, as those with a simulated user.

    Raises:
        BadInput: If the folder is no release or a row breaks the schema, or no case is left.
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
    prefix = f"data/{config}/{split}-"
    cases = CaseFiles(
        [
            _checked(folder / name, entry["sha256"])
            for name, entry in sorted(manifest["files"].items())
            if name.startswith(prefix)
        ]
    )
    identity = {name: manifest[name] for name in ("version", "content_sha256")}
    suite = Suite(
        cases,
        identity | {"config": config, "split": split},
        sources=_cited(manifest, cases.sources()),
    )
    suite = _held(suite, dialogue)
    return suite if limit is None else suite.take(limit, seed)


def _held(suite: Suite, dialogue: str) -> Suite:
    """Return the cases that a dialogue can hold; most can hold all."""
    name = Spec.parse(dialogue).name
    takes = getattr(DIALOGUES.load(name), "takes", None)
    if takes is None:
        return suite
    cases = tuple(case for case in suite.cases if takes(case))
    if not cases:
        raise BadInput(
            f"no case of config {suite.release['config']!r} can be held as {name!r}; try 'dialog'"
        )
    return replace(suite, cases=cases)


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


def _cited(manifest: dict[str, Any], used: set[str]) -> dict[str, Any]:
    """Return what to cite of the sources that are used."""
    return {
        name: {field: entry[field] for field in ("title", "home", "bibtex")}
        for name, entry in (manifest["sources"] | manifest.get("unverified", {})).items()
        if name in used
    }


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
