"""Set the built-in judges beside peers on replies that people labelled and no fit has seen.

Run `python -m convsafe.benchmark.perf.agreeing --labels LABELS.parquet`, where `convsafe labels`
wrote the file. One prompt in three of each set is kept from every fit; on the replies to these are
measured the offline judges, the published lists of refusal strings, and a plain scikit-learn
pipeline (TF-IDF over words and pairs, logistic regression) that was fitted on the other two thirds
of that same set and on nothing else: it knows what its set calls a refusal and no more. κ is of
refused or not, partial counted as refused; intervals are 95 % over whole prompts.

A second table says how many replies of sets of talk and advice each judge calls a refusal, partial
counted. Nobody labelled those, but people hardly ever refuse there: a high share is false alarm.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convsafe.benchmark.bootstrap import cluster_numbers
from convsafe.benchmark.fit.rows import STANCES, TALK, fitting_rows, weighing
from convsafe.benchmark.keyword_judges import BASELINES
from convsafe.benchmark.loading import load_judge
from convsafe.benchmark.parts import stance_part
from convsafe.benchmark.perf.judging import fitted_pipeline
from convsafe.benchmark.perf.measure import machine, print_table
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.files import write_json

if TYPE_CHECKING:
    import polars as pl

JUDGES = ("embedded", "rules")
PIPELINE = "TF-IDF and logistic regression, fitted on this set alone"


def main() -> None:
    """Print the table, and write it as JSON where `--out` says."""
    given = _arguments().parse_args()
    try:
        rows = fitting_rows(given.labels)
    except BadInput as error:
        raise SystemExit(f"Error: {error}") from error
    agreeing, called = compared(rows), called_refusals(rows)
    print_table(agreeing)
    print_table(called)
    if given.out:
        write_json(given.out, {**machine(), "rows": agreeing, "called_refusals": called})


def compared(rows: pl.DataFrame) -> list[dict[str, Any]]:
    """Return how far each judge agrees with people: one row a set and a judge.

    Args:
        rows: What `fitting_rows` returns.
    """
    import polars as pl

    stances = pl.col("stance").is_in(list(STANCES)) & pl.col("refused").is_not_null()
    told = rows.filter(~pl.col("noised"), stances)
    told = told.with_columns(label="stance", weight=pl.lit(1.0))
    sets = [name for name in sorted(set(told["source"])) if _of_people(name)]
    return [row for name in sets for row in _compared(name, told.filter(source=name))]


def _of_people(source: str) -> bool:
    """Tell sets of others that the judge is fitted on for refusal."""
    return not source.startswith("own_") and weighing(source).refused > 0


def _compared(name: str, rows: pl.DataFrame) -> Iterator[dict[str, Any]]:
    import polars as pl

    seen, unseen = rows.filter(~pl.col("kept")), rows.filter("kept")
    clusters = cluster_numbers(unseen["cluster"].to_list())
    for judge, stances in _told(seen, unseen):
        verdicts = pl.DataFrame({"stance": stances})
        kappa = stance_part("all", judge, unseen, verdicts, clusters).figures["binary_kappa"]
        figures = {
            key: None if (end := getattr(kappa, key)) is None else round(end, 2) + 0.0
            for key in ("value", "low", "high")
        }
        yield {"set": name, "n": len(unseen), "judge": judge, **figures}


def _told(seen: pl.DataFrame, unseen: pl.DataFrame) -> Iterator[tuple[str, list[str]]]:
    """Yield each judge with the stances it tells of the replies that are unseen."""
    exchanges = unseen.select("prompt", "response")
    for name in (*JUDGES, *BASELINES.names()):
        yield name, load_judge(name).judge(exchanges)["stance"].to_list()
    complied = fitted_pipeline(seen).predict(unseen["response"].to_list())
    yield PIPELINE, ["compliance" if one else "refusal" for one in complied]


def called_refusals(rows: pl.DataFrame) -> list[dict[str, Any]]:
    """Return what share of people's talk that is kept each judge calls refused: a row a set, judge.

    Args:
        rows: What `fitting_rows` returns.
    """
    import polars as pl

    found = []
    for name in TALK:
        talk = rows.filter(~pl.col("noised"), "kept", source=name).select("prompt", "response")
        for judge in (*JUDGES, *BASELINES.names()) if len(talk) else ():
            stances = load_judge(judge).judge(talk)["stance"].to_list()
            share = sum(one in ("refusal", "partial") for one in stances) / len(talk)
            found.append({"set": name, "n": len(talk), "judge": judge, "share": round(share, 3)})
    return found


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--labels", type=Path, default=Path("dist/labels/labels.parquet"))
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    return parser


if __name__ == "__main__":
    main()
