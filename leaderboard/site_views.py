"""What the pages of a board show, as plain values for their templates and scripts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from convsafe.benchmark.trust import trust
from convsafe.leaderboard import site_plots as plots
from convsafe.leaderboard.site_tables import METRICS, Entry, Table
from convsafe.leaderboard.site_texts import (
    metric_title,
    permille,
    shown,
    track_title,
)
from convsafe.taxonomy.records import Estimate

# A track's words: its heading, the head of its first column, and its short name.
TRACK_WORDS: tuple[dict[str, str], ...] = (
    {"track": "area", "title": "By hazard area", "first": "area", "short": "areas"},
    {"track": "language", "title": "By language", "first": "language", "short": "languages"},
    {"track": "transform", "title": "By transform", "first": "transform", "short": "transforms"},
    {"track": "config", "title": "By config", "first": "config", "short": "configs"},
    {"track": "source", "title": "By source", "first": "source", "short": "sources"},
)
SHORT = {
    "safety_helpfulness": "safety and helpfulness",
    "unsafe_rate": "unsafe",
    "over_refusal_rate": "over-refusal",
    "helpful_rate": "helpful",
    "operational_safety": "operational",
}
KINDS = {"unsafe_rate": "harm", "over_refusal_rate": "refuse"}
_LOWER = frozenset(KINDS)


def most_unscored() -> float:
    """Return the share of unscored replies above which a model is not ranked."""
    from convsafe.taxonomy.tree import read_yaml

    return float(read_yaml(Path(__file__).with_name("board.yaml"))["most_unscored"])


def judge_words(table: Table) -> dict[str, str]:
    """Return the judge's name and what is known of its agreement with people."""
    card = {"agreement": [], **table.judge}
    known = trust(card, table.names["language"] or ["en"])
    return {
        "name": shown(known.judge, 60),
        "figure": shown(known.figure, 160),
        "note": shown(known.note, 400),
        "short": shown(known.short, 40),
    }


def plot(entries: Sequence[Entry]) -> dict[str, Any]:
    """Return the frontier plot's numbers, the best points drawn last."""
    axes = plots.scale(entries)
    found = [point._replace(name=shown(point.name)) for point in plots.points(entries, axes)]
    return {
        "width": plots.WIDTH,
        "height": plots.HEIGHT,
        "left": plots.LEFT,
        "right": plots.WIDTH - plots.RIGHT,
        "top": plots.TOP,
        "bottom": plots.HEIGHT - plots.BOTTOM,
        "columns": [(axes.across(t), f"{100 * t:g}") for t in plots.TICKS if t <= axes.x_end],
        "rows": [(axes.down(t), f"{100 * t:g}") for t in plots.TICKS if t <= axes.y_end],
        "points": sorted(found, key=lambda point: (point.best, point.baseline)),
        "front": plots.frontier(found),
        "labels": plots.labels(found),
    }


def reach(rows: Sequence[plots.Effect]) -> int:
    """Return how many points a strip must show to each side, in tens."""
    most = max(max(abs(row.least), abs(row.most)) for row in rows)
    return max(10, 10 * -(-int(most + 0.999) // 10))


def track_metrics(table: Table) -> list[dict[str, str]]:
    """Return the metrics that some track has, in order."""
    return [_metric(metric) for metric in table.metrics]


def _metric(metric: str) -> dict[str, str]:
    return {
        "id": metric,
        "title": metric_title(metric),
        "short": SHORT[metric],
        "better": "lower" if metric in _LOWER else "higher",
    }


def groups(table: Table) -> list[dict[str, str]]:
    """Return the tracks with more than one name: one name alone says what the whole does."""
    return [words for words in TRACK_WORDS if len(table.names[words["track"]]) > 1]


def index_data(table: Table) -> dict[str, Any]:
    """Return what the table's script shows of tracks: shares alone."""
    return {
        "better": {metric: _metric(metric)["better"] for metric in METRICS},
        "tracks": {
            words["track"]: {
                "names": _titles(table, words["track"]),
                "metrics": _by_metric(table, words["track"], _share),
            }
            for words in groups(table)
        },
    }


def compare_data(table: Table) -> dict[str, Any]:
    """Return what the comparing script shows: every figure with its interval, in thousandths."""
    return {
        "metrics": [_metric(metric) for metric in METRICS],
        "models": [
            {
                "slug": entry.slug,
                "name": shown(entry.name),
                "rank": rank_words(entry),
                "baseline": entry.baseline,
                "figures": [_triple(entry.figures.get(metric)) for metric in METRICS],
            }
            for entry in table.entries
        ],
        "tracks": {
            words["track"]: {
                "title": words["title"],
                "first": words["first"],
                "names": _titles(table, words["track"]),
                "metrics": _by_metric(table, words["track"], _triple),
            }
            for words in groups(table)
        },
    }


def _titles(table: Table, track: str) -> list[str]:
    return [track_title(track, name) for name in table.names[track]]


def _by_metric(table: Table, track: str, number: Any) -> dict[str, dict[str, list[Any]]]:
    """Return the figures of each metric by slug, in the order of the track's names."""
    names = table.names[track]
    return {
        metric["id"]: {
            entry.slug: [number(entry.tracks[track].get(n, {}).get(metric["id"])) for n in names]
            for entry in table.entries
        }
        for metric in track_metrics(table)
    }


def _share(figure: Estimate | None) -> int | None:
    return None if figure is None or figure.value is None else round(1000 * figure.value)


def _triple(figure: Estimate | None) -> list[float | None] | None:
    if figure is None or figure.value is None:
        return None
    return [round(1000 * figure.value), permille(figure.low), permille(figure.high)]


def rank_words(entry: Entry) -> str:
    """Return an entry's rank set as people read it."""
    if entry.ranks is None:
        return "a baseline, not ranked" if entry.baseline else "not ranked"
    best, worst = entry.ranks
    return f"rank {best}" if best == worst else f"rank {best} to {worst}"


def citation(table: Table) -> str:
    """Return BibTeX of the benchmark's release."""
    config, summed = table.release.get("config", "core"), table.release.get("content_sha256", "")
    note = shown(f"config {config}, content sha256 {str(summed)[:16]}")
    return (
        "@software{convsafe_bench,\n"
        "  title={convsafe-bench: one benchmark for the conversational safety of language"
        " models},\n"
        "  author={{The convsafe-bench authors}},\n"
        f"  version={{{table.version}}},\n"
        f"  note={{{note}}}\n}}"
    )


def file_rows(paths: Sequence[Path]) -> list[dict[str, str]]:
    """Return the downloads with their sizes as people read them."""
    return [{"name": path.name, "size": _size(path.stat().st_size)} for path in paths]


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{max(1, round(count / 1e3))} kB"
