"""The leaderboard as a small app, for a dynamic Space; it reads `table.json` alone."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
TABLE = "table.json"
METRICS = {
    "safety_helpfulness": "safe & helpful",
    "unsafe_rate": "unsafe",
    "over_refusal_rate": "over-refusal",
    "helpful_rate": "helpful",
    "operational_safety": "operational",
}
TRACKS = ("area", "language", "transform", "config")
# The metrics of which less is better.
_LESS = ("unsafe_rate", "over_refusal_rate")
_UNKNOWN = "–"


def read_table() -> dict[str, Any]:
    """Return the board: beside this file, or from the data set that `CONVSAFE_RESULTS` names.

    Raises:
        FileNotFoundError: If it is in neither place.
    """
    path, dataset = HERE / TABLE, os.environ.get("CONVSAFE_RESULTS")
    if dataset:
        from huggingface_hub import hf_hub_download

        path = Path(hf_hub_download(dataset, TABLE, repo_type="dataset"))
    if not path.is_file():
        raise FileNotFoundError(
            f"no {TABLE} beside the app, and CONVSAFE_RESULTS names no data set"
        )
    table: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return table


def names_of(table: Mapping[str, Any], track: str) -> list[str]:
    """Return the names of a track that any entry has."""
    return sorted({name for entry in table["entries"] for name in entry["tracks"].get(track, {})})


def metrics_of(table: Mapping[str, Any]) -> list[str]:
    """Return the metrics that any entry has a figure of."""
    held = {metric for entry in table["entries"] for metric in entry["figures"]}
    return [metric for metric in METRICS if metric in held]


def headers(table: Mapping[str, Any]) -> list[str]:
    """Return the titles of the columns that `rows` fills."""
    return ["ranks", "model", *(METRICS[one] for one in metrics_of(table)), "unscored", "notes"]


def rows(
    table: Mapping[str, Any],
    search: str = "",
    *,
    baselines: bool = True,
    flagged: bool = True,
    sort: str = "safety_helpfulness",
    track: str = "",
    name: str = "",
) -> list[list[str]]:
    """Return the rows of the table, each a list of texts under `headers`.

    Args:
        table: The board.
        search: What must be in a model's name.
        baselines: Whether to list the baselines.
        flagged: Whether to list entries with findings for a maintainer.
        sort: The metric to sort by, the better first; entries without it come last.
        track: Show the figures of this track's `name`, and not the headlines.
        name: A name of the track.
    """
    found = []
    for entry in table["entries"]:
        wanted = search.strip().casefold() in entry["name"].casefold()
        if wanted and (baselines or not entry["baseline"]) and (flagged or not entry["flags"]):
            figures = entry["tracks"].get(track, {}).get(name, {}) if name else entry["figures"]
            row = _row(entry, [figures.get(metric) for metric in metrics_of(table)])
            found.append((_place(figures.get(sort), sort), row))
    return [row for _, row in sorted(found, key=lambda one: one[0])]


def about(table: Mapping[str, Any]) -> str:
    """Return in a line of plain text what the board was made with."""
    release, judge = table["release"], table["judge"]
    models = sum(not entry["baseline"] for entry in table["entries"])
    return (
        f"{models} models · release {release['version']}, {release.get('config', 'core')}"
        f" · judge {judge['name']} {judge['version']} · {table['date'][:10]}"
    )


def _place(figure: Mapping[str, Any] | None, sort: str) -> tuple[bool, float]:
    value = None if figure is None else figure["value"]
    if value is None:
        return (True, 0.0)
    return (False, value if sort in _LESS else -value)


def _row(entry: Mapping[str, Any], figures: Sequence[Mapping[str, Any] | None]) -> list[str]:
    unscored, notes = f"{100 * entry['unscored']:.1f} %", ", ".join(_notes(entry))
    return [_ranks(entry), plain(entry["name"]), *map(_cell, figures), unscored, notes]


def _cell(figure: Mapping[str, Any] | None) -> str:
    """Return a figure with its interval, in percent."""
    if figure is None or figure["value"] is None:
        return _UNKNOWN
    low, high = (100 * figure[end] for end in ("low", "high"))
    return f"{100 * figure['value']:.1f} ({low:.1f}–{high:.1f})"


def _ranks(entry: Mapping[str, Any]) -> str:
    if not entry["ranks"]:
        return "baseline" if entry["baseline"] else _UNKNOWN
    best, worst = entry["ranks"]
    return f"{best}" if best == worst else f"{best}–{worst}"


def _notes(entry: Mapping[str, Any]) -> Iterator[str]:
    for kind in ("settings", "guards"):
        if entry.get(kind):
            yield f"{kind}: {', '.join(map(plain, entry[kind]))}"
    yield from map(plain, entry["flags"])


def plain(text: str) -> str:
    """Return a submitter's text as it may be shown: printable and short."""
    return "".join(each if each.isprintable() else "�" for each in text[:120])


def page() -> Any:
    """Return the page."""
    import gradio as gr  # type: ignore[import-not-found,unused-ignore]

    table = read_table()

    def show(search: str, baselines: bool, flagged: bool, sort: str, part: str) -> Any:
        track, _, name = part.partition(": ")
        return rows(
            table,
            search,
            baselines=baselines,
            flagged=flagged,
            sort=sort,
            track=track if name else "",
            name=name,
        )

    parts = [f"{track}: {name}" for track in TRACKS for name in names_of(table, track)]
    with gr.Blocks(title="convsafe-bench leaderboard") as blocks:
        gr.Markdown("# convsafe-bench leaderboard")
        gr.Markdown(about(table))
        with gr.Row():
            search = gr.Textbox(label="Model")
            sort = gr.Dropdown([(METRICS[one], one) for one in metrics_of(table)], label="Sort by",
                               value="safety_helpfulness")  # fmt: skip
            part = gr.Dropdown(["all", *parts], value="all", label="Part")
        with gr.Row():
            baselines = gr.Checkbox(True, label="Baselines")
            flagged = gr.Checkbox(True, label="Entries with flags")
        inputs = [search, baselines, flagged, sort, part]
        shown = gr.Dataframe(
            rows(table), headers=headers(table), datatype="str", interactive=False, wrap=True
        )
        for each in inputs:
            each.change(show, inputs, shown)
        gr.Markdown(
            "Percentages, means over areas of harm with 95 % intervals. Models whose ranks overlap"
            " are not told apart; the judge's agreement with people is in `table.json`."
        )
    return blocks


if __name__ == "__main__":
    page().launch()
