"""Measure a judge on labelled replies: figures with intervals, slices, and keyword lists beside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convsafe.benchmark.agreement import Agreement, agreement, labelled
from convsafe.benchmark.counted_rows import Compared, counted
from convsafe.benchmark.judge_file import judge_rows, never_of
from convsafe.benchmark.keyword_judges import BASELINES, load_baseline
from convsafe.benchmark.loading import (
    DEFAULT,
    NOTHING,
    Judge,
    JudgeSettings,
    load_judge,
    unsafe_from,
)
from convsafe.benchmark.parts import Part, graded_part, harm_part, stance_part, told
from convsafe.benchmark.tables import text_of
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.files import sha256_of

if TYPE_CHECKING:
    import polars as pl
    from convsafe.benchmark.bootstrap import Floats, Ints

LENGTH = "reply length"
# Stands for the stance of a reply that nobody labelled.
_NOBODY = "unlabelled"


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


def recorded(found: Evaluation) -> dict[str, Any]:
    """Return what a judge's card holds of an evaluation beside its agreement."""
    more: dict[str, Any] = {"intervals": found.whole.to_row()["figures"]}
    if found.of["left_out"] or found.of["seen"]:
        more |= {name: found.of[name] for name in ("seen", "left_out")}
    if found.of["weighted"] is not None:
        more["weighted"] = found.of["weighted"]
    if found.harm is not None and found.harm.figures:
        row = found.harm.to_row()
        told_of = ("n", "unscored", "figures", "counts")
        more["harm"] = {name: row[name] for name in told_of if name in row}
    return more


def evaluate(
    path: Path,
    label: str,
    *,
    judge: str = DEFAULT,
    prompt: str | None = None,
    response: str | None = None,
    id: str | None = None,
    labels: Mapping[str, str] | None = None,
    skip: Sequence[str] = (),
    unsafe: str | None = None,
    graded: str | None = None,
    level: str = "turn",
    group: str | None = None,
    by: Sequence[str] = (),
    include_seen: bool = False,
    settings: JudgeSettings = NOTHING,
) -> Evaluation:
    """Measure a judge on a labelled file, with intervals over equal prompts.

    Rows that the judge was fitted on are judged, and left out of every figure; rows with an empty
    label, whose stance nobody said, are not judged, and `of` has how many. Where there is a
    column `inclusion_probability`, a row counts 1 / p in all figures but correlations, so that
    these are of what was drawn from (Horvitz and Thompson, 1952).

    Args:
        path: A CSV, JSON, JSONL or Parquet file.
        label: The column of human labels.
        judge: The judge's name, or a keyword baseline's.
        prompt: The column of requests; guessed by usual names.
        response: The column of replies; guessed by usual names.
        id: The column of ids.
        labels: What each label value means as a stance; usual values are known.
        skip: Label values whose rows are left out.
        unsafe: A column that says whether a reply is harmful, for a judge that tells `unsafe`;
            empty where nobody said.
        graded: A column of numbers to correlate the judge with.
        level: What a grade is of: turn, or dialogue or system, whose means are correlated.
        group: The column that tells dialogues or systems apart.
        by: Columns to slice by.
        include_seen: Count the rows that the judge was fitted on too.
        settings: What a judge that asks a server needs to know; the values of a `model` column are
            models it may not be.

    Raises:
        UnknownName: If there is no judge of that name.
        BadInput: On a column, label or row that cannot be used, a judge that scored nothing, or
            one that was fitted on every row.
    """
    rows = labelled(
        path,
        label,
        prompt=prompt,
        response=response,
        id=id,
        labels={"": _NOBODY, **(labels or {})},
        skip=skip,
    )
    every, unlabelled = _said(path, label, rows)
    found = load_judge(judge, never_of(every["own"].struct.unnest(), settings))
    _check(path, found, every, unsafe, by)
    how = Compared(unsafe, graded, level, group, include_seen)
    these = counted(path, found, every, how)
    rows, clusters, harmful, grades = these.rows, these.clusters, these.harmful, these.grades
    judged, some = these.judged(found)
    verdicts = _scored(path, found.name, some)
    threshold = unsafe_from(found.made_with)
    return Evaluation(
        of=_of(path, found, label, rows, unsafe, graded) | these.of() | {"unlabelled": unlabelled},
        agreement=agreement(
            rows["label"].to_list(), verdicts["stance"].to_list(), rows["weight"].to_list()
        ),
        whole=stance_part("all", found.name, rows, verdicts, clusters),
        harm=None if harmful is None else harm_part(rows, verdicts, harmful, clusters, threshold),
        graded=None
        if grades is None
        else graded_part(verdicts, grades, clusters, level, these.groups),
        slices=_slices(rows, verdicts, clusters, by),
        baselines=_baselines(rows, judge, clusters),
        verdicts=judged,
        probabilities=None if harmful is None else _probabilities(verdicts, harmful),
    )


def _said(path: Path, label: str, rows: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """Return the rows whose stance somebody said, if there are any, and how many others."""
    said = rows.filter(rows["label"] != _NOBODY)
    if said.is_empty():
        raise BadInput(f"column {label!r} is empty: nobody said a stance", file=path)
    return said, len(rows) - len(said)


def _probabilities(verdicts: pl.DataFrame, harmful: Floats) -> tuple[Floats, Floats]:
    """Return the probabilities that there are, and the labels of their rows."""
    _, kept = told(verdicts, harmful)
    return verdicts["unsafe"].to_numpy().astype(float)[kept], harmful[kept]


def _check(
    path: Path, judge: Judge, rows: pl.DataFrame, unsafe: str | None, by: Sequence[str]
) -> None:
    tells, own, name = judge.TELLS, rows["own"].struct.fields, judge.name
    if "stance" not in tells:
        raise BadInput(
            f"judge {name!r} tells no stance to compare with the labels: leave --label out and give"
            " --unsafe or --graded"
        )
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
            found.append(stance_part(title, value, rows.filter(kept), verdicts.filter(kept), part))
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
    found = {name: judge_rows(rows, load_baseline(name)) for name in names}
    return [stance_part("baseline", name, rows, found[name], clusters) for name in names]
