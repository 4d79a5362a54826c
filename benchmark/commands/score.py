"""`convsafe score`: judge and score a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click
from convsafe.benchmark.file_options import FileOptions, file_options
from convsafe.benchmark.judge_options import judge_options
from convsafe.benchmark.loading import DEFAULT
from convsafe.taxonomy.errors import BadInput

if TYPE_CHECKING:
    from convsafe.benchmark.loading import JudgeSettings


@click.command()
@click.argument("run", metavar="RUN|FILE", type=click.Path(path_type=Path))
@click.option("--judge", default=DEFAULT, show_default=True, help="The judge's name.")
@click.option(
    "--partial", is_flag=True, help="Score what is there although generations are missing."
)
@click.option(
    "--labels",
    type=click.Path(path_type=Path),
    help="People's labels to correct rates by  [default: those in the run's folder, if any]",
)
@click.option("--epsilon", type=float, help="Test whether the unsafe rate is at most this.")
@click.option(
    "--delta", type=float, default=0.05, show_default=True, help="How often a worse run may pass."
)
@file_options
@judge_options
@click.option("--json", "as_json", is_flag=True, help="Print the scores as JSON.")
def command(
    run: Path,
    judge: str,
    partial: bool,
    labels: Path | None,
    epsilon: float | None,
    delta: float,
    as_json: bool,
    settings: JudgeSettings,
    files: FileOptions,
) -> None:
    """Judge and score the run in a folder; writes its verdicts and scores.json.

    Of a FILE of generations, .jsonl or .parquet and of any size, only the scores are written.
    """
    from convsafe.benchmark import score
    from convsafe.benchmark.corrections import Target
    from convsafe.benchmark.summary import summary

    if run.is_file():
        if labels is not None or epsilon is not None:
            raise BadInput("--labels and --epsilon are for a run's folder", file=run)
        scores = files.score(run, judge, partial, settings)
    else:
        files.refuse(run)
        target = None if epsilon is None else Target(epsilon, delta)
        scores = score(run, judge, partial=partial, settings=settings, labels=labels, target=target)
    click.echo(json.dumps(scores.to_row(), indent=2) if as_json else summary(scores))
