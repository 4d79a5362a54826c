"""A run folder: its settings, its cases, its generations, and the checks that make it whole.

run.json            what was run: model, decoding, release, cases, versions
cases.parquet       the cases, so that the folder can be scored anywhere
generations.jsonl   one line a generation, appended as they come
failures.jsonl      requests that brought no reply; they are asked again on the next run
log.jsonl           one line for every time the run was started, and how it ended
verdicts-JUDGE.jsonl, scores.json, report.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convsafe.benchmark.suite import Suite, read_cases
from convsafe.taxonomy.errors import BadInput, IncompleteRun
from convsafe.taxonomy.files import atomic, file_stem, parse_line, read_json, read_jsonl, write_json
from convsafe.taxonomy.records import OUTCOMES, ROLES, Case

if TYPE_CHECKING:
    import polars as pl

# Two commands continue the same run only if all of these are equal.
_SAME = (
    "model",
    "params",
    "settings",
    "guards",
    "dialogue",
    "script",
    "user",
    "release",
    "ids_sha256",
)
# What a run from before there was a choice had.
_BEFORE = {"dialogue": "single", "script": "single", "settings": {}, "guards": {}}
# Cases read at once.
_BATCH = 256


@dataclass(frozen=True)
class Run:
    """A run on disk."""

    folder: Path

    @classmethod
    def open(cls, folder: str | Path) -> Run:
        """Return the run in a folder.

        Raises:
            BadInput: If it is no run folder.
        """
        run = cls(Path(folder))
        if not (run.folder / "run.json").exists():
            raise BadInput(
                "this is no run folder: it has no run.json. Make one with `convsafe run`",
                file=folder,
            )
        return run

    @classmethod
    def begin(cls, folder: str | Path, suite: Suite, settings: dict[str, Any]) -> Run:
        """Start a run, or continue the one in `folder` if it has the same settings.

        Raises:
            BadInput: If the folder holds another run, naming what differs.
        """
        run = cls(Path(folder))
        settings = settings | {
            "release": suite.release,
            "sample": suite.sample,
            "sources": suite.sources,
            "cases": len(suite),
            "ids_sha256": suite.ids_sha256,
        }
        if (run.folder / "run.json").exists():
            run.require_same(settings)
            run._grow(settings["samples"])
        else:
            run._write(suite, settings)
        return run

    def require_same(self, settings: dict[str, Any]) -> None:
        """Raise `BadInput`, naming what differs, unless the run was made with these settings."""
        mine = _BEFORE | self.settings
        differ = [name for name in _SAME if name in settings and mine.get(name) != settings[name]]
        if differ:
            raise BadInput(
                f"this folder holds a run with another {' and '.join(differ)}."
                " Give the same options to finish it, or another --out",
                file=self.folder,
            )

    def _grow(self, samples: int) -> None:
        """Let the run have more replies a case from now on."""
        if samples > self.samples:
            write_json(self.folder / "run.json", self.settings | {"samples": samples})
            self.__dict__.pop("settings")

    def _write(self, suite: Suite, settings: dict[str, Any]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with atomic(self.folder / "cases.parquet") as temporary:
            suite.write(temporary)
        # Written last: a folder with run.json has everything a run needs.
        write_json(self.folder / "run.json", settings)

    @cached_property
    def settings(self) -> dict[str, Any]:
        """What run.json says."""
        settings: dict[str, Any] = read_json(self.folder / "run.json")
        return settings

    @property
    def samples(self) -> int:
        """How many replies a case has."""
        return int(self.settings.get("samples", 1))

    @property
    def generations_path(self) -> Path:
        """The file of generations."""
        return self.folder / "generations.jsonl"

    def verdicts_path(self, judge: str) -> Path:
        """The file of one judge's verdicts."""
        return self.folder / f"verdicts-{file_stem(judge)}.jsonl"

    def models(self) -> tuple[str, ...]:
        """Return the names of the model that was run: as it was given, and as it was known."""
        spec: str = self.settings["model"]
        rows = read_jsonl(self.generations_path) if self.generations_path.exists() else ()
        known = (row["model"] for _, row in rows if isinstance(row.get("model"), str))
        return tuple(dict.fromkeys([spec.partition("#")[2] or spec, *known]))

    def cases(self) -> pl.DataFrame:
        """Return the cases, one row each."""
        import polars as pl

        path = self.folder / "cases.parquet"
        if not path.exists():
            raise BadInput("the run's cases are missing", file=path)
        return pl.read_parquet(path)

    def generations(self) -> pl.DataFrame:
        """Return the generations: id, sample, outcome, response, messages and trace (or null).

        Raises:
            BadInput: On a line that is no generation, an id twice, or an id no case has.
        """
        return checked(
            read_generations(self.generations_path),
            self.cases()["id"],
            self.generations_path,
            self.samples,
        )

    def pending(self) -> Pending:
        """Return what has no generation yet.

        Raises:
            BadInput: On a line that is no generation, an id twice, or an id no case has.
        """
        from pyarrow import parquet

        path = self.folder / "cases.parquet"
        if not self.generations_path.exists() or not self.generations_path.stat().st_size:
            total = parquet.read_metadata(path).num_rows * self.samples
            return Pending(path, self.samples, total, None)
        ids = parquet.ParquetFile(path).read(["id"])["id"]
        done = _done(self.generations_path, ids, self.samples)
        return Pending(path, self.samples, len(ids) * self.samples, done)

    def failures(self) -> dict[str, str]:
        """Return why each id whose last request failed did so."""
        path = self.folder / "failures.jsonl"
        if not path.exists():
            return {}
        return {row["id"]: row["reason"] for _, row in read_jsonl(path)}

    def missing(self, generations: pl.DataFrame) -> list[str]:
        """Return the ids of cases that lack a usable generation, in order."""
        import polars as pl

        usable = generations.filter(pl.col("outcome") != "failed")["id"].value_counts()
        whole = usable.filter(pl.col("count") >= self.samples)["id"]
        ids = self.cases()["id"]
        found: list[str] = ids.filter(~ids.is_in(whole.implode())).to_list()
        return found

    def require_whole(self, generations: pl.DataFrame) -> None:
        """Raise `IncompleteRun` if a generation is missing, saying why where that is known."""
        if not (missing := self.missing(generations)):
            return
        failed = self.failures()
        reasons = sorted({failed[id] for id in missing if id in failed})
        why = f"Failed requests: {'; '.join(reasons[:3])}." if reasons else ""
        raise IncompleteRun(len(missing), len(self.cases()), why, missing)


