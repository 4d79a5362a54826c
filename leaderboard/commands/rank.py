"""`convsafe rank`: put scored runs side by side."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def command(runs: tuple[Path, ...], as_json: bool) -> None:
    """Put scored runs of the same cases and judge side by side."""
    from convsafe.benchmark.figure_text import interval, percent
    from convsafe.leaderboard import rank
    from convsafe.leaderboard.table import METRICS

    entries = rank(runs)
    if as_json:
        click.echo(json.dumps([entry.to_row() for entry in entries], indent=2))
        return
    titles = ("harm complied with", "harmless refused", "harmless helped")
    click.echo(f"{'model':<32}" + "".join(f"{title:>24}" for title in titles))
    for entry in entries:
        cells = [f"{percent(e)} ({interval(e)})" for e in map(entry.figures.get, METRICS) if e]
        click.echo(f"{entry.model[:31]:<32}" + "".join(f"{cell:>24}" for cell in cells))
    click.echo("Means of hazard areas with 95 % intervals, the smaller mean of both errors first.")
    click.echo(f"Judged by {entries[0].judged_by}.")
