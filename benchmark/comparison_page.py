"""Write a comparison as one HTML page with everything in it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from convsafe.benchmark import comparison_words as words
from convsafe.benchmark.comparison import Comparison, Difference
from convsafe.benchmark.comparison_plots import Gap, Place, Spot, forest, frontier_of, ranks
from convsafe.benchmark.figure_text import interval, percent
from convsafe.benchmark.paired import BALANCE, HELPFUL
from convsafe.benchmark.per_case import ALL
from convsafe.benchmark.plots import Drawing, Range
from convsafe.benchmark.scoring import HEADLINE
from convsafe.benchmark.tallies import better, has_direction, order, title
from convsafe.benchmark.trust import ends, figure
from convsafe.taxonomy.files import write_text
from convsafe.taxonomy.html import csp_hash, page_environment
from convsafe.taxonomy.records import Estimate
from convsafe.taxonomy.tree import load_tree

PAGE = Path(__file__).parent / "page"
REFUSE = "over_refusal_rate"
_HARM_AXIS = {
    "unsafe_rate": "replies held unsafe",
    "compliance_rate": "harmful requests complied with",
}


def write_page(found: Comparison, out: str | Path) -> Path:
    """Write the page of a comparison and return its path.

    The page holds no external resource and allows none; names of models are only ever text.
    """
    target = Path(out)
    write_text(target, _page(found))
    return target


def _page(found: Comparison) -> str:
    harm = words.harm_metric(found)
    titles = {node.id: node.name for node in (*load_tree().areas, *load_tree())}
    hero = _frontier(found, harm)
    pairs = [
        _pair(found, harm, titles, place, *pair) for place, pair in enumerate(words.pairs(found))
    ]
    places = [_places(found, metric) for metric in (harm, REFUSE, BALANCE)]
    drawings = [hero, *(pair["drawing"] for pair in pairs), *(part["drawing"] for part in places)]
    style = "\n".join(
        [
            *((PAGE / name).read_text(encoding="utf-8") for name in ("report.css", "compare.css")),
            *(drawing.css for drawing in drawings if drawing),
        ]
    )
    judge = found.runs[0].judge
    return (
        page_environment(PAGE)
        .get_template("compare.html.jinja")
        .render(
            found=found,
            run=found.runs[0].run,
            judge=judge,
            known=[_known(found, metric) for metric in (harm or REFUSE, REFUSE, BALANCE)],
            measured=[_measured(row) for row in judge["agreement"]],
            rates=_rates(found),
            heads=[title(metric) for metric in _shown(found)],
            harm_axis=_HARM_AXIS.get(harm, ""),
            frontier=hero.svg if hero else "",
            pairs=pairs,
            places=[part for part in places if part["rows"]],
            ranks=_rank_rows(found),
            detect=None if found.detect is None else words.points(found.detect),
            family=words.family_line(found),
            style=style,
            style_hash=csp_hash(style),
        )
    )


def _shown(found: Comparison) -> list[str]:
    """Return the metrics that the table of runs shows, in order."""
    told = {entry.metric for entry in found.differences if has_direction(entry.metric)}
    return sorted(told, key=order)


def _own(entries: Sequence[Estimate], metric: str) -> Estimate | None:
    """Return a run's headline figure: the mean of areas, else that of all cases."""
    by = {entry.slice: entry for entry in entries if (entry.metric, entry.name) == (metric, ALL)}
    return by.get(HEADLINE) or by.get(ALL)


def _rates(found: Comparison) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "folder": one.folder.name,
            "cells": [_rate(_own(entries, metric)) for metric in _shown(found)],
        }
        for name, one, entries in zip(found.names, found.runs, found.rates, strict=True)
    ]


def _rate(entry: Estimate | None) -> dict[str, Any]:
    if entry is None:
        return {"figure": "–", "range": "", "n": 0, "unscored": 0}
    return {
        "figure": percent(entry),
        "range": interval(entry),
        "n": entry.n,
        "unscored": entry.unscored,
    }


def _frontier(found: Comparison, harm: str) -> Drawing | None:
    spots = []
    for name, entries in zip(found.names, found.rates, strict=True):
        one, two = _range(_own(entries, harm)), _range(_own(entries, REFUSE))
        if one and two:
            spots.append(Spot(name, one, two))
    return frontier_of(spots, _HARM_AXIS[harm]) if spots else None


