"""What a command does once replies are collected: score, report, and say what came of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from convsafe.benchmark.runs import Run


def finish(run: Run, *, only_run: bool, as_json: bool) -> None:
    """Score a run, write its report and print its summary; or only say what was collected.

    Raises:
        IncompleteRun: If generations are missing and the run is to be scored.
    """
    from convsafe.benchmark import report, score
    from convsafe.benchmark.summary import summary

    if only_run:
        total, missing = len(run.cases()), len(run.missing(run.generations()))
        result = {"run": str(run.folder), "cases": total, "missing": missing}
        said = f"{total - missing} of {total} cases are whole in {run.folder}"
        click.echo(json.dumps(result) if as_json else said)
        return
    scores = score(run)
    page = report(run)
    if as_json:
        click.echo(json.dumps(scores.to_row() | {"report": str(page)}, indent=2))
        return
    click.echo(summary(scores))
    click.echo(f"report: {page}")
