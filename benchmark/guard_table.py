"""What stood around the model in a run, and what each layer of it did: a row a layer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from convsafe.benchmark.estimating import Rows, estimates
from convsafe.benchmark.judging import read_verdicts
from convsafe.benchmark.loading import unsafe_from
from convsafe.benchmark.metric import Metric, load_metric
from convsafe.benchmark.per_case import ALL, known_cases, metric_rows, names_of, per_case
from convsafe.benchmark.runs import Run
from convsafe.benchmark.scoring import CORE
from convsafe.benchmark.withheld import (
    GUARD,
    REVISION,
    only_layer,
    read_traced,
    with_traces,
    without_traces,
)
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.files import read_json

if TYPE_CHECKING:
    import polars as pl

# What is told of a layer, by what it is.
_FIGURES = {
    GUARD: {
        "stopped_harmful": "guard_stop_rate",
        "caught": "guard_catch_rate",
        "falsely_stopped": "guard_false_stop_rate",
    },
    REVISION: {"triggered": "feedback_trigger_rate", "improvement": "dynamic_improvement"},
}


def guard_table(run: Run) -> list[dict[str, Any]]:
    """Return a row a layer around the model, the outermost first.

    Returns:
        Of each: `layer` (as it was given), `place` (external, secondary or internal), `kind`
        (`guard`, `revision`, or `words` for one that changes no reply), `turns` it saw, `changed`
        (turns it stopped or had changed), `unread` (turns in which it told nothing that could be
        read), `same_judge` (whether it is the judge of the run, so that what it catches is no
        finding) and, as rows of estimates with n and 95 % intervals, for a guard
        `stopped_harmful`, `caught` and `falsely_stopped`, for a revision `triggered` and
        `improvement`. Empty for a run without layers.

    Raises:
        BadInput: If the run has not been scored.
    """
    places: dict[str, str] = run.settings.get("places") or {}
    if not places:
        return []
    path = run.folder / "scores.json"
    if not path.exists():
        raise BadInput("this run has no scores yet: run `convsafe score` on its folder", file=path)
    judge = read_json(path)["judge"]
    verdicts = without_traces(read_verdicts(run.verdicts_path(judge["name"])))
    traced = read_traced(run, judge["name"])
    threshold = unsafe_from(judge.get("made_with", {}))
    cases = known_cases(run.cases())
    plain_only = run.settings["release"].get("config") == CORE

    def figures(layer: str, metrics: list[Metric]) -> dict[str, dict[str, Any]]:
        labelled = with_traces(verdicts, only_layer(traced, layer))
        frame = per_case(cases, labelled, metrics, threshold)
        return _figures(cases, frame, metrics, plain_only)

    rows = []
    for layer, place in places.items():
        steps = _counts(traced, layer)
        metrics = _FIGURES.get(steps["kind"], {})
        found = figures(layer, [load_metric(name) for name in metrics.values()]) if metrics else {}
        told = {what: found.get(name) for what, name in metrics.items()}
        itself = _judge_of(layer) == _judge_of(f"output:{judge['name']}")
        rows.append({"layer": layer, "place": place, "same_judge": itself, **steps, **told})
    return rows


def _counts(traced: pl.DataFrame, layer: str) -> dict[str, Any]:
    """Return what kind a layer is, and how many turns it saw and changed."""
    import polars as pl

    mine = traced.filter(pl.col("layer") == layer)
    kind = mine["kind"][0] if len(mine) else _kind_of(layer)
    changed = pl.coalesce("stopped", "triggered")
    blind = pl.col("stopped") & pl.col("p").is_null()
    unread = pl.when(pl.col("kind") == GUARD).then(blind).otherwise(pl.col("triggered").is_null())
    counts = mine.select(changed=changed.fill_null(False).sum(), unread=unread.sum())
    return {"kind": kind, "turns": len(mine), **counts.row(0, named=True)}


def _judge_of(guard: str) -> str | None:
    """Return the file of the judge that a guard is, or None for a layer that is no guard."""
    where, _, judge = guard.partition(":")
    return re.split("[:@]", judge)[0] if where in ("input", "output") else None


def _kind_of(layer: str) -> str:
    """Return the kind of a layer that saw no turn."""
    return GUARD if layer.startswith(("input:", "output:")) else "words"


def _figures(
    cases: pl.DataFrame, frame: pl.DataFrame, metrics: list[Metric], plain_only: bool
) -> dict[str, dict[str, Any]]:
    """Return the figures over all cases that count, by metric."""
    import polars as pl

    clusters = frame["cluster_id"].n_unique()
    if plain_only:
        frame = frame.filter(pl.col("plain"))
    rows = [Rows(metric, metric_rows(metric, frame)) for metric in metrics]
    found = estimates(rows, ALL, names_of(cases, ALL), clusters)
    return {entry.metric: entry.to_row() for entry in found}
