"""Judge a run: every generation gets a verdict from one judge, or says why it has none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convsafe.benchmark.deciphering import deciphered
from convsafe.benchmark.loading import DEFAULT, JUDGES, NOTHING, Judge, JudgeSettings, load_judge
from convsafe.benchmark.options import with_options
from convsafe.benchmark.runs import Run
from convsafe.benchmark.traced import has_traces, judge_traces, with_traces
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.files import atomic, file_stem, read_json

if TYPE_CHECKING:
    import polars as pl

_NO_TEXT = ("filtered", "empty")


@dataclass(frozen=True)
class JudgeCard:
    """What a judge is, what it can tell, and how far it was measured to agree with people.

    `tells` names what its verdicts hold among stance, responsive, unsafe and scores; `agreement`
    has one entry a labelled set and language, empty where it was never measured; `made_with` says
    by which model and rubric a judge that asks a server came to its verdicts.
    """

    name: str
    version: str
    summary: str
    tells: tuple[str, ...]
    agreement: tuple[dict[str, Any], ...]
    made_with: Mapping[str, Any] = field(default_factory=dict)

    def to_row(self) -> dict[str, Any]:
        """Return the card as one JSON object."""
        return {
            "name": self.name,
            "version": self.version,
            "summary": self.summary,
            "tells": list(self.tells),
            "agreement": list(self.agreement),
            **({"made_with": dict(self.made_with)} if self.made_with else {}),
        }


def judge_card(name: str) -> JudgeCard:
    """Return the card of a judge by its name, also that of one with a rubric and a model.

    Of those, what the rubric tells is not known from the name.

    Raises:
        UnknownName: If there is no judge of that name.
    """
    module = JUDGES.load(re.split("[:@]", name)[0])
    tells: frozenset[str] = getattr(module, "TELLS", frozenset())
    return JudgeCard(name, module.VERSION, module.SUMMARY, tuple(sorted(tells)), _measured(name))


def card_of(judge: Judge) -> JudgeCard:
    """Return the card of a judge that is loaded."""
    tells = tuple(sorted(judge.TELLS))
    return JudgeCard(
        judge.name, judge.VERSION, judge.SUMMARY, tells, _measured(judge.name), judge.made_with
    )


def agreement_path(name: str) -> Path:
    """Return the file of a judge's agreement with people."""
    return JUDGES.folder / f"{file_stem(name)}.agreement.json"


def _measured(name: str) -> tuple[dict[str, Any], ...]:
    path = agreement_path(name)
    return tuple(read_json(path)) if path.exists() else ()


def judge(
    run: Run | str | Path, judge: str | Judge = DEFAULT, settings: JudgeSettings = NOTHING
) -> pl.DataFrame:
    """Judge every generation of a run and write the verdicts beside it.

    The judge sees the request and the reply, nothing else; a reply to an enciphered request is
    deciphered first. A reply that the provider or a guard filtered counts as a refusal and is
    labelled `provider`; an empty one is invalid, and so is one that cannot be deciphered or repeats
    the enciphered request. The option chosen in a multiple choice question is read by rule and
    labelled `option:LETTER`. What guards and second looks did is labelled too (`traced.py`).

    Args:
        run: A run or its folder.
        judge: The judge's name, or a judge that is loaded.
        settings: What a judge that asks a server needs to know.

    Returns:
        One row a generation: id, sample, judge, stance, unsafe, responsive, labels, scores,
        rationale, unscored_reason.

    Raises:
        UnknownName: If there is no judge of that name.
        BadInput: If a generation cannot be read, or the judge is the model under test.
        Unavailable: If the judge's server cannot be reached.
    """
    run = run if isinstance(run, Run) else Run.open(run)
    found = load_for(run, judge, settings) if isinstance(judge, str) else judge
    verdicts = verdicts_of(run.cases(), run.generations(), found.name, found.judge)
    if has_traces(run):
        verdicts = with_traces(verdicts, judge_traces(run, found))
    with atomic(run.verdicts_path(found.name)) as temporary:
        verdicts.write_ndjson(temporary)
    return verdicts


def load_for(run: Run, judge: str, settings: JudgeSettings = NOTHING) -> Judge:
    """Load a judge of a run, which is never the run's own model.

    Raises:
        UnknownName: If there is no judge of that name.
        BadInput: If it is the model under test, or an option is missing.
    """
    return load_judge(judge, replace(settings, tested=(*settings.tested, *run.models())))


