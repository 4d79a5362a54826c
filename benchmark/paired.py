"""Line up judged runs case by case, and refuse what may not be compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convsafe.benchmark.judging import read_verdicts
from convsafe.benchmark.loading import unsafe_from
from convsafe.benchmark.metric import metrics_for
from convsafe.benchmark.per_case import (
    ALL,
    PLAIN,
    TRANSFORM,
    known_cases,
    metric_rows,
    names_of,
    per_case,
)
from convsafe.benchmark.runs import Run
from convsafe.benchmark.scoring import CORE
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.files import read_json

if TYPE_CHECKING:
    import polars as pl

# A metric of two shares, as high only as both: replies that are not unsafe, and those that help.
BALANCE = "safety_helpfulness"
SAFE, HELPFUL = "safe_rate", "helpful_rate"
_UNSAFE = "unsafe_rate"
# Slices that are tested; every further one costs all of them power.
COMPARED = ("area", "hazard", "language", "source", "expected", "config", TRANSFORM)
_NAMED = 5


@dataclass(frozen=True)
class Judged:
    """A run with the verdicts of the judge it was last scored with."""

    name: str
    folder: Path
    run: dict[str, Any]
    judge: dict[str, Any]
    cases: pl.DataFrame
    verdicts: pl.DataFrame

    @property
    def threshold(self) -> float:
        """From which probability of harm its judge counts a reply as unsafe."""
        return unsafe_from(self.judge.get("made_with", {}))


def open_runs(
    runs: Sequence[Run | str | Path], *, shared: bool = False
) -> tuple[tuple[Judged, ...], list[int]]:
    """Return judged runs over the same cases, and how many judged cases each run has.

    Args:
        runs: At least two runs or their folders, each scored.
        shared: Take the cases that all runs have, where they have not the same.

    Raises:
        BadInput: If a run is not scored, or runs differ in release, judge, threshold or cases.
    """
    if len(runs) < 2:
        raise BadInput("there is nothing to compare: give two runs or more")
    opened = [_open(run if isinstance(run, Run) else Run.open(run)) for run in runs]
    named = [
        Judged(name, *(getattr(one, field) for field in _FIELDS))
        for name, one in zip(_names(opened), opened, strict=True)
    ]
    _check_comparable(named)
    return _aligned(named, shared)


_FIELDS = ("folder", "run", "judge", "cases", "verdicts")


def _open(run: Run) -> Judged:
    path = run.folder / "scores.json"
    if not path.exists():
        raise BadInput("this run has no scores yet: run `convsafe score` on its folder", file=path)
    scores = read_json(path)
    judge, cases = scores["judge"], run.cases()
    file = run.verdicts_path(judge["name"])
    verdicts = read_verdicts(file)
    _check_verdicts(file, verdicts, cases, judge["name"])
    return Judged("", run.folder, run.settings, judge, cases, verdicts)


def _check_verdicts(file: Path, verdicts: pl.DataFrame, cases: pl.DataFrame, judge: str) -> None:
    import polars as pl

    others = verdicts.filter(pl.col("judge") != judge)["judge"].unique().sort().to_list()
    if others:
        raise BadInput(f"verdicts of other judges than {judge}: {', '.join(others)}", file=file)
    twice = verdicts.filter(pl.struct("id", "sample").is_duplicated())["id"]
    if len(twice):
        raise BadInput(f"a reply has two verdicts: {_some(twice)}", file=file)
    stray = verdicts.filter(~pl.col("id").is_in(cases["id"].implode()))["id"]
    if len(stray):
        raise BadInput(f"verdicts of ids that are no case of this run: {_some(stray)}", file=file)
    for name in ("unsafe", "responsive"):
        wrong = verdicts.filter(~pl.col(name).is_between(0, 1))["id"]
        if len(wrong):
            raise BadInput(f"`{name}` is no probability for {_some(wrong)}", file=file)


def _names(runs: Sequence[Judged]) -> list[str]:
    """Name every run by its model and its layers, and by its folder where these are the same."""
    models = [str(one.run["model"]).partition("#")[2] or str(one.run["model"]) for one in runs]
    held = ("settings", "guards")
    settings = [
        ", ".join(name for what in held for name in one.run.get(what) or ()) for one in runs
    ]
    full = [
        f"{model} ({words})" if words else model
        for model, words in zip(models, settings, strict=True)
    ]
    names = [
        f"{name} [{one.folder.name}]" if full.count(name) > 1 else name
        for name, one in zip(full, runs, strict=True)
    ]
    return [
        f"{name} #{place + 1}" if names.count(name) > 1 else name
        for place, name in enumerate(names)
    ]


def _check_comparable(runs: Sequence[Judged]) -> None:
    """Refuse runs of another release or judge than the first one's."""
    first = runs[0]
    for other in runs[1:]:
        for what, of in _SAME.items():
            one, two = of(first), of(other)
            if one != two:
                raise BadInput(
                    f"the runs cannot be compared, for their {what} differs: {first.name} has"
                    f" {one}, {other.name} has {two}. Run or score one of them again",
                    file=other.folder,
                )


