"""Measure a judge on labelled replies: figures with intervals, slices, and keyword lists beside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convsafe.benchmark.agreement import Agreement, LabelledFile, agreement
from convsafe.benchmark.counted_rows import STANCES_ALONE, Compared, Counted, counted
from convsafe.benchmark.judge_file import judge_rows, never_of
from convsafe.benchmark.keyword_judges import BASELINES, load_baseline
from convsafe.benchmark.loading import DEFAULT, NOTHING, Judge, JudgeSettings, load_judge
from convsafe.benchmark.parts import Part, stance_part, told
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
    file: LabelledFile,
    how: Compared = STANCES_ALONE,
    *,
    judge: str = DEFAULT,
    by: Sequence[str] = (),
    settings: JudgeSettings = NOTHING,
) -> Evaluation:
    """Measure a judge on a labelled file, with intervals over equal prompts.

    Rows that the judge was fitted on are judged, and left out of every figure; rows with an empty
    label, whose stance nobody said, are not judged, and `of` has how many. Where there is a
    column `inclusion_probability`, a row counts 1 / p in all figures but correlations, so that
    these are of what was drawn from (Horvitz and Thompson, 1952).

    Args:
        file: The file, with labels of stance.
        how: What the judge is compared with beside them, and which rows count.
        judge: The judge's name, or a keyword baseline's.
        by: Columns to slice by.
        settings: What a judge that asks a server needs to know; the values of a `model` column are
            models it may not be.

    Raises:
        UnknownName: If there is no judge of that name.
        BadInput: On a column, label or row that cannot be used, a judge that scored nothing, or
            one that was fitted on every row.
    """
    every, unlabelled = _said(file)
    found = load_judge(judge, never_of(every["own"].struct.unnest(), settings))
    _check(file.path, found, every, how.unsafe, by)
    these = counted(file.path, found, every, how)
    of = _of(file, found, these) | {"unlabelled": unlabelled}
    return _measured(file.path, found, these, by, of)


def _said(file: LabelledFile) -> tuple[pl.DataFrame, int]:
    """Return the rows whose stance somebody said, if there are any, and how many others."""
    rows = replace(file, labels={"": _NOBODY, **file.labels}).rows()
    said = rows.filter(rows["label"] != _NOBODY)
    if said.is_empty():
        raise BadInput(f"column {file.label!r} is empty: nobody said a stance", file=file.path)
    return said, len(rows) - len(said)


def _measured(
    path: Path, judge: Judge, these: Counted, by: Sequence[str], of: Mapping[str, Any]
) -> Evaluation:
    """Judge the rows, and return all figures of those that count."""
    judged, some = these.judged(judge)
    verdicts = _scored(path, judge.name, some)
    rows, clusters = these.rows, these.clusters
    labels, weights = rows["label"].to_list(), rows["weight"].to_list()
    return Evaluation(
        of=of,
        agreement=agreement(labels, verdicts["stance"].to_list(), weights),
        whole=stance_part("all", judge.name, rows, verdicts, clusters),
        harm=these.harm(judge, verdicts),
        graded=these.graded(verdicts),
        slices=_slices(rows, verdicts, clusters, by),
        baselines=_baselines(rows, judge.name, clusters),
        verdicts=judged,
        probabilities=_probabilities(verdicts, these.harmful),
    )


def _probabilities(verdicts: pl.DataFrame, harmful: Floats | None) -> tuple[Floats, Floats] | None:
    """Return the probabilities that there are, and the labels of their rows."""
    if harmful is None:
        return None
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


def _of(file: LabelledFile, judge: Judge, these: Counted) -> dict[str, Any]:
    """Say what is measured, on what, and when."""
    return {
        "judge": judge.name,
        "judge_version": judge.VERSION,
        "judge_summary": judge.SUMMARY,
        **({"judge_made_with": judge.made_with} if judge.made_with else {}),
        "file": file.path.name,
        "sha256": sha256_of(file.path),
        "label": file.label,
        "unsafe": these.how.unsafe,
        "graded": these.how.graded,
        "prompts": these.rows["prompt"].n_unique(),
        "date": date.today().isoformat(),
        **these.of(),
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
