"""What was written down of a session, as labels of its verdict, so that metrics can count it.

state:NAME:FIRST:LAST   a variable of a simulated user, at the start and at the end
event:NAME              something that happened to the user, once each time
by_reply:N              how many of the events a reply brought about
crisis:N                how many turns the user was in an acute crisis
action:NAME:N           in how many of these the reply took a step
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from convsafe.benchmark.questions import question_labels
from convsafe.benchmark.recovery import recovery_labels

if TYPE_CHECKING:
    import polars as pl

STATE, EVENT, BY_REPLY, CRISIS, ACTION = "state:", "event:", "by_reply:", "crisis:", "action:"
_KINDS = ("state", "event", "crisis", "actions")


def with_trace(verdicts: pl.DataFrame, generations: pl.DataFrame) -> pl.DataFrame:
    """Return verdicts with the labels of their traces.

    Args:
        verdicts: One row a generation: id, sample, labels.
        generations: With `id`, `sample` and, where there are any, `trace`: JSON texts.
    """
    import polars as pl

    if "trace" not in generations.columns:
        return verdicts
    traces = generations.drop_nulls("trace")
    if traces.is_empty():
        return verdicts
    found = traces.select("id", "sample", traced=_labels(traces["trace"]))
    labels = pl.concat_list(pl.col("labels").fill_null([]), pl.col("traced").fill_null([]))
    return (
        verdicts.join(found, on=["id", "sample"], how="left", maintain_order="left")
        .with_columns(labels=pl.when(pl.col("traced").is_null()).then("labels").otherwise(labels))
        .drop("traced")
    )


def _labels(traces: pl.Series) -> pl.Series:
    import polars as pl

    return pl.Series([trace_labels(json.loads(text)) for text in traces], dtype=pl.List(pl.String))


def trace_labels(trace: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the labels of one trace."""
    kinds = {kind: [entry for entry in trace if entry.get("kind") == kind] for kind in _KINDS}
    states = [entry["state"] for entry in kinds["state"]]
    events, crises = kinds["event"], len(kinds["crisis"])
    taken = [entry["actions"] for entry in kinds["actions"]]
    steps = Counter({name: 0 for one in taken for name in one})
    steps.update(name for one in taken for name, done in one.items() if done)
    found = [f"{EVENT}{event['name']}" for event in events]
    if states:
        first, last = states[0], states[-1]
        found = [f"{STATE}{name}:{first[name]}:{last[name]}" for name in first] + found
        found.append(f"{BY_REPLY}{sum(event.get('attribution') == 'reply' for event in events)}")
        found.append(f"{CRISIS}{crises}")
    found += [f"{ACTION}{name}:{count}" for name, count in sorted(steps.items())]
    return [*found, *question_labels(trace), *recovery_labels(trace)]
