"""`convsafe rank`: score submissions and put them in one table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from convsafe.leaderboard.table import Table

_FIGURES = {
    "safety_helpfulness": "safe & helpful",
    "unsafe_rate": "unsafe",
    "over_refusal_rate": "over-refusal",
    "helpful_rate": "helpful",
    "operational_safety": "operational",
}
_NAME, _WIDTH = 30, 25


@click.command()
@click.argument("submissions", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--board",
    "out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where results are kept [default: leaderboard/results; for runs alone, nowhere].",
)
@click.option("--release", type=click.Path(path_type=Path), help="The release folder.")
@click.option(
    "--rules", type=click.Path(path_type=Path), help="What is ranked, as leaderboard/board.yaml."
)
@click.option("--errata", type=click.Path(path_type=Path), help="The file of withdrawn cases.")
@click.option(
    "--track",
    type=click.Choice(["area", "config", "source", "language", "transform"]),
    help="Show the first figure by this too.",
)
@click.option("--workers", type=click.IntRange(1), help="Processes [default: one a core].")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def command(
    submissions: tuple[Path, ...],
    out: Path | None,
    release: Path | None,
    rules: Path | None,
    errata: Path | None,
    track: str | None,
    workers: int | None,
    as_json: bool,
) -> None:
    """Score SUBMISSIONS from their replies, keep the results, and print the board.

    SUBMISSIONS are folders that `convsafe submit` made, runs, or folders of them. The exit code is
    3 if one is refused.
    """
    from convsafe.leaderboard import rank
    from convsafe.leaderboard.board import Board

    board = Board.load(rules, release) if rules or release else None
    table = rank(submissions, out, board=board, errata=errata, workers=workers)
    click.echo(json.dumps(table.to_row(), indent=2) if as_json else "\n".join(_lines(table, track)))
    _tell(table)
    if table.refused:
        raise SystemExit(3)


def _tell(table: Table) -> None:
    """Say on standard error what is for the maintainer alone."""
    for name, flags in table.flagged.items():
        for flag in flags:
            click.echo(f"{_cut(name)}: flag {flag.code}: {flag.text}", err=True)
    for folder, findings in table.refused.items():
        said = "; ".join(f"{one.code}: {one.text}" for one in findings[:3])
        more = f"; and {len(findings) - 3} more" if len(findings) > 3 else ""
        click.echo(f"{folder}: refused: {said}{more}", err=True)
    if table.outdated:
        named = ", ".join(table.outdated[:5]) + (" …" if len(table.outdated) > 5 else "")
        click.echo(
            f"{len(table.outdated)} entries have no result of this release and judge, and are left"
            f" out until their submissions are given: {named}",
            err=True,
        )


def _lines(table: Table, track: str | None) -> list[str]:
    """Return the table as lines of text."""
    from convsafe.benchmark.figure_text import interval, percent

    shown = {
        metric: title
        for metric, title in _FIGURES.items()
        if any((one := entry.figure(metric)) and one.n for entry in table.entries)
    }
    head = f"{'ranks':<9}{'model':<{_NAME + 2}}"
    lines = [head + "".join(f"{title:<{_WIDTH}}" for title in shown.values()) + "flags"]
    for entry in table.entries:
        cells = [
            f"{percent(one)} ({interval(one)})" if one and one.n else "–"
            for one in map(entry.figure, shown)
        ]
        notes = [*entry.result.flags]
        if not entry.result.ranked:
            notes.insert(0, f"{100 * entry.result.unscored:.1f} % unscored: not ranked")
        ranks = _ranks(entry.ranks, baseline=entry.result.baseline)
        begin = f"{ranks:<9}{_cut(entry.name):<{_NAME + 2}}"
        lines.append(begin + "".join(f"{cell:<{_WIDTH}}" for cell in cells) + ", ".join(notes))
    return lines + (_track(table, track) if track else []) + _foot(table)


def _ranks(ranks: tuple[int, int] | None, *, baseline: bool) -> str:
    if ranks is None:
        return "baseline" if baseline else "–"
    return f"{ranks[0]}" if ranks[0] == ranks[1] else f"{ranks[0]}–{ranks[1]}"


def _cut(name: str) -> str:
    """Return a name that keeps its column and cannot write over others."""
    plain = "".join(letter if letter.isprintable() else "�" for letter in name)
    return plain if len(plain) <= _NAME else plain[: _NAME - 1] + "…"


def _track(table: Table, track: str) -> list[str]:
    """Return the first figure by the names of a track, the names as columns."""
    rows = [(entry, entry.to_row()["tracks"][track]) for entry in table.entries]
    names = sorted({name for _, found in rows for name in found})
    lines = ["", f"{'by ' + track:<{_NAME + 2}}" + "  ".join(names)]
    for entry, found in rows:
        values = [found.get(name, {}).get("safety_helpfulness", {}).get("value") for name in names]
        cells = ["–" if value is None else f"{100 * value:.0f} %" for value in values]
        padded = (f"{cell:<{len(name)}}" for cell, name in zip(cells, names, strict=True))
        lines.append(f"{_cut(entry.name):<{_NAME + 2}}" + "  ".join(padded))
    return lines


def _foot(table: Table) -> list[str]:
    from convsafe.leaderboard.scorer import agreement

    first = table.entries[0] if table.entries else None
    if first is None:
        return ["No entry."]
    figure = first.figure("safety_helpfulness")
    return [
        "",
        "Means of hazard areas with 95 % intervals. Ranks are those a model may hold, with 95 %"
        " confidence for all at once; who shares one is not told apart.",
        f"Release {table.release['version']}, {table.release['config']}:"
        f" {first.result.manifest.cases} cases"
        + (f", {len(table.withdrawn)} withdrawn" if table.withdrawn else "")
        + (f"; the first figure is over {figure.n} replies." if figure else "."),
        f"Judged by {agreement(table.judge, first.result.figures)}.",
    ]
