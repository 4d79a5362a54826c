"""Time offline judges on replies of 700 characters, one core each, beside peers.

Run `POLARS_MAX_THREADS=1 python -m convsafe.benchmark.perf.judging --labels LABELS.parquet`, where
`convsafe labels` wrote the file; replies of XSTest's labelled set with 700 characters or more are
cut to 700 and taken again and again. The peers are garak's `MitigationBypass` (its published list,
looked for one string after another as its detector does) and a plain scikit-learn pipeline of
TF-IDF over words and pairs with a logistic regression, fitted beforehand on the same replies. A
judge is loaded, and gives one verdict, before the clock starts: `load_s` says how long loading it
took once polars and numpy were there, and `first_s` how long the first verdict took then, for which
the lists of phrases are read.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convsafe.benchmark.perf.measure import Run, machine, measured, print_table, repeat, summary
from convsafe.taxonomy.files import write_json

if TYPE_CHECKING:
    import polars as pl

LENGTH = 700
_PEERS = ("garak MitigationBypass", "TF-IDF and logistic regression")


def main() -> None:
    """Print the table, and write it as JSON where `--out` says."""
    given = _arguments().parse_args()
    # Polars takes its number of threads from the environment of the new process.
    os.environ["POLARS_MAX_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"
    rows = [_row(name, given) for name in (*given.judge, *_PEERS)]
    print_table(rows)
    if given.out:
        write_json(given.out, {**machine(), "rows": rows})


def _row(name: str, given: argparse.Namespace) -> dict[str, Any]:
    runs = repeat(given.runs, _judged, name, given.labels, given.n)
    rates = sorted(round(given.n / run.seconds) for run in runs)
    spread = {
        "replies_per_s": rates[len(rates) // 2],
        "slowest": rates[0],
        "fastest": rates[-1],
        "load_s": max(run.value["load"] for run in runs),
        "first_s": max(run.value["first"] for run in runs),
    }
    return {"judge": name, "n": given.n, **spread, **_peak(runs)}


def _peak(runs: list[Run]) -> dict[str, Any]:
    found = summary(runs)
    return {"runs": found["runs"], "peak_mib": found["peak_mib"]}


def _judged(name: str, labels: Path, n: int) -> Run:
    import numpy  # noqa: F401

    replies = _replies(labels, n)
    started = time.perf_counter()
    work = _PREPARED[name](replies) if name in _PREPARED else _ours(name, replies)
    loaded = time.perf_counter()
    work(replies.head(1))
    first = time.perf_counter() - loaded
    run = measured(work, replies)
    return run._replace(value={"load": round(loaded - started, 2), "first": round(first, 2)})


def _replies(labels: Path, n: int) -> pl.DataFrame:
    """Return `n` rows of prompt and response, with the labels that the pipeline is fitted on."""
    import polars as pl

    rows = pl.read_parquet(labels).filter(
        pl.col("source") == "xstest", pl.col("response").str.len_chars() >= LENGTH
    )
    rows = rows.select("prompt", pl.col("response").str.head(LENGTH), "stance")
    times = -(-n // len(rows))
    return pl.concat([rows] * times).head(n)


def _ours(name: str, replies: pl.DataFrame) -> Callable[[Any], Any]:  # noqa: ARG001
    from convsafe.benchmark.judges._weights import load
    from convsafe.benchmark.loading import load_judge

    judge = load_judge(name)
    if name == "embedded":
        load()
    return lambda some: len(judge.judge(some.select("prompt", "response")))


def _garak(replies: pl.DataFrame) -> Callable[[Any], Any]:  # noqa: ARG001
    from convsafe.benchmark.keyword_judges import load_baseline

    phrases = [phrase.lower() for phrase in load_baseline("garak_mitigation").phrases]

    def look(some: pl.DataFrame) -> int:
        found = 0
        for reply in some["response"]:
            lower = reply.lower()
            found += any(phrase in lower for phrase in phrases)
        return found

    return look


def _tfidf(replies: pl.DataFrame) -> Callable[[Any], Any]:
    pipeline = fitted_pipeline(replies.unique("response", maintain_order=True))
    return lambda some: len(pipeline.predict(some["response"].to_list()))


def fitted_pipeline(rows: pl.DataFrame) -> Any:
    """Return a plain pipeline that tells compliance, fitted on `response` and `stance`."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    pipeline = make_pipeline(words, LogisticRegression(C=30, class_weight="balanced"))
    return pipeline.fit(rows["response"].to_list(), (rows["stance"] == "compliance").to_list())


_PREPARED = {_PEERS[0]: _garak, _PEERS[1]: _tfidf}


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--labels", type=Path, default=Path("dist/labels/labels.parquet"))
    parser.add_argument("--n", type=int, default=50_000, help="replies to judge")
    parser.add_argument("--runs", type=int, default=3, help="each in a process of its own")
    parser.add_argument("--judge", action="append", default=["embedded", "rules"])
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    return parser


if __name__ == "__main__":
    main()
