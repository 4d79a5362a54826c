"""`convsafe site`: write a board as a static site."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command()
@click.argument("board", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("dist/leaderboard"),
    show_default=True,
    help="The folder to write.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the first page as JSON.")
def command(board: Path, out: Path, as_json: bool) -> None:
    """Write a board that `convsafe rank` made as a static site, for a static Space or any host."""
    from convsafe.leaderboard import site

    page = site(board, out)
    click.echo(json.dumps({"page": str(page)}) if as_json else str(page))
