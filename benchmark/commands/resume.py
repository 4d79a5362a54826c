"""`convsafe resume`: go on with a run that was stopped."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from convsafe.benchmark.run_options import run_options

if TYPE_CHECKING:
    from convsafe.benchmark.costs import Budget
    from convsafe.benchmark.limits import Limits


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@run_options
@click.option("--only-run", is_flag=True, help="Collect replies; do not score or report.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(folder: Path, limits: Limits, budget: Budget, only_run: bool, as_json: bool) -> None:
    """Ask for what a run in FOLDER still lacks, as it was begun; then score and report it.

    Requests that failed are asked again. An API key is read from the environment.
    """
    from convsafe.benchmark import resume
    from convsafe.benchmark.finishing import finish

    done = resume(folder, limits=limits, budget=budget, progress=not as_json)
    finish(done, only_run=only_run, as_json=as_json)
