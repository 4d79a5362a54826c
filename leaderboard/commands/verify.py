"""`convsafe verify`: check a submission, then judge and score it from scratch."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click
from convsafe.taxonomy.errors import BadInput


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--release",
    type=click.Path(path_type=Path),
    help="The board's release folder; by default our own core set.",
)
@click.option(
    "--rules", "board", type=click.Path(path_type=Path), help="Another file than board.yaml."
)
@click.option("--no-score", is_flag=True, help="Check only; judge and score nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
def command(
    folder: Path, release: Path | None, board: Path | None, no_score: bool, as_json: bool
) -> None:
    """Check the submission in FOLDER as data only, then judge and score it from scratch.

    Exits with 0 where nothing keeps it off the board, else with 3.
    """
    from convsafe.leaderboard.board import Board
    from convsafe.leaderboard.checking import check, verify
    from convsafe.leaderboard.verify_text import report

    asked = Board.load(board, release)
    checked = check(folder, asked) if no_score else verify(folder, asked)
    click.echo(json.dumps(checked.to_row(), indent=2) if as_json else report(checked))
    if not checked.accepted:
        sys.exit(BadInput.exit_code)