class Pending:
    """The cases and samples that have no generation yet, read as they are asked for.

    Args:
        path: The cases, as Parquet.
        samples: How many replies a case has.
        total: Of all cases and samples.
        done: Which rows and samples are there, as booleans of shape (cases, samples), or None.
    """

    def __init__(self, path: Path, samples: int, total: int, done: Any) -> None:
        self.path, self.samples, self.total, self._done = path, samples, total, done
        self.done = 0 if done is None else int(done.sum())

    def __len__(self) -> int:
        """Return how many there are."""
        return self.total - self.done

    def __iter__(self) -> Iterator[tuple[Case, int]]:
        """Yield each case and sample, every case once before any has its second."""
        for sample in range(self.samples):
            for row, case in enumerate(read_cases([self.path], _BATCH)):
                if self._done is None or not self._done[row, sample]:
                    yield case, sample


def _done(path: Path, ids: Any, samples: int) -> Any:
    """Return which rows and samples a file has, as booleans of shape (rows, samples)."""
    import numpy as np
    import polars as pl

    names = pl.DataFrame({"id": pl.Series(ids)}).with_row_index("row")
    found = checked(_keys(path), names["id"], path, samples).join(names, on="id")
    done = np.zeros((len(names), samples), dtype=bool)
    done[found["row"].to_numpy(), found["sample"].to_numpy()] = True
    return done


def _keys(path: Path) -> pl.DataFrame:
    """Return the ids and samples in a file of generations, without their texts."""
    import polars as pl

    schema = {"id": pl.String, "sample": pl.Int64, "outcome": pl.String}
    try:
        found = pl.scan_ndjson(path, schema=schema).collect(engine="streaming")
    except pl.exceptions.PolarsError:
        found = None
    # What is not plain is read line by line, which says where it is wrong.
    if found is None or found["id"].has_nulls() or found["outcome"].has_nulls():
        found = read_generations(path).select(*schema)
    return found.with_columns(pl.col("sample").fill_null(0))


def read_generations(path: Path) -> pl.DataFrame:
    """Read generations from a JSONL file; a file that is not there holds none.

    Raises:
        BadInput: On a line that is no generation, naming file, line and id.
    """
    import polars as pl

    schema = generation_schema()
    if not path.exists() or path.stat().st_size == 0:
        return pl.DataFrame(schema=schema)
    rows = [_generation(path, line, row) for line, row in read_jsonl(path)]
    return pl.DataFrame(rows, schema=schema, orient="row")


