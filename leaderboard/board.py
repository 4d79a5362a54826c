"""What a board ranks by, and the cases that every submission must answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convsafe.benchmark.loading import DEFAULT
from convsafe.benchmark.suite import CaseFiles, Suite, load_suite
from convsafe.taxonomy.errors import BadInput, UnknownName
from convsafe.taxonomy.tree import read_yaml

if TYPE_CHECKING:
    import polars as pl

BOARD = Path(__file__).with_name("board.yaml")
_OF_FILE = "of_file"


@dataclass(frozen=True)
class Board:
    """What is ranked, by which judge, and what a submission may weigh.

    `limit` and `seed` draw a balanced sample of the cases, as `convsafe run` does; without a
    limit every case counts. `most_bytes` bounds the file of generations, and also what it holds
    once it is unpacked; `longest_reply` is in bytes of UTF-8. `folder` is the release, None for
    our own core set.
    """

    config: str = "core"
    split: str = "test"
    judge: str = DEFAULT
    samples: int = 1
    limit: int | None = None
    seed: int = 0
    most_unscored: float = 0.01
    most_bytes: int = 256 << 20
    longest_reply: int = 1 << 20
    baselines: tuple[str, ...] = ()
    folder: Path | None = field(default=None, metadata={_OF_FILE: False})

    @classmethod
    def load(cls, path: str | Path | None = None, release: str | Path | None = None) -> Board:
        """Return the board that a file describes.

        Args:
            path: A YAML file; by default the `board.yaml` beside this one.
            release: The release folder that the cases are of; None for our own core set.

        Raises:
            BadInput: If the file is missing, or holds a value that is not of its kind.
            UnknownName: If it holds a name that a board does not have.
        """
        file = Path(path) if path is not None else BOARD
        given = _checked(file, read_yaml(file))
        return cls(**given, folder=Path(release) if release is not None else None)

    @cached_property
    def suite(self) -> Suite:
        """The cases, checked against the release's manifest."""
        return load_suite(self.folder, self.config, self.split, limit=self.limit, seed=self.seed)

    @property
    def release(self) -> dict[str, Any]:
        """The release's `version`, `content_sha256`, `config` and `split`."""
        return self.suite.release

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """The ids that every submission must answer, in order."""
        cases = self.suite.cases
        return tuple(cases.ids() if isinstance(cases, CaseFiles) else (one.id for one in cases))

    @cached_property
    def ids_sha256(self) -> str:
        """The sum of the ids in order, as a run's."""
        return self.suite.ids_sha256

    @cached_property
    def cases(self) -> pl.DataFrame:
        """The cases, one row each, in the order of `ids`."""
        import polars as pl

        if isinstance(self.suite.cases, CaseFiles):
            tables = [pl.read_parquet(file) for file in self.suite.cases.files]
            return pl.concat(tables, how="diagonal_relaxed")
        from convsafe.taxonomy.arrow import case_table

        found = pl.from_arrow(case_table(self.suite.cases))
        assert isinstance(found, pl.DataFrame)
        return found


_KINDS: Mapping[str, Any] = {"str": str, "int": int, "int | None": int, "float": (int, float)}


def _checked(file: Path, given: Any) -> dict[str, Any]:
    """Return the values of a board file, each of its field's kind."""
    kinds = {one.name: str(one.type) for one in fields(Board) if one.metadata.get(_OF_FILE, True)}
    if not isinstance(given, dict):
        raise BadInput("a board is a mapping of names to values", file=file)
    for name, value in given.items():
        if name not in kinds:
            raise UnknownName("value of a board", str(name), kinds, f"It is in {file}.")
        if not _is_of_kind(value, kinds[name]):
            raise BadInput(f"`{name}` is not of its kind: {kinds[name]}", file=file)
    return {name: tuple(v) if isinstance(v, list) else v for name, v in given.items()}


def _is_of_kind(value: Any, kind: str) -> bool:
    if kind.startswith("tuple"):
        return isinstance(value, list) and all(isinstance(one, str) for one in value)
    if kind == "str":
        return isinstance(value, str)
    return isinstance(value, _KINDS[kind]) and not isinstance(value, bool) and value >= 0
