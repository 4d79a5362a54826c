"""Write a release: the folder that is published on the Hub, whole or not at all."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date as calendar_date
from importlib.metadata import version as version_of
from pathlib import Path
from platform import python_version
from typing import Any

from convsafe.data_builders.assembly import Assembly, assemble
from convsafe.data_builders.canary import CANARY
from convsafe.data_builders.documents import HIDDEN, PLOTS, read_commitment, write_documents
from convsafe.data_builders.ledger import (
    LEDGER,
    PROFILES,
    Decision,
    check_rows,
    decisions,
    ledger,
)
from convsafe.data_builders.manifest import MANIFEST, file_sums, make_manifest
from convsafe.data_builders.plots import bars
from convsafe.data_builders.recipe import FULL, area_of
from convsafe.data_builders.shards import SHARD_ROWS, write_shards
from convsafe.data_builders.source import core_card
from convsafe.data_builders.writer import Built, check_target, replacing, tables
from convsafe.taxonomy.errors import BadInput, UnknownName
from convsafe.taxonomy.files import sha256_of, write_json, write_jsonl
from convsafe.taxonomy.records import Case

_VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)\Z")
# Their versions can change the bytes of the card, the metadata or the plots.
_TOOLS = ("datasets", "huggingface-hub", "jinja2", "matplotlib", "pyyaml")
# Own files that decide what is in a release, beside the code.
_INPUTS = (
    *(
        "data_builders/prompts",
        "data_builders/sets",
        "data_builders/agents",
        "data_builders/recipes",
    ),
    *("data_builders/transforms", "taxonomy/hazards", "taxonomy/crosswalks"),
)


@dataclass(frozen=True)
class Plan:
    """What is asked for: version, licence profile, day, and what it means for each source."""

    version: str
    profile: str
    date: str | None
    decisions: tuple[Decision, ...]
    hidden: Mapping[str, Any] | None

    @property
    def names(self) -> list[str]:
        """The upstream sources to take, in the order in which they are preferred."""
        return [
            each.card.name
            for each in self.decisions
            if each.included and each.card.name != core_card().name
        ]

    @property
    def facts(self) -> dict[str, Any]:
        """What the manifest and the ledger both say of the release."""
        return {
            "version": self.version,
            "date": self.date,
            "profile": self.profile,
            "publishable": self.profile != "all",
        }


def release(
    version: str,
    out: str | Path,
    *,
    profile: str = "permissive",
    sources: Sequence[str] | None = None,
    date: str | None = None,
    hidden: str | Path | None = None,
    transforms: Sequence[str] | None = None,
    recipe: str | Path = FULL,
    workers: int = 1,
    shard_rows: int = SHARD_ROWS,
    progress: Callable[[str], None] = lambda _: None,
) -> Built:
    """Write a release into the folder `out`, whole or not at all.

    What is written depends neither on the order of `sources` nor on `workers`.

    Args:
        version: A semantic version, as `1.0.0`.
        out: Folder to write; an earlier build or release there is replaced.
        profile: `permissive`, `research` or `all`: which licences are taken.
        sources: Names of sources to take beside our own prompts; by default all that the profile
            takes. Each must be there: a release with a source missing would be another one.
        date: The day of the release, as `2026-11-24`; left out of every file when None.
        hidden: The public commitment to hidden prompts that `convsafe hidden commit` wrote.
        transforms: Names of the transforms to apply; None for every one, an empty list for none.
        recipe: The YAML that says which transforms on which cases.
        workers: How many files are written at once.
        shard_rows: Rows of one Parquet file at most.
        progress: Called with what is being done.

    Raises:
        BadInput: On a version, licence or row that cannot be used.
        ChecksumMismatch: If an upstream file is not the pinned one.
        Unavailable: If a source, or the disk, cannot be had.
    """
    if workers < 1:
        raise BadInput(f"workers must be at least 1, not {workers}")
    _check(version, profile, date)
    public = None if hidden is None else read_commitment(Path(hidden))
    plan = Plan(version, profile, date, tuple(decisions(profile, sources)), public)
    out = Path(out)
    check_target(out)
    assembly = assemble(plan.names, transforms=transforms, recipe=recipe, progress=progress)
    check_rows(assembly, profile)
    progress("writing")
    with replacing(out) as folder:
        manifest = _write(folder, plan, assembly, workers, shard_rows)
    return Built(out, manifest, assembly)


def _check(version: str, profile: str, date: str | None) -> None:
    """Check what was asked for before anything is read."""
    if not _VERSION.match(version):
        raise BadInput(
            f"{version!r} is no release version: write X.Y.Z with plain numbers, as 1.0.0"
        )
    if profile not in PROFILES:
        raise UnknownName("licence profile", profile, PROFILES)
    try:
        calendar_date.fromisoformat(date or "2000-01-01")
    except ValueError:
        raise BadInput(f"{date!r} is no date: write it like 2026-11-24") from None


def _write(
    folder: Path, plan: Plan, assembly: Assembly, workers: int, shard_rows: int
) -> dict[str, Any]:
    """Write every file of the release; the manifest comes last and names all others."""
    configs = tables(assembly)
    info = write_shards(folder, configs, plan.version, workers=workers, shard_rows=shard_rows)
    _reports(folder, assembly)
    _plots(folder, assembly)
    licenses = ledger(plan.decisions, assembly, {"name": "convsafe-bench", **plan.facts})
    write_json(folder / LEDGER, licenses)
    if plan.hidden:
        write_json(folder / HIDDEN, {**plan.hidden, "canary": CANARY})
    manifest = _manifest(folder, plan, assembly, configs)
    write_documents(folder, manifest, info, licenses)
    manifest |= {"files": file_sums(folder)}
    write_json(folder / MANIFEST, manifest)
    return manifest


def _reports(folder: Path, assembly: Assembly) -> None:
    """Write what was merged, dropped or doubted; every line bears the canary."""
    reports: Mapping[str, Iterable[Mapping[str, Any]]] = {
        "not_applicable": (entry._asdict() for entry in assembly.derived.skipped),
        "duplicates": (entry.to_row() for entry in assembly.duplicates),
        "dropped": (entry._asdict() for entry in assembly.dropped),
        "languages": assembly.doubtful,
    }
    for name, rows in reports.items():
        write_jsonl(folder / f"{name}.jsonl", ({**row, "canary": CANARY} for row in rows))


def _plots(folder: Path, assembly: Assembly) -> None:
    areas = Counter(area_of(case) or "no hazard" for case in assembly.cases)
    languages = Counter(case.language for case in assembly.cases)
    for (file, title), counts in zip(PLOTS.items(), (areas, languages), strict=True):
        bars(folder / file, title, counts)


def _manifest(
    folder: Path,
    plan: Plan,
    assembly: Assembly,
    configs: Mapping[str, Mapping[str, Sequence[Case]]],
) -> dict[str, Any]:
    """Return the manifest of a build with what makes it a release."""
    made = make_manifest(folder, assembly, configs)
    tools = {name: version_of(name) for name in _TOOLS}
    return made | {
        **plan.facts,
        "canary": CANARY,
        "hidden": plan.hidden and {name: plan.hidden[name] for name in ("rows", "commitment")},
        "left_out": {each.card.name: each.why for each in plan.decisions if not each.included},
        "inputs": _inputs(),
        "tools": {"python": python_version(), **made["tools"], **tools},
    }


def _inputs() -> dict[str, str]:
    """Return the sums of our own texts and of the taxonomy."""
    root = Path(__file__).parents[1]
    return {
        path.relative_to(root).as_posix(): sha256_of(path)
        for place in _INPUTS
        for path in sorted((root / place).rglob("*.yaml"))
    }
