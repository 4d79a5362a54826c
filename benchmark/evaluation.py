"""Measure a judge on labelled replies: figures with intervals, slices, and keyword lists beside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convsafe.benchmark.agreement import Agreement, agreement, labelled
from convsafe.benchmark.bootstrap import Figure, bootstrap, cluster_numbers
from convsafe.benchmark.judge_file import judge_rows, never_of
from convsafe.benchmark.keyword_judges import BASELINES, load_baseline
from convsafe.benchmark.label_columns import booleans, numbers
from convsafe.benchmark.loading import NOTHING, Judge, JudgeSettings, load_judge
from convsafe.benchmark.measures import UNSCORED, graded_measure, harm_measure, stance_measure
from convsafe.benchmark.tables import text_of
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.files import sha256_of

if TYPE_CHECKING:
    import polars as pl
    from convsafe.benchmark.bootstrap import Floats, Ints

LENGTH = "reply length"
# What a stance is worth beside a grade of harm, where a judge tells no probability.
_WORTH = {"refusal": 0.0, "partial": 0.5, "compliance": 1.0}


@dataclass(frozen=True)
class Part:
    """Figures of some rows: all of them, a slice, or those of another judge."""

    by: str
    name: str
    n: int
    unscored: int
    figures: Mapping[str, Figure]

    def to_row(self) -> dict[str, Any]:
        """Return the part as one JSON object."""
        figures = {name: figure.to_row() for name, figure in self.figures.items()}
        head = {"by": self.by, "name": self.name, "n": self.n, "unscored": self.unscored}
        return {**head, "figures": figures}


@dataclass(frozen=True)
class Evaluation:
    """A judge measured on one labelled file; `of` says which rows and columns."""

    of: Mapping[str, Any]
    agreement: Agreement
    whole: Part
    harm: Part | None
    graded: Part | None
    slices: Sequence[Part]
    baselines: Sequence[Part]
    verdicts: pl.DataFrame
    probabilities: tuple[Floats, Floats] | None

    def to_row(self) -> dict[str, Any]:
        """Return all figures as one JSON object."""
        parts = {"harm": self.harm, "graded": self.graded}
        return {
            **self.agreement.to_row(),
            "of": dict(self.of),
            "intervals": self.whole.to_row()["figures"],
            **{name: part.to_row() if part else None for name, part in parts.items()},
            "slices": [part.to_row() for part in self.slices],
            "baselines": [part.to_row() for part in self.baselines],
            "baseline_notes": {p.name: load_baseline(p.name).notes for p in self.baselines},
        }


def evaluate(
    path: Path,
    label: str,
    *,
    judge: str = "rules",
    prompt: str | None = None,
    response: str | None = None,
    id: str | None = None,
    labels: Mapping[str, str] | None = None,
    skip: Sequence[str] = (),
    unsafe: str | None = None,
    graded: str | None = None,
    by: Sequence[str] = (),
    settings: JudgeSettings = NOTHING,
) -> Evaluation:
    """Measure a judge on a labelled file, with intervals over equal prompts.

    Args:
        path: A CSV, JSON, JSONL or Parquet file.
        label: The column of human labels.
        judge: The judge's name, or a keyword baseline's.
        prompt: The column of requests; guessed by usual names.
        response: The column of replies; guessed by usual names.
        id: The column of ids.
        labels: What each label value means as a stance; usual values are known.
        skip: Label values whose rows are left out.
        unsafe: A column that says whether a reply is harmful, for a judge that tells `unsafe`.
        graded: A column of numbers to correlate the judge with.
        by: Columns to slice by.
        settings: What a judge that asks a server needs to know; the values of a `model` column are
            models it may not be.

    Raises:
        UnknownName: If there is no judge of that name.
        BadInput: On a column, label or row that cannot be used, or a judge that scored nothing.
    """
    rows = labelled(
        path, label, prompt=prompt, response=response, id=id, labels=labels or {}, skip=skip
    )
    found = load_judge(judge, never_of(rows["own"].struct.unnest(), settings))
    _check(path, found, rows, unsafe, by)
    clusters = cluster_numbers(rows["prompt"].fill_null("").to_list())
    # Columns are read before the judge runs: a wrong one is told at once.
    harmful = booleans(path, rows, unsafe) if unsafe else None
    grades = numbers(path, rows, graded) if graded else None
    verdicts = _scored(path, found.name, judge_rows(rows, found))
    probabilities = None if harmful is None else _known(verdicts["unsafe"], harmful)
    return Evaluation(
        of=_of(path, found, label, rows, unsafe, graded),
        agreement=agreement(rows["label"].to_list(), verdicts["stance"].to_list()),
        whole=_part("all", found.name, rows, verdicts, clusters),
        harm=None if harmful is None else _harm(verdicts, harmful, clusters),
        graded=None if grades is None else _graded(verdicts, grades, clusters),
        slices=_slices(rows, verdicts, clusters, by),
        baselines=_baselines(rows, judge, clusters),
        verdicts=verdicts,
        probabilities=probabilities,
    )


def _check(
    path: Path, judge: Judge, rows: pl.DataFrame, unsafe: str | None, by: Sequence[str]
) -> None:
    tells, own, name = judge.TELLS, rows["own"].struct.fields, judge.name
    if "stance" not in tells:
        raise BadInput(f"judge {name!r} tells no stance to compare with the labels")
    if unsafe and "unsafe" not in tells:
        raise BadInput(f"judge {name!r} tells no `unsafe`: leave --unsafe out, or name another")
    for column in by:
        if column not in own:
            raise BadInput(f"no column {column!r}; there are {', '.join(own)}", file=path)
        text_of(path, rows["own"].struct.unnest(), column)


def _scored(path: Path, judge: str, verdicts: pl.DataFrame) -> pl.DataFrame:
    """Return the verdicts if there is a stance at all."""
    if verdicts["stance"].is_null().all():
        why = verdicts["unscored_reason"].drop_nulls().to_list() or ["it gave no stance"]
        raise BadInput(
            f"judge {judge!r} scored none of {len(verdicts)} replies: {why[0]}", file=path
        )
    return verdicts


def _of(
    path: Path, judge: Judge, label: str, rows: pl.DataFrame, unsafe: str | None, graded: str | None
) -> dict[str, Any]:
    """Say what was measured, on what, and when."""
    return {
        "judge": judge.name,
        "judge_version": judge.VERSION,
        "judge_summary": judge.SUMMARY,
        **({"judge_made_with": judge.made_with} if judge.made_with else {}),
        "file": path.name,
        "sha256": sha256_of(path),
        "label": label,
        "unsafe": unsafe,
        "graded": graded,
        "prompts": rows["prompt"].n_unique(),
        "date": date.today().isoformat(),
    }


def _part(by: str, name: str, rows: pl.DataFrame, verdicts: pl.DataFrame, clusters: Ints) -> Part:
    """Return the figures of stances over some rows."""
    stances = verdicts["stance"].fill_null(UNSCORED).to_list()
    clusters = cluster_numbers(clusters)
    figures = bootstrap(clusters, stance_measure(rows["label"].to_list(), stances, clusters))
    return Part(by, name, len(rows), stances.count(UNSCORED), figures)


def _known(values: pl.Series, other: Floats) -> tuple[Floats, Floats]:
    """Return the values that are there, and the others of their rows."""
    kept = values.is_not_null().to_numpy()
    return values.to_numpy().astype(float)[kept], other[kept]


def _harm(verdicts: pl.DataFrame, harmful: Floats, clusters: Ints) -> Part:
    """Return the figures of probabilities; rows without one are unscored."""
    kept = verdicts["unsafe"].is_not_null().to_numpy()
    score, truth = _known(verdicts["unsafe"], harmful)
    figures = _figures(harm_measure, score, truth, clusters[kept])
    return Part("harm", "unsafe", len(verdicts), int((~kept).sum()), figures)


def _graded(verdicts: pl.DataFrame, grades: Floats, clusters: Ints) -> Part:
    """Return the correlations of grades with `unsafe`, or with the stance where it is not told."""
    import polars as pl

    told = "unsafe" if verdicts["unsafe"].is_not_null().any() else "stance"
    worth = verdicts["stance"].replace_strict(_WORTH, default=None, return_dtype=pl.Float64)
    values = verdicts["unsafe"] if told == "unsafe" else worth
    kept = values.is_not_null().to_numpy()
    figures = _figures(graded_measure, *_known(values, grades), clusters[kept])
    return Part("graded", told, len(verdicts), int((~kept).sum()), figures)


def _figures(measure: Any, score: Floats, truth: Floats, clusters: Ints) -> dict[str, Figure]:
    """Return figures with intervals; none where nothing was scored."""
    if not len(score):
        return {}
    clusters = cluster_numbers(clusters)
    return bootstrap(clusters, measure(score, truth, clusters))


def _slices(
    rows: pl.DataFrame, verdicts: pl.DataFrame, clusters: Ints, by: Sequence[str]
) -> list[Part]:
    """Return the figures by thirds of reply length, and by each column's values."""
    own = rows["own"].struct
    groups = [(LENGTH, _thirds(rows["response"]))]
    groups += [(name, _named(own.field(name))) for name in by]
    found = []
    for title, values in groups:
        for value in values.unique().sort():
            kept = values == value
            part = clusters[kept.to_numpy()]
            found.append(_part(title, value, rows.filter(kept), verdicts.filter(kept), part))
    return found


def _named(values: pl.Series) -> pl.Series:
    """Return values as names of slices."""
    import polars as pl

    return pl.Series(values.name, values.cast(pl.String)).fill_null("(none)")


def _thirds(replies: pl.Series) -> pl.Series:
    """Name the third of length that each reply is in; equal lengths are in the same."""
    import polars as pl

    size = replies.fill_null("").str.len_chars()
    first, second = (int(size.quantile(share, "nearest") or 0) for share in (1 / 3, 2 / 3))
    names = [f"1 up to {first} characters", f"2 up to {second} characters", "3 longer"]
    frame = pl.DataFrame({"size": size})
    short, middle = pl.col("size") <= first, pl.col("size") <= second
    place = pl.when(short).then(pl.lit(names[0])).when(middle).then(pl.lit(names[1]))
    return frame.select(third=place.otherwise(pl.lit(names[2])))["third"]


def _baselines(rows: pl.DataFrame, judge: str, clusters: Ints) -> list[Part]:
    """Return the figures of the keyword lists on the same rows."""
    names = [name for name in BASELINES.names() if name != judge]
    return [
        _part("baseline", name, rows, judge_rows(rows, load_baseline(name)), clusters)
        for name in names
    ]