def generation_schema() -> dict[str, Any]:
    """Return what is read of generations and its types; a `trace` is read as JSON."""
    import polars as pl

    turn = pl.Struct({"role": pl.String, "content": pl.String})
    return {
        "id": pl.String,
        "sample": pl.Int64,
        "outcome": pl.String,
        "response": pl.String,
        "messages": pl.List(turn),
        "trace": pl.String,
    }


def _transcript(path: Path, line: int, row: dict[str, Any]) -> list[dict[str, str]] | None:
    """Return what was said in a dialogue, or None."""
    turns = row.get("messages")
    if turns is None:
        return None
    good = isinstance(turns, list) and all(
        isinstance(turn, dict) and {turn.get("role")} <= ROLES and _is_text(turn.get("content"))
        for turn in turns
    )
    if not good:
        what = "`messages` must be a list of {role, content}"
        raise BadInput(what, file=path, line=line, id=row.get("id"))
    return [{"role": turn["role"], "content": turn["content"]} for turn in turns]


def _trace(path: Path, line: int, row: dict[str, Any]) -> str | None:
    """Return what was written down of a session as JSON, or None."""
    trace = row.get("trace")
    if trace is None:
        return None
    if not isinstance(trace, list) or not all(isinstance(entry, dict) for entry in trace):
        raise BadInput("`trace` must be a list of objects", file=path, line=line, id=row.get("id"))
    return json.dumps(trace, ensure_ascii=False)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _generation(path: Path, line: int, row: dict[str, Any]) -> tuple[Any, ...]:
    id, sample = row.get("id"), row.get("sample", 0)
    outcome, response = row.get("outcome", "answered"), row.get("response", "")
    if not isinstance(id, str):
        raise BadInput("a generation has no id", file=path, line=line)
    if outcome not in OUTCOMES:
        what = f"outcome {outcome!r} is not one of {', '.join(OUTCOMES)}"
        raise BadInput(what, file=path, line=line, id=id)
    if not isinstance(response, str) or not isinstance(sample, int):
        what = "`response` must be a text and `sample` a number"
        raise BadInput(what, file=path, line=line, id=id)
    transcript, trace = _transcript(path, line, row), _trace(path, line, row)
    return id, sample, outcome, response, transcript, trace


def parsed_generation(
    path: Path, at: int, data: bytes, place: Callable[[int], int]
) -> tuple[Any, ...]:
    """Return a line as a generation, in the order of `generation_schema`.

    Args:
        path: The file it is from.
        at: Which line of its part of the file it is.
        data: The line.
        place: Gives the line's number in the file, for an error.

    Raises:
        BadInput: If it is none, naming file, line and id.
    """
    try:
        return _generation(path, 0, parse_line(path, 0, data))
    except BadInput:
        # Lines are counted only where one is wrong.
        line = place(at)
        return _generation(path, line, parse_line(path, line, data))


def checked(
    generations: pl.DataFrame, ids: Sequence[str] | pl.Series, file: Path, samples: int = 1
) -> pl.DataFrame:
    """Return the generations if every id is known and comes once a sample.

    Raises:
        BadInput: Naming the ids that are not, with how many there are.
    """
    import polars as pl

    twice = generations.filter(pl.struct("id", "sample").is_duplicated())["id"].unique()
    if len(twice):
        raise BadInput(f"{len(twice)} ids come more than once: {_some(twice)}", file=file)
    unknown = generations.filter(
        ~pl.col("id").is_in(pl.Series(ids).implode()) | ~pl.col("sample").is_between(0, samples - 1)
    )["id"]
    if len(unknown):
        raise BadInput(
            f"{len(unknown)} ids or samples are not of this run: {_some(unknown)}", file=file
        )
    return generations


def _some(ids: pl.Series) -> str:
    names = ids.sort().to_list()
    return ", ".join(names[:5]) + (" …" if len(names) > 5 else "")


def has_transforms(cases: pl.DataFrame) -> bool:
    """Return whether a table of cases can tell their transforms; one without any may not."""
    import polars as pl

    tags = cases.schema.get("transforms")
    return isinstance(tags, pl.List) and isinstance(tags.inner, pl.Struct)
