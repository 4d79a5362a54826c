"""What a board keeps of a submission: figures as JSON and verdicts as Parquet, never edited.

    BOARD/results/RELEASE/SLUG-SUM-JUDGE.json      one a submission, release and judge
    BOARD/verdicts/RELEASE/SLUG-SUM-JUDGE.parquet  its verdicts, without the replies

SUM begins the sum of the submission's generations. A newer result of a name says which file it
supersedes; what stands is the last of each chain.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Container, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convsafe.leaderboard.records import SCHEMA, Finding, Manifest
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.files import atomic, file_stem, read_json, write_text
from convsafe.taxonomy.records import Estimate

if TYPE_CHECKING:
    import polars as pl

# What is kept of a verdict: a rationale could quote the reply.
KEPT = ("id", "sample", "judge", "stance", "unsafe", "responsive", "labels", "unscored_reason")
_SUM = 8
# What may differ between two results that are of the same figures.
_OF_FILE = ("schema", "scored", "supersedes")


@dataclass(frozen=True, kw_only=True)
class Result:
    """A submission's figures, with all they were made from.

    `judge` is the judge's card; `withdrawn` are the ids that were left out; `unscored` is the share
    of replies without a verdict, and `ranked` says whether that is few enough; `verdicts` is the
    name of the file of verdicts.
    """

    schema: int = SCHEMA
    manifest: Manifest
    release: Mapping[str, Any]
    judge: Mapping[str, Any]
    convsafe: str
    scored: str
    figures: tuple[Estimate, ...]
    findings: tuple[Finding, ...] = ()
    withdrawn: tuple[str, ...] = ()
    unscored: float
    ranked: bool
    baseline: bool = False
    verdicts: str
    supersedes: str | None = None

    @property
    def flags(self) -> tuple[str, ...]:
        """The codes of the findings that a maintainer should look at, each once."""
        codes = (finding.code for finding in self.findings if finding.level == "flag")
        return tuple(dict.fromkeys(codes))

    def get(self, metric: str, slice: str, name: str) -> Estimate | None:
        """Return one figure, or None."""
        return self._figures.get((metric, slice, name))

    @cached_property
    def _figures(self) -> dict[tuple[str, str, str], Estimate]:
        return {(one.metric, one.slice, one.name): one for one in self.figures}

    def same(self, other: Result) -> bool:
        """Return whether another result says the same of the same submission."""
        names = (name for name in self.__dataclass_fields__ if name not in _OF_FILE)
        return all(getattr(self, name) == getattr(other, name) for name in names)

    def to_row(self) -> dict[str, Any]:
        """Return the result as one JSON object."""
        row = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return row | {
            "manifest": self.manifest.to_row(),
            "release": dict(self.release),
            "judge": dict(self.judge),
            "figures": [one.to_row() for one in self.figures],
            "findings": [one.to_row() for one in self.findings],
            "withdrawn": list(self.withdrawn),
        }

    @classmethod
    def from_row(cls, row: Any) -> Result:
        """Return the result a JSON value stands for.

        Raises:
            BadInput: If it is none.
        """
        try:
            return cls(
                **row
                | {
                    "manifest": Manifest.from_row(row["manifest"]),
                    "figures": tuple(Estimate(**one) for one in row["figures"]),
                    "findings": tuple(
                        Finding(**one | {"ids": tuple(one["ids"])}) for one in row["findings"]
                    ),
                    "withdrawn": tuple(row["withdrawn"]),
                }
            )
        except (TypeError, KeyError, AttributeError) as error:
            raise BadInput(f"not a result: {error}") from None


@dataclass(frozen=True)
class Kept:
    """A result and the name of its file."""

    name: str
    result: Result


class Results:
    """The results of one release on a board."""

    def __init__(self, board: str | Path, version: str) -> None:
        self.folder = Path(board) / "results" / file_stem(version)
        self._verdicts = Path(board) / "verdicts" / file_stem(version)
        self._kept = {one.name: one for one in map(_read, sorted(self.folder.glob("*.json")))}

    def standing(self) -> dict[str, Kept]:
        """Return the last result of every name, by its slug.

        Raises:
            BadInput: If a name has two that nothing supersedes.
        """
        old = {one.result.supersedes for one in self._kept.values()}
        found: dict[str, Kept] = {}
        for name, one in self._kept.items():
            slug = one.result.manifest.slug
            if name not in old and found.setdefault(slug, one) is not one:
                raise BadInput(
                    f"neither {found[slug].name} nor {name} supersedes the other: remove the one"
                    " that was added by hand",
                    file=self.folder,
                )
        return found

    def add(self, result: Result) -> Kept:
        """Write a result, which supersedes the standing one of its name; a same one stays."""
        before = self.standing().get(result.manifest.slug)
        if before is not None and before.result.same(result):
            return before
        result = replace(result, supersedes=before.name if before else None)
        name = _free(Path(result.verdicts).stem, ".json", self._kept)
        write_text(self.folder / name, in_lines(result.to_row()))
        self._kept[name] = Kept(name, result)
        return self._kept[name]

    def verdicts_path(self, name: str) -> Path:
        """Return where a file of verdicts stands."""
        return self._verdicts / name

    def verdicts_of(self, manifest: Manifest, judge: Mapping[str, Any]) -> str | None:
        """Return the name of the verdicts that a judge gave on these very replies, or None."""
        for one in self._kept.values():
            same = one.result.manifest.generations_sha256 == manifest.generations_sha256
            if same and judged_alike(one.result.judge, judge):
                return one.result.verdicts
        return None

    def write_verdicts(
        self, manifest: Manifest, judge: Mapping[str, Any], verdicts: pl.DataFrame
    ) -> str:
        """Write verdicts, and return the name of their file."""
        used = {one.result.verdicts for one in self._kept.values()}
        made = file_stem(f"{judge['name']}-{judge['version']}")
        stem = f"{manifest.slug}-{file_stem(manifest.generations_sha256[:_SUM])}-{made}"
        name = _free(stem, ".parquet", used)
        with atomic(self.verdicts_path(name)) as temporary:
            verdicts.select(KEPT).write_parquet(temporary, compression="zstd")
        return name


def judged_alike(one: Mapping[str, Any], two: Mapping[str, Any]) -> bool:
    """Return whether two cards are of judges that come to the same verdicts."""
    return all(one.get(name) == two.get(name) for name in ("name", "version", "made_with"))


def _free(stem: str, ending: str, used: Container[str]) -> str:
    """Return the first of STEM, STEM-2, … that is not used."""
    names = (f"{stem}{'' if count == 1 else f'-{count}'}{ending}" for count in itertools.count(1))
    return next(name for name in names if name not in used)


def read_kept(path: Path) -> pl.DataFrame:
    """Read verdicts that the board keeps.

    Raises:
        BadInput: If the file is missing or is not one.
    """
    import polars as pl

    if not path.exists():
        raise BadInput("the verdicts of a result are missing: rank its submission again", file=path)
    try:
        return pl.read_parquet(path, columns=list(KEPT))
    except pl.exceptions.PolarsError as error:
        raise BadInput(f"not a file of verdicts: {error}", file=path) from None


def in_lines(row: Mapping[str, Any]) -> str:
    """Return a JSON object with each field, and each item of a list, on a line of its own."""
    lines = [f"{json.dumps(name)}: {_listed(value)}" for name, value in row.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _listed(value: Any) -> str:
    if not isinstance(value, list) or not value:
        return json.dumps(value, ensure_ascii=False)
    return "[\n" + ",\n".join(json.dumps(one, ensure_ascii=False) for one in value) + "\n]"


def _read(path: Path) -> Kept:
    try:
        return Kept(path.name, Result.from_row(read_json(path)))
    except BadInput as error:
        raise BadInput(str(error), file=path) from None
