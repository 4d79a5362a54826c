"""Measure what a judge tells in numbers, without stances: harm, or one score of a rubric."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convsafe.benchmark.counted_rows import Compared, Counted, counted
from convsafe.benchmark.judge_file import never_of
from convsafe.benchmark.loading import DEFAULT, JUDGES, NOTHING, Judge, JudgeSettings, load_judge
from convsafe.benchmark.parts import Part
from convsafe.benchmark.rubric_files import load_rubric
from convsafe.benchmark.tables import exchanges, read_table
from convsafe.taxonomy.errors import BadInput, UnknownName
from convsafe.taxonomy.files import sha256_of

if TYPE_CHECKING:
    import polars as pl

_TALK = ("drift", "monopolisation")
# The scores that judges give of their own, beside those of a rubric where they go by one.
_OWN = {
    "consensus": _TALK,
    "embedded": ("toxicity_proxy",),
    "majority_vote": ("agreement",),
    "qwen3_guard": ("controversial", "safe", "unsafe"),
    "voting": _TALK,
    "wildguard": ("harmful_request", "harmful_response", "response_refusal"),
}
# Guards that give a score a category.
_BY_CATEGORY = ("openai_moderation", "shieldgemma")


@dataclass(frozen=True)
class NumberEvaluation:
    """A judge's numbers measured on one labelled file; `of` says which rows and columns."""

    of: Mapping[str, Any]
    parts: tuple[Part, ...]
    verdicts: pl.DataFrame

    def to_row(self) -> dict[str, Any]:
        """Return all figures as one JSON object."""
        return {"of": dict(self.of), **{part.by: part.to_row() for part in self.parts}}


def evaluate_numbers(
    path: Path,
    how: Compared,
    *,
    judge: str = DEFAULT,
    score: str | None = None,
    prompt: str | None = None,
    response: str | None = None,
    id: str | None = None,
    settings: JudgeSettings = NOTHING,
) -> NumberEvaluation:
    """Measure a judge's numbers on a labelled file, with intervals over equal prompts.

    Rows that the judge was fitted on, and a column `inclusion_probability`, count as they do in
    `evaluate`.

    Args:
        path: A CSV, JSON, JSONL or Parquet file.
        how: What the judge is compared with, and which rows count.
        judge: The judge's name.
        score: Which of the judge's scores is graded; by default `unsafe`.
        prompt: The column of requests; guessed by usual names.
        response: The column of replies; guessed by usual names.
        id: The column of ids.
        settings: What a judge that asks a server needs to know; the values of a `model` column are
            models it may not be.

    Raises:
        UnknownName: If there is no judge, or no score, of that name.
        BadInput: On a column that cannot be used, a judge that scored nothing, or one that was
            fitted on every row.
    """
    table = read_table(path)
    every = exchanges(path, table, prompt=prompt, response=response, id=id)
    every = every.with_columns(table.to_struct("own")).with_row_index("row", offset=1)
    found = load_judge(judge, never_of(table, settings))
    _check(found, how, score)
    if score is not None:
        _check_score(judge, found, score, settings)
    these = counted(path, found, every, how)
    judged, some = these.judged(found)
    parts = _parts(found, these, _scored(path, found.name, some), score)
    return NumberEvaluation(_of(path, found, these, score), parts, judged)


def _parts(
    judge: Judge, these: Counted, verdicts: pl.DataFrame, score: str | None
) -> tuple[Part, ...]:
    """Return the figures of harm, of one score, or of both, whichever are compared."""
    harm = these.harm(judge, verdicts)
    graded = these.graded(verdicts.with_columns(unsafe=_values(verdicts, score)))
    graded = graded and replace(graded, name=score or "unsafe")
    return tuple(part for part in (harm, graded) if part)


def _check(judge: Judge, how: Compared, score: str | None) -> None:
    """Refuse what gives nothing to compare."""
    name, tells, unsafe, graded = judge.name, judge.TELLS, how.unsafe, how.graded
    if not unsafe and not graded:
        raise BadInput("give the column to compare with: --label, --unsafe or --graded")
    if score and not graded:
        raise BadInput(
            f"--score {score}: give the column to compare it with as --graded or --label"
        )
    if (unsafe or not score) and "unsafe" not in tells:
        raise BadInput(f"judge {name!r} tells no `unsafe`: compare one of its scores, as --score")


def _check_score(judge: str, found: Judge, score: str, settings: JudgeSettings) -> None:
    """Refuse a score that the judge does not give, before it is asked for anything."""
    known = _given_by(judge, settings)
    if not known and "scores" not in found.TELLS:
        told = ", ".join(sorted(found.TELLS))
        raise BadInput(f"judge {found.name!r} tells {told} and no scores: leave --score out")
    if known and score not in known:
        raise UnknownName("score", score, known)


def _given_by(judge: str, settings: JudgeSettings) -> set[str]:
    """Return the scores of a judge, as far as they are known before it is asked."""
    known = set(_OWN.get(judge, ()))
    if judge in _BY_CATEGORY:
        known |= set(JUDGES.load(judge).CATEGORIES)
    if settings.rubric is not None:
        rubric = load_rubric(settings.rubric)
        asked = {one.name for one in rubric.scores if not one.is_choice}
        known |= {*asked, *rubric.combined}
    return known


def _scored(path: Path, judge: str, verdicts: pl.DataFrame) -> pl.DataFrame:
    """Return the verdicts if there is one at all."""
    why = verdicts["unscored_reason"].drop_nulls()
    if len(why) == len(verdicts):
        raise BadInput(f"judge {judge!r} scored none of {len(why)} replies: {why[0]}", file=path)
    return verdicts


def _values(verdicts: pl.DataFrame, score: str | None) -> pl.Series:
    """Return one score a verdict, null where there is none."""
    import polars as pl

    if score is None:
        return verdicts["unsafe"]
    rows = [{s["name"]: s["value"] for s in row or ()} for row in verdicts["scores"].to_list()]
    if not any(score in row for row in rows):
        named = {name for row in rows for name in row}
        if not named:
            raise BadInput(f"no reply has the score {score!r}: the judge scored none of them")
        raise UnknownName("score", score, named)
    return pl.Series(score, [row.get(score) for row in rows], pl.Float64)


def _of(path: Path, judge: Judge, these: Counted, score: str | None) -> dict[str, Any]:
    """Say what is measured, and on what."""
    return {
        "judge": judge.name,
        "judge_version": judge.VERSION,
        "judge_made_with": judge.made_with,
        "file": path.name,
        "sha256": sha256_of(path),
        "unsafe": these.how.unsafe,
        "graded": these.how.graded,
        "score": score,
        **these.of(),
    }
