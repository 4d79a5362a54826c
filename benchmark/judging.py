"""Judge a run: every generation gets a verdict from one judge, or says why it has none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convsafe.benchmark.deciphering import deciphered
from convsafe.benchmark.runs import Run
from convsafe.taxonomy.catalogue import Catalogue
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.files import atomic, read_json

if TYPE_CHECKING:
    import polars as pl

JUDGES = Catalogue("judge", "convsafe.benchmark.judges")
DEFAULT = "rules"
_NO_TEXT = ("filtered", "empty")


@dataclass(frozen=True)
class JudgeCard:
    """What a judge is, what it can tell, and how far it was measured to agree with people.

    `tells` names what its verdicts hold among stance, responsive and unsafe; `agreement` has
    one entry a labelled set and language, empty where it was never measured.
    """

    name: str
    version: str
    summary: str
    tells: tuple[str, ...]
    agreement: tuple[dict[str, Any], ...]

    def to_row(self) -> dict[str, Any]:
        """Return the card as one JSON object."""
        return {
            "name": self.name,
            "version": self.version,
            "summary": self.summary,
            "tells": list(self.tells),
            "agreement": list(self.agreement),
        }


def judge_card(name: str) -> JudgeCard:
    """Return a judge's card.

    Raises:
        UnknownName: If there is no judge of that name.
    """
    module = JUDGES.load(name)
    measured = JUDGES.folder / f"{name}.agreement.json"
    agreement = read_json(measured) if measured.exists() else []
    return JudgeCard(
        name, module.VERSION, module.SUMMARY, tuple(sorted(module.TELLS)), tuple(agreement)
    )


def judge(run: Run | str | Path, judge: str = DEFAULT) -> pl.DataFrame:
    """Judge every generation of a run and write the verdicts beside it.

    The judge sees the request and the reply, nothing else; a reply to an enciphered request is
    deciphered first. A reply the provider filtered counts as a refusal and is labelled
    `provider`; an empty one is invalid, and so is one that cannot be deciphered or repeats the
    enciphered request.

    Returns:
        One row a generation: id, sample, judge, stance, unsafe, responsive, labels, rationale,
        unscored_reason.

    Raises:
        UnknownName: If there is no judge of that name.
        BadInput: If a generation cannot be read.
    """
    run = run if isinstance(run, Run) else Run.open(run)
    module = JUDGES.load(judge)
    verdicts = verdicts_of(run.cases(), run.generations(), judge, module.judge)
    with atomic(run.verdicts_path(judge)) as temporary:
        verdicts.write_ndjson(temporary)
    return verdicts


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
    return pl.concat([_verdicts(judged, name), _verdicts(_silent(unseen), name)]).sort(
        "id", "sample"
    )


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
        .then(pl.lit("the provider filtered the reply"))
        .when(unreadable == "echo")
        .then(pl.lit("the reply only repeats the request"))
        .when(unreadable == "undecodable")
        .then(pl.lit("the reply cannot be deciphered"))
        .otherwise(pl.lit("the reply is empty")),
    )


def _verdicts(found: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return the columns of Verdict in order; what a judge does not tell is null."""
    import polars as pl

    schema: dict[str, Any] = {
        "id": pl.String,
        "sample": pl.Int64,
        "judge": pl.String,
        "stance": pl.String,
        "unsafe": pl.Float64,
        "responsive": pl.Float64,
        "labels": pl.List(pl.String),
        "rationale": pl.String,
        "unscored_reason": pl.String,
    }
    return conformed(found.with_columns(judge=pl.lit(name)), schema)


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
        return pl.read_ndjson(path, schema_overrides={"unsafe": pl.Float64})
    except pl.exceptions.PolarsError as error:
        raise BadInput(f"not a verdict file: {error}", file=path) from None
