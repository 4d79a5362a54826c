"""What a model's own page shows, as plain values for its template."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from convsafe.leaderboard.site_tables import METRICS, Entry, Table
from convsafe.leaderboard.site_texts import lines, metric_title, percent, shown, span, track_title
from convsafe.leaderboard.site_views import (
    KINDS,
    SHORT,
    groups,
    judge_words,
    rank_words,
    track_metrics,
)
from convsafe.taxonomy.records import Estimate


def model_page(table: Table, entry: Entry) -> dict[str, Any]:
    """Return what a model's page shows."""
    manifest = entry.result.get("manifest", {})
    return {
        "entry": entry,
        "models": sum(not one.baseline for one in table.entries),
        "cards": [
            {
                "title": SHORT[metric],
                "kind": KINDS.get(metric, "good"),
                "figure": entry.figures.get(metric),
            }
            for metric in METRICS[:4]
        ],
        "tracks": [_track(table, entry, words) for words in groups(table)],
        "figures": _all_figures(entry),
        "findings": [one for one in entry.result.get("findings", ()) if isinstance(one, Mapping)],
        "facts": _facts(entry, manifest),
        "statement": lines(manifest.get("statement", "")),
        "embed": _embed(table, entry),
    }


def _track(table: Table, entry: Entry, words: Mapping[str, str]) -> dict[str, Any]:
    known = entry.tracks[words["track"]]
    metrics = [one for one in track_metrics(table) if one["id"] in KINDS or one["id"] == METRICS[3]]
    return {
        "id": words["track"],
        "title": words["title"],
        "first": words["first"],
        "metrics": metrics,
        "rows": [
            {
                "title": track_title(words["track"], name),
                "cells": [
                    {"figure": known[name].get(m["id"]), "kind": KINDS.get(m["id"], "good")}
                    for m in metrics
                ],
                "n": max((figure.n for figure in known[name].values()), default=0),
            }
            for name in table.names[words["track"]]
            if name in known
        ],
    }


def _all_figures(entry: Entry) -> list[dict[str, Any]]:
    """Return the overall figures of the result, or of the table where there is no result."""
    found = [
        Estimate(**row)
        for row in entry.result.get("figures", ())
        if row["slice"] in ("all", "areas_mean")
    ]
    where = {"areas_mean": ", mean of areas"}
    return [
        {"title": metric_title(one.metric) + where.get(one.slice, ""), "figure": one}
        for one in found or entry.figures.values()
    ]


def _facts(entry: Entry, manifest: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return how a model was run; who to write to is not published."""
    result = entry.result
    facts = {
        "model": manifest.get("model"),
        "decoding": manifest.get("params"),
        "settings": manifest.get("settings", entry.settings),
        "guards": manifest.get("guards", entry.guards),
        "dialogue": manifest.get("dialogue"),
        "samples": manifest.get("samples"),
        "cases": manifest.get("cases"),
        "packed with": manifest.get("convsafe"),
        "packed": manifest.get("created"),
        "scored": result.get("scored"),
        "scored with": result.get("convsafe"),
        "sum of the ids": manifest.get("ids_sha256"),
        "sum of the replies": manifest.get("generations_sha256"),
        "supersedes": result.get("supersedes"),
    }
    return [
        {"title": title, "text": shown(_plain(value), 300)}
        for title, value in facts.items()
        if value not in (None, "", {})
    ]


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(
            f"{key} {json.dumps(one, ensure_ascii=False)}" for key, one in value.items()
        )
    return str(value)


def _embed(table: Table, entry: Entry) -> str:
    """Return one line of Markdown for a model card."""
    parts = [
        f"{SHORT[metric]} {percent(figure)} % ({span(figure)})"
        for metric in METRICS[:3]
        if (figure := entry.figures.get(metric)) is not None
    ]
    release, judge = shown(table.version), judge_words(table)["name"]
    return f"**convsafe-bench {release}**: {', '.join(parts)}; {rank_words(entry)}; judge {judge}."
