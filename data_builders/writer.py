"""Write an assembled suite as a folder that `datasets` loads, whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convsafe.data_builders.assembly import Assembly, assemble
from convsafe.data_builders.card import dataset_card
from convsafe.data_builders.manifest import (
    MANIFEST,
    NAME,
    file_sums,
    make_manifest,
    unverified_config,
)
from convsafe.data_builders.recipe import FULL
from convsafe.taxonomy.arrow import case_table
from convsafe.taxonomy.errors import BadInput, Unavailable
from convsafe.taxonomy.files import read_json, write_json, write_jsonl, write_text
from convsafe.taxonomy.records import Case

# Raised whenever the files of a build are laid out differently.
LAYOUT = 3
SPLITS = ("dev", "test")
# Share of the clusters in `dev`, in 256ths.
_DEV = 51
# Small row groups: the dataset viewer and streaming then read little.
_ROW_GROUP = 1000

Tables = Mapping[str, Mapping[str, Sequence[Case]]]


@dataclass(frozen=True)
class Built:
    """A finished build: where it is, its manifest and the suite it was written from."""

    folder: Path
    manifest: dict[str, Any]
    assembly: Assembly


def build(
    out: str | Path,
    sources: Sequence[str] | None = None,
    *,
    transforms: Sequence[str] | None = None,
    recipe: str | Path = FULL,
    progress: Callable[[str], None] = lambda _: None,
) -> Built:
    """Build the suite into the folder `out`, whole or not at all.

    Args:
        out: Folder to write; an earlier build there is replaced.
        sources: As `assemble` takes them.
        transforms: As `assemble` takes them.
        recipe: As `assemble` takes it.
        progress: Called with what is being done.

    Raises:
        ChecksumMismatch: If an upstream file is not the pinned one.
        BadInput: On an upstream row or own prompt that cannot be used, naming its place.
        Unavailable: If a source asked for by name, or the disk, cannot be had.
    """
    out = Path(out)
    check_target(out)
    assembly = assemble(sources, transforms=transforms, recipe=recipe, progress=progress)
    progress("writing")
    with replacing(out) as folder:
        configs = tables(assembly)
        write_data(folder, assembly, configs)
        manifest = make_manifest(folder, assembly, configs)
        write_text(folder / "README.md", dataset_card(manifest))
        manifest |= {"files": file_sums(folder)}
        write_json(folder / MANIFEST, manifest)
    return Built(out, manifest, assembly)


def check_target(out: Path, name: str = NAME) -> None:
    """Refuse to replace a folder that is not a build of the same kind."""
    if (out / MANIFEST).exists() and (found := read_json(out / MANIFEST).get("name")) != name:
        raise BadInput(f"this is a build of {found!r}, so it is not replaced", file=out)
    if out.exists() and not (out / MANIFEST).exists() and (out.is_file() or any(out.iterdir())):
        raise BadInput("this is not an earlier build, so it is not replaced", file=out)


@contextlib.contextmanager
def replacing(out: Path) -> Iterator[Path]:
    """Yield a new folder and put it in the place of `out` when the block succeeds.

    Raises:
        Unavailable: If the disk refuses it; what was at `out` stays.
    """
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as scratch:
            folder = Path(scratch) / out.name
            folder.mkdir()
            yield folder
            swap(folder, out)
    except OSError as error:
        raise Unavailable(f"{out}: could not be written: {error.strerror or error}") from error


def split_of(case: Case) -> str:
    """Return the split of a case: a fifth of the clusters is `dev`, told by the cluster's id."""
    digest = hashlib.sha256(f"split v1:{case.cluster_id}".encode()).digest()
    return "dev" if digest[0] < _DEV else "test"


def tables(assembly: Assembly) -> dict[str, dict[str, list[Case]]]:
    """Return the rows of every config and split; `core` is a view over the others."""
    core = [case for case in assembly.cases if case.id in assembly.core]
    home: defaultdict[str, list[Case]] = defaultdict(list)
    for case in assembly.cases:
        home[case.config].append(case)
    configs = {"core": core, **{name: home[name] for name in sorted(home)}}
    return {name: _splits(cases) for name, cases in configs.items()}


def _splits(cases: Sequence[Case]) -> dict[str, list[Case]]:
    parts: dict[str, list[Case]] = {split: [] for split in SPLITS}
    for case in cases:
        parts[split_of(case)].append(case)
    return {split: rows for split, rows in parts.items() if rows}


def write_data(folder: Path, assembly: Assembly, configs: Tables) -> None:
    """Write the tables of every config, and the reports of what was repeated or dropped."""
    write_tables(folder, configs)
    apart = {unverified_config(part.card.name): part.cases for part in assembly.unverified}
    write_tables(folder, {name: {"test": cases} for name, cases in apart.items()})
    write_jsonl(folder / "duplicates.jsonl", (entry.to_row() for entry in assembly.duplicates))
    write_jsonl(folder / "dropped.jsonl", (entry._asdict() for entry in assembly.dropped))
    write_jsonl(folder / "languages.jsonl", iter(assembly.doubtful))
    skipped = assembly.derived.skipped
    write_jsonl(folder / "not_applicable.jsonl", (entry._asdict() for entry in skipped))


def write_tables(folder: Path, configs: Tables) -> None:
    """Write one Parquet file a config and split; a config's splits share their columns."""
    from pyarrow import parquet

    for name, splits in configs.items():
        columns = case_table([case for rows in splits.values() for case in rows]).column_names
        for split, rows in splits.items():
            path = folder / "data" / name / f"{split}-00000-of-00001.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            table = case_table(rows, columns)
            parquet.write_table(table, path, compression="zstd", row_group_size=_ROW_GROUP)


def swap(folder: Path, out: Path) -> None:
    """Put the new folder in the old one's place."""
    folder.chmod(0o755)
    if out.exists():
        old = folder.parent / "replaced"
        out.rename(old)
        folder.rename(out)
        shutil.rmtree(old)
    else:
        folder.rename(out)