def _range(entry: Estimate | None) -> Range | None:
    if entry is None or entry.value is None or entry.low is None or entry.high is None:
        return None
    return Range(entry.value, entry.low, entry.high)


def _pair(
    found: Comparison, harm: str, titles: dict[str, str], place: int, first: str, second: str
) -> dict[str, Any]:
    """Return what the page shows of a pair."""
    rows = _gaps(found, harm, titles, first, second)
    return {
        "first": first,
        "second": second,
        "sentences": words.sentences(found, first, second),
        "rows": [_row(entry, titles) for entry in found.headline(first, second)],
        "drawing": forest(rows, f"forest{place}", (first, second)) if rows else None,
        "worst": [
            {
                "worse": one,
                "other": two,
                "rows": [_row(entry, titles) for entry in found.worst(one, two)],
            }
            for one, two in ((first, second), (second, first))
        ],
    }


def _gaps(
    found: Comparison, harm: str, titles: dict[str, str], first: str, second: str
) -> list[Gap]:
    """Return the rows of a pair's forest plot: the headline, all cases, and every area."""
    by: dict[tuple[str, str], dict[str, Range]] = {}
    for entry in found.differences:
        if (entry.first, entry.second) != (first, second) or entry.value is None:
            continue
        if entry.metric in (harm, REFUSE) and entry.slice in (HEADLINE, ALL, "area"):
            ends_of = Range(entry.value, entry.low, entry.high)
            by.setdefault((entry.slice, entry.name), {})[entry.metric] = ends_of
    fixed = [key for key in ((HEADLINE, ALL), (ALL, ALL)) if key in by]
    areas = sorted(
        (key for key in by if key[0] == "area"),
        key=lambda key: -max(abs(gap.value) for gap in by[key].values()),
    )
    named = {(HEADLINE, ALL): "mean of areas", (ALL, ALL): "all cases"}
    return [
        Gap(named.get(key, titles.get(key[1], key[1])), by[key].get(harm), by[key].get(REFUSE))
        for key in [*fixed, *areas]
    ]


def _row(entry: Difference, titles: dict[str, str]) -> dict[str, Any]:
    return {
        "title": title(entry.metric),
        "better": better(entry.metric),
        "where": f"{entry.slice}: {titles.get(entry.name, entry.name)}",
        "figure": "no figure" if entry.value is None else words.points(entry.value, signed=True),
        "by": words.points(abs(entry.gain)),
        "range": words.span(entry.low, entry.high),
        "p": words.bare(entry.p),
        "holm": words.bare(entry.holm),
        "bh": words.bare(entry.bh),
        "detectable": "–" if entry.detectable is None else words.points(entry.detectable),
        "needed": entry.needed,
        "n": entry.n,
        "unscored": entry.unscored,
        "ranked": entry.ranked,
        "shown": entry.shown,
        "test": entry.test,
        "interval": entry.interval,
    }


def _places(found: Comparison, metric: str) -> dict[str, Any]:
    """Return a metric's rank picture."""
    rows = [
        Place(rank.run, rank.best, rank.worst)
        for rank in found.ranks
        if rank.metric == metric and rank.best is not None and rank.worst is not None
    ]
    picture = ranks(rows, f"ranks{metric.replace('_', '')}") if rows else None
    return {"title": title(metric) if metric else "", "rows": rows, "drawing": picture}


def _rank_rows(found: Comparison) -> list[dict[str, Any]]:
    by = {(rank.metric, rank.run): rank for rank in found.ranks}
    metrics = sorted({metric for metric, _ in by}, key=order)
    return [
        {"title": title(metric), "cells": [by[metric, name] for name in found.names]}
        for metric in metrics
    ]


def _known(found: Comparison, metric: str) -> dict[str, Any]:
    known = words.judge_of(found, metric)
    what = title(HELPFUL) if metric == BALANCE else title(metric)
    return {"what": what, "figure": known.figure, "note": known.note}


def _measured(row: dict[str, Any]) -> dict[str, Any]:
    """Return a labelled set as the page shows it, every figure with its interval."""
    return {
        "dataset": row["dataset"],
        "language": row["language"],
        "n": row["n"] if "n" in row else row["harm"]["n"],
        "kappa": ends(row, "binary_kappa"),
        "accuracy": ends(row, "accuracy"),
        "harm": figure(row, "unsafe") if row.get("harm") else "–",
    }