def _release(judged: Judged) -> str:
    found = judged.run["release"]
    return f"{found['version']} (content sha256 {found['content_sha256'][:16]})"


_SAME: Mapping[str, Any] = {
    "release": _release,
    "judge": lambda judged: f"{judged.judge['name']} {judged.judge['version']}",
    "judge's threshold": lambda judged: judged.threshold,
    "judge's model or rubric": lambda judged: judged.judge.get("made_with", {}),
    # Which scores there are is read off the verdicts.
    "list of what the judge tells": lambda judged: [
        name for name in judged.judge["tells"] if name != "scores"
    ],
}


def _aligned(runs: Sequence[Judged], shared: bool) -> tuple[tuple[Judged, ...], list[int]]:
    """Return the runs cut to the same judged cases."""
    import polars as pl

    judged = [set(one.verdicts["id"].unique().to_list()) for one in runs]
    common = set.intersection(*judged)
    for one, ids in zip(runs, judged, strict=True):
        extra = ids - common
        if extra and not shared:
            raise BadInput(
                f"the runs have not the same judged cases: {len(extra)} of {one.name} are missing"
                f" in another run: {_some(pl.Series(sorted(extra)))}. Finish the runs, or compare"
                f" the {len(common)} that all have with --shared",
                file=one.folder,
            )
    if not common:
        raise BadInput("the runs share no judged case")
    kept = pl.Series(sorted(common)).implode()
    cut = tuple(
        Judged(
            one.name,
            one.folder,
            one.run,
            one.judge,
            one.cases.filter(pl.col("id").is_in(kept)),
            one.verdicts.filter(pl.col("id").is_in(kept)),
        )
        for one in runs
    )
    return cut, [len(ids) for ids in judged]


def case_values(judged: Judged) -> pl.DataFrame:
    """Return what every case of a run counts in every share metric that its judge can support.

    The one place where verdicts become values.

    Returns:
        One row a metric and case: metric, id, samples, value (mean of the event over the samples
        that have a verdict; null where none has), low and high (the mean with every unscored
        sample as no event, and as one).
    """
    import polars as pl

    parts = list(_values(judged))
    unsafe = [part for part in parts if part["metric"][:1].to_list() == [_UNSAFE]]
    safe = [
        part.with_columns(
            metric=pl.lit(SAFE),
            value=1 - pl.col("value"),
            low=1 - pl.col("high"),
            high=1 - pl.col("low"),
        )
        for part in unsafe
    ]
    if not parts:
        told = ", ".join(judged.judge["tells"]) or "nothing"
        raise BadInput(f"no metric to compare: the judge tells {told}", file=judged.folder)
    return pl.concat([*parts, *safe])


def _values(judged: Judged) -> Iterator[pl.DataFrame]:
    import polars as pl

    shares = [metric for metric in metrics_for(judged.judge["tells"], ()) if metric.binary]
    frame = per_case(known_cases(judged.cases), judged.verdicts, shares, judged.threshold)
    for metric in shares:
        rows = metric_rows(metric, frame).join(frame.select("case", "id"), on="case")
        yield rows.select(
            pl.lit(metric.name).alias("metric"),
            "id",
            samples=pl.col("n").cast(pl.UInt32),
            value=pl.when(pl.col("den") > 0).then(pl.col("num") / pl.col("den")),
            low=pl.col("low") / pl.col("full"),
            high=pl.col("high") / pl.col("full"),
        )


def case_slices(cases: pl.DataFrame, *, plain_only: bool) -> pl.DataFrame:
    """Return where every case is counted: id, cluster_id, slice, name, one row each.

    Args:
        cases: The cases as a run holds them.
        plain_only: Count transformed cases in the slice by transforms alone.
    """
    import polars as pl

    known = known_cases(cases)
    plain = known.filter(pl.col("plain")) if plain_only else known
    ids = known.select("case", "id", "cluster_id")
    parts = [
        names_of(known if slice == TRANSFORM else plain, slice)
        .join(ids, on="case", maintain_order="left")
        .select("id", "cluster_id", pl.lit(slice).alias("slice"), "name")
        for slice in (ALL, *COMPARED)
    ]
    found = pl.concat(parts)
    # Where figures are on plain cases, these are the whole under another name.
    again = (pl.col("slice") == TRANSFORM) & (pl.col("name") == PLAIN)
    return found.filter(~again) if plain_only else found


def is_plain_only(runs: Sequence[Judged]) -> bool:
    """Return whether figures are on untransformed cases, as those of the core config are."""
    return any(one.run["release"].get("config") == CORE for one in runs)


def _some(ids: pl.Series) -> str:
    names = ids.unique().sort().to_list()
    return ", ".join(names[:_NAMED]) + (" …" if len(names) > _NAMED else "")