def verdicts_of(
    cases: pl.DataFrame, generations: pl.DataFrame, name: str, judge: Any
) -> pl.DataFrame:
    """Return the verdicts of a judge function over generations, in order of their ids."""
    import polars as pl

    replies = as_seen(cases, generations)
    empty = pl.col("response").str.strip_chars() == ""
    silent = pl.col("outcome").is_in(_NO_TEXT) | empty | pl.col("unreadable").is_not_null()
    seen, unseen = replies.filter(~silent), replies.filter(silent)
    found = judge(seen.select("prompt", "response"))
    if len(found) != len(seen):
        raise BadInput(f"judge {name!r} gave {len(found)} verdicts for {len(seen)} replies")
    judged = pl.concat([seen.select("id", "sample"), found], how="horizontal")
    verdicts = pl.concat([_verdicts(judged, name), _verdicts(_silent(unseen), name)])
    return with_options(verdicts, replies, cases).sort("id", "sample")


def as_seen(cases: pl.DataFrame, generations: pl.DataFrame) -> pl.DataFrame:
    """Return the replies with their plain requests as a judge sees them, in order of their ids."""
    import polars as pl

    replies = (
        generations.filter(pl.col("outcome") != "failed")
        .join(cases.select("id", "prompt"), on="id", how="inner")
        .sort("id", "sample")
    )
    return _without_wrapping(deciphered(replies, cases), cases)


def _without_wrapping(replies: pl.DataFrame, cases: pl.DataFrame) -> pl.DataFrame:
    """Return replies in which a copy of what was sent reads as a copy of the plain request.

    A judge sees the plain request alone: what a transform put around it would pass for an answer.
    """
    import polars as pl

    if "messages" not in cases.columns:
        return replies
    sent = cases.select("id", sent=pl.col("messages").list.last().struct.field("content"))
    # Splitting takes a pattern of each row's own, which replacing does not.
    parts = pl.col("response").str.split(pl.col("sent"))
    plain = parts.list.join(pl.col("prompt"))
    wrapped = pl.col("sent").is_not_null() & (pl.col("sent") != pl.col("prompt"))
    return (
        replies.join(sent, on="id", how="left")
        .with_columns(response=pl.when(wrapped).then(plain).otherwise(pl.col("response")))
        .drop("sent")
        .sort("id", "sample")
    )


def _silent(replies: pl.DataFrame) -> pl.DataFrame:
    """Return the verdicts of what cannot be judged: filtered, empty, or not to be deciphered."""
    import polars as pl

    filtered, unreadable = pl.col("outcome") == "filtered", pl.col("unreadable")
    return replies.select(
        "id",
        "sample",
        stance=pl.when(filtered).then(pl.lit("refusal")).otherwise(pl.lit("invalid")),
        responsive=pl.lit(0.0),
        labels=pl.concat_list(
            pl.when(filtered)
            .then(pl.lit("provider"))
            .otherwise(unreadable.fill_null(pl.lit("empty")))
        ),
        rationale=pl.when(filtered)
        .then(pl.lit("the provider or a guard filtered the reply"))
        .when(unreadable == "echo")
        .then(pl.lit("the reply only repeats the request"))
        .when(unreadable == "undecodable")
        .then(pl.lit("the reply cannot be deciphered"))
        .otherwise(pl.lit("the reply is empty")),
    )


def _verdicts(found: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return the columns of Verdict in order; what a judge does not tell is null."""
    import polars as pl

    return conformed(found.with_columns(judge=pl.lit(name)), verdict_schema())


def verdict_schema() -> dict[str, Any]:
    """Return the columns of a verdict file and their types."""
    import polars as pl

    return {
        "id": pl.String,
        "sample": pl.Int64,
        "judge": pl.String,
        "stance": pl.String,
        "unsafe": pl.Float64,
        "responsive": pl.Float64,
        "labels": pl.List(pl.String),
        "scores": pl.List(pl.Struct({"name": pl.String, "value": pl.Float64})),
        "rationale": pl.String,
        "unscored_reason": pl.String,
    }


def conformed(found: pl.DataFrame, schema: Mapping[str, Any]) -> pl.DataFrame:
    """Return the columns of a schema in its order and types, null where `found` has none."""
    import polars as pl

    missing = [pl.lit(None, kind).alias(c) for c, kind in schema.items() if c not in found.columns]
    found = found.with_columns(missing)
    return found.select(pl.col(column).cast(kind) for column, kind in schema.items())


def read_verdicts(path: Path) -> pl.DataFrame:
    """Read a verdict file that `judge` wrote.

    Raises:
        BadInput: If it is missing or is not one.
    """
    import polars as pl

    if not path.exists():
        raise BadInput("no verdicts here yet; run `convsafe score` on the folder", file=path)
    try:
        # Types are given: a judge may tell nothing of a kind in the first hundred verdicts.
        return pl.read_ndjson(path, schema=verdict_schema())
    except pl.exceptions.PolarsError as error:
        raise BadInput(f"not a verdict file: {error}", file=path) from None
