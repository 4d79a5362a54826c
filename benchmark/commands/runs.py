"""`convsafe runs`: list runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from convsafe.benchmark.run_list import Listed

_HEAD = ("folder", "model", "cases", "done", "failed", "started", "state", "cost", "score")


@click.command()
@click.argument("folder", default=Path("runs"), type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the runs as JSON.")
def command(folder: Path, as_json: bool) -> None:
    """List the runs in FOLDER (runs/ if none is given) and below it, the last one first.

    The score is the mean over hazard areas of safety with helpfulness, where the run is scored.
    """
    from convsafe.benchmark.run_list import list_runs

    found = list_runs(folder)
    if as_json:
        click.echo(json.dumps([run.to_row() for run in found], indent=2, ensure_ascii=False))
    elif not found:
        click.echo(f"no run in {folder}; `convsafe run` makes one", err=True)
    else:
        click.echo(_table([_HEAD, *map(_row, found)]))


def _row(run: Listed) -> tuple[str, ...]:
    cases = f"{run.config} {run.release}" + (f", {run.limit}" if run.limit else "")
    return (
        run.folder,
        _short(run.model.partition("#")[2] or run.model, 32),
        cases,
        f"{run.done}/{run.total}",
        str(run.failed or ""),
        run.started[:16].replace("T", " "),
        _short(run.state, 40),
        "" if run.cost is None else f"{run.cost:.2f} {run.currency}",
        "" if run.headline is None else f"{100 * run.headline[0]:.1f} %",
    )


def _short(text: str, most: int) -> str:
    line = "".join(sign if sign.isprintable() else " " for sign in text)
    return line if len(line) <= most else line[: most - 1] + "…"


def _table(rows: list[tuple[str, ...]]) -> str:
    """Return rows in columns; one that nothing is in but its head is left out."""
    columns = [column for column in zip(*rows, strict=True) if any(column[1:])]
    widths = [max(map(len, column)) for column in columns]
    lines = zip(*columns, strict=True)
    padded = (zip(line, widths, strict=True) for line in lines)
    return "\n".join("  ".join(t.ljust(width) for t, width in line).rstrip() for line in padded)
