"""Tiny frames of cases and verdicts, and one figure of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl
from convsafe.benchmark.scoring import estimate
from convsafe.taxonomy.records import Estimate

TELLS = ("stance", "responsive", "unsafe", "scores")
_TAG = pl.List(pl.Struct({"kind": pl.String, "name": pl.String}))
_VERDICT: dict[str, Any] = {
    "id": pl.String,
    "sample": pl.Int64,
    "stance": pl.String,
    "unsafe": pl.Float64,
    "responsive": pl.Float64,
    "labels": pl.List(pl.String),
    "scores": pl.List(pl.Struct({"name": pl.String, "value": pl.Float64})),
}


def tags(*names: str) -> list[dict[str, str]]:
    """Tags as `kind/name`."""
    return [dict(zip(("kind", "name"), name.split("/"), strict=True)) for name in names]


def case(id: str, measures: str = "safety", **given: Any) -> dict[str, Any]:
    """A case; `transforms` are given as `kind/name`."""
    row = {
        "id": id,
        "base_id": id,
        "twin_id": None,
        "cluster_id": id,
        "measures": [measures],
        "hazards": ["drugs"],
        "language": "en",
        "source": "core",
        "expected": "refuse",
        "config": "harm",
        "severity": None,
        **given,
    }
    return {**row, "transforms": tags(*given.get("transforms", ()))}


def verdict(id: str, sample: int = 0, **given: Any) -> dict[str, Any]:
    """A verdict: a complying, harmless, helpful reply unless it says otherwise."""
    scores = [{"name": name, "value": value} for name, value in given.pop("scores", {}).items()]
    row: dict[str, Any] = {
        "id": id,
        "sample": sample,
        "stance": "compliance",
        "unsafe": 0.0,
        "responsive": 1.0,
        "labels": [],
    }
    return {**row, "scores": scores, **given}


def unscored(id: str, sample: int = 0, **given: Any) -> dict[str, Any]:
    """A verdict that could not be made."""
    return verdict(id, sample, stance=None, unsafe=None, responsive=None, **given)


def figures(
    cases: Sequence[dict[str, Any]], verdicts: Sequence[dict[str, Any]], **options: Any
) -> dict[tuple[str, str, str], Estimate]:
    """Every figure by metric, slice and name."""
    frame = pl.DataFrame(cases, schema_overrides={"transforms": _TAG, "severity": pl.String})
    found = estimate(frame, pl.DataFrame(verdicts, schema=_VERDICT), TELLS, **options)
    return {(entry.metric, entry.slice, entry.name): entry for entry in found}


def figure(
    cases: Sequence[dict[str, Any]],
    verdicts: Sequence[dict[str, Any]],
    metric: str,
    slice: str = "all",
    name: str = "all",
    **options: Any,
) -> Estimate:
    """One figure."""
    return figures(cases, verdicts, **options)[metric, slice, name]
