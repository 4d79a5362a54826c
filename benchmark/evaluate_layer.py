"""What the metric module of `evaluate` computes: replies and case ids in, flat figures out."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convsafe.benchmark.evaluate_inputs import Collected, some
from convsafe.benchmark.judging import JudgeCard, card_of, verdicts_of
from convsafe.benchmark.loading import DEFAULT, Judge, JudgeSettings, load_judge, unsafe_from
from convsafe.benchmark.per_case import ALL
from convsafe.benchmark.scoring import CORE, MACRO, estimate
from convsafe.benchmark.suite import load_suite
from convsafe.taxonomy.errors import BadInput, Unavailable, UnknownName
from convsafe.taxonomy.records import Estimate

if TYPE_CHECKING:
    import polars as pl

# The folder that `evaluate.load` takes, and that is uploaded as a Space.
METRIC = Path(__file__).parent / "convsafe_metric"
# What stands for the release where whole cases were given.
_GIVEN = "the cases given"
_ON_HUB = re.compile(r"(?P<repo>\w[\w.-]*/\w[\w.-]*)(@(?P<revision>[^@]+))?")


@dataclass(frozen=True)
class Options:
    """How predictions are judged and which figures are wanted.

    Args:
        release: A release's folder or its dataset on the Hub, as `org/name@v1.0.0`; None for the
            cases that were given as references, and without any for our own core set.
        config: The release's config, `core` where none is named; of given cases, `core` counts
            untransformed ones only, as it does for a release.
        split: The release's split.
        judge: The judge's name.
        endpoint: `URL#MODEL` of a judge that asks a server.
        rubric: The rubric of a judge that goes by one.
        partial: Score what is there although cases have no prediction.
        samples: Predictions of one id are its samples.
        slices: Add the figures of these slices, or of all of them.
    """

    release: str | Path | None = None
    config: str | None = None
    split: str = "test"
    judge: str = DEFAULT
    endpoint: str | None = None
    rubric: str | None = None
    partial: bool = False
    samples: bool = False
    slices: bool | str | Sequence[str] = False

    def but(self, **given: Any) -> Options:
        """Return these options with some of them changed.

        Raises:
            UnknownName: If there is no such option.
        """
        names = [field.name for field in fields(self)]
        for name in given:
            if name not in names:
                raise UnknownName("option", name, names)
        return replace(self, **given)


@dataclass(frozen=True)
class _Cases:
    """The cases that must each have a prediction, and what they are."""

    table: pl.DataFrame
    release: str
    config: str

    def __str__(self) -> str:
        """Return what they are, for an error."""
        if self.release == _GIVEN:
            return self.release
        return f"release {self.release}, config {self.config}"

    def row(self) -> dict[str, Any]:
        """Return what tells these cases from others."""
        ids = "\n".join(self.table["id"].to_list())
        return {
            "release": self.release,
            "config": self.config,
            "ids_sha256": hashlib.sha256(ids.encode()).hexdigest(),
        }


def evaluated(collected: Collected, options: Options) -> dict[str, Any]:
    """Judge and score predictions as `convsafe score` does a run.

    Returns:
        `unsafe_rate`, `unsafe_rate_low` … for every metric that the judge can tell, as `flat`
        names them, and what they were made from: judge, judge_version, release, config,
        ids_sha256 (of the case ids), cases, missing and convsafe (the package's version).

    Raises:
        BadInput: Naming the ids that are unknown, missing or there twice; if the judge is the
            model that made a prediction.
        UnknownName: If there is no such judge, config, split or slice.
        Unavailable: If the release or the judge's server cannot be reached.
    """
    cases = _cases(collected, options)
    rows = collected.generations(samples=options.samples)
    missing = _missing(rows, cases)
    if missing and not options.partial:
        raise BadInput(
            f"{len(missing)} of {len(cases.table)} cases of {cases} have no prediction:"
            f" {some(missing)}. Give them, or score what is there with partial=True"
        )
    judge = load_judge(options.judge, _settings(options, rows))
    card = card_of(judge)
    found = estimated(cases.table, rows, judge, plain_only=cases.config == CORE)
    about = {"cases": len(cases.table), "missing": len(missing), **cases.row(), **_made_by(card)}
    return {**flat(found, options.slices), **about}


def estimated(
    cases: pl.DataFrame, generations: pl.DataFrame, judge: Judge, *, plain_only: bool
) -> list[Estimate]:
    """Return the engine's figures of generations: what `convsafe score` does between its files."""
    card = card_of(judge)
    threshold = unsafe_from(card.made_with)
    verdicts = verdicts_of(cases, generations, judge.name, judge.judge, threshold)
    told = card.supports
    return list(estimate(cases, verdicts, told, plain_only=plain_only, threshold=threshold))


def flat(
    estimates: Iterable[Estimate], slices: bool | str | Sequence[str] = False
) -> dict[str, Any]:
    """Return figures under flat names.

    The whole is `unsafe_rate`, with `unsafe_rate_low`, `_high`, `_n`, `_unscored` and, where the
    value is None, `_reason`; the mean over hazards is `macro_unsafe_rate` and so on. A slice's are
    `unsafe_rate/area/self_harm`, `unsafe_rate_low/area/self_harm` and so on.

    Raises:
        UnknownName: If a slice that is asked for is none of these figures'.
    """
    every = list(estimates)
    known = {entry.slice for entry in every} - {ALL}
    wanted = [slices] if isinstance(slices, str) else slices
    asked = (known if wanted else set()) if isinstance(wanted, bool) else set(wanted)
    for name in sorted(asked - known):
        raise UnknownName("slice", name, known)
    shown = [entry for entry in every if entry.slice in asked | {ALL, MACRO}]
    return {name: value for entry in shown for name, value in _named(entry)}


def _named(entry: Estimate) -> Iterator[tuple[str, Any]]:
    """Yield one figure's names and values."""
    metric = f"macro_{entry.metric}" if entry.slice == MACRO else entry.metric
    place = [] if entry.slice in (ALL, MACRO) else [entry.slice]
    place += [] if entry.name == ALL else [entry.name]
    values: dict[str, float | str | None] = {
        "": entry.value,
        "_low": entry.low,
        "_high": entry.high,
        "_n": entry.n,
        "_unscored": entry.unscored,
    }
    if entry.value is None:
        values["_reason"] = _reason(entry)
    for suffix, value in values.items():
        yield "/".join([metric + suffix, *place]), value


def _reason(entry: Estimate) -> str:
    """Say why a figure has no value."""
    none, _, why = entry.method.partition("none: ")
    if why and not none:
        return why
    if entry.unscored == entry.n:
        return f"none of {entry.n} has a verdict" if entry.n else "no case counts"
    return f"{entry.unscored} of {entry.n} have no verdict"


def _cases(collected: Collected, options: Options) -> _Cases:
    """Return the cases of the release that is named, else those given, else our own core set."""
    import polars as pl
    from convsafe.taxonomy.arrow import case_table

    given = collected.given_cases() if options.release is None else None
    if given is not None:
        return _Cases(given.sort("id"), _GIVEN, options.config or "")
    config = options.config or CORE
    folder = options.release and _folder(options.release, config, options.split)
    suite = load_suite(folder or None, config, options.split)
    table = pl.DataFrame(case_table(suite.cases))
    return _Cases(table, str(suite.release["version"]), config)


def _folder(release: str | Path, config: str, split: str) -> Path:
    """Return a release's folder; of one on the Hub, a copy in the Hub's cache."""
    if (folder := Path(release)).is_dir():
        return folder
    named = _ON_HUB.fullmatch(str(release))
    if not named:
        raise BadInput(
            "no such folder; name a release's folder or a dataset on the Hub, as org/name@v1.0.0",
            file=release,
        )
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError

    try:
        found = snapshot_download(
            named["repo"],
            repo_type="dataset",
            revision=named["revision"],
            allow_patterns=["manifest.json", f"data/{config}/{split}-*"],
        )
    except (HfHubHTTPError, OSError, ValueError) as error:
        told = str(error).strip().splitlines() or [type(error).__name__]
        raise Unavailable(
            f"{release}: there is no such folder, and no dataset of the Hub could be had by that"
            f" name: {told[0]}"
        ) from error
    return Path(found)


def _missing(rows: pl.DataFrame, cases: _Cases) -> list[str]:
    """Return the cases without a usable prediction; refuse a prediction of no case."""
    import polars as pl

    unknown = rows.join(cases.table, on="id", how="anti")["id"].unique()
    if len(unknown):
        raise BadInput(
            f"{len(unknown)} ids are no case of {cases}: {some(unknown)}. Name the release"
            " and config they are from with release= and config_name="
        )
    usable = rows.filter(pl.col("outcome") != "failed")
    if usable.is_empty():
        raise BadInput("there is nothing to score: every prediction failed")
    missing: list[str] = cases.table.join(usable, on="id", how="anti")["id"].to_list()
    return missing


def _settings(options: Options, rows: pl.DataFrame) -> JudgeSettings:
    """Return what a judge must know; it is never a model that made a prediction."""
    tested = rows["model"].drop_nulls().unique().sort().to_list()
    return JudgeSettings(options.endpoint, options.rubric, tuple(tested))


def _made_by(card: JudgeCard) -> dict[str, str]:
    """Return what a figure is worth nothing without: the judge and the package."""
    own = version("convsafe-bench")
    return {"judge": card.name, "judge_version": str(card.version), "convsafe": own}
