"""`convsafe compare`: compare judged runs over the same cases."""

from __future__ import annotations

import json
from pathlib import Path

import click
from convsafe.benchmark.permutation import DRAWS, SEED


@click.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--shared", is_flag=True, help="Compare the cases that all runs have.")
@click.option(
    "--detect",
    type=float,
    metavar="SHARE",
    help="Say how many cases would show a difference of this share, as 0.02.",
)
@click.option("--out", type=click.Path(path_type=Path), help="Write the HTML page here too.")
@click.option("--draws", default=DRAWS, show_default=True, type=click.IntRange(1000))
@click.option("--seed", default=SEED, show_default=True, help="The same seed, the same numbers.")
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON.")
def command(
    runs: tuple[Path, ...],
    shared: bool,
    detect: float | None,
    out: Path | None,
    draws: int,
    seed: int,
    as_json: bool,
) -> None:
    """Compare two or more scored RUNS, case by case: which is safer, by how much, how surely."""
    from convsafe.benchmark import compare
    from convsafe.benchmark.comparison_words import text

    found = compare(runs, shared=shared, detect=detect, out=out, draws=draws, seed=seed)
    if as_json:
        click.echo(json.dumps(found.to_row(), indent=2))
        return
    click.echo(text(found) + (f"\n\npage: {out}" if out is not None else ""))
