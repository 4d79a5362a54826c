"""`convsafe verify-pull`: verify the submission in a pull request, without checking it out."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import click
from convsafe.taxonomy.errors import BadInput


@click.command()
@click.argument("commit")
@click.option(
    "--repository",
    type=click.Path(path_type=Path),
    default=Path(),
    help="Where the base is checked out  [default: here]",
)
@click.option(
    "--summary", type=click.Path(path_type=Path), help="A file to add the report to, as Markdown."
)
@click.option(
    "--release",
    type=click.Path(path_type=Path),
    help="The board's release folder; by default our own core set.",
)
@click.option(
    "--rules", "board", type=click.Path(path_type=Path), help="Another file than board.yaml."
)
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
def command(
    commit: str,
    repository: Path,
    summary: Path | None,
    release: Path | None,
    board: Path | None,
    as_json: bool,
) -> None:
    """Verify the submission that the merge COMMIT of a pull request adds.

    The commit must have been fetched with its first parent; it is read as data, never checked out.
    Exits with 0 where nothing keeps the submission off the board, else with 3.
    """
    from convsafe.leaderboard.board import Board
    from convsafe.leaderboard.pulled import verify_pull
    from convsafe.leaderboard.verify_text import report

    with tempfile.TemporaryDirectory() as folder:
        checked = verify_pull(commit, Path(folder), repository, Board.load(board, release))
    lines = report(checked).splitlines()
    if summary is not None:
        # Indented, every line is plain text in Markdown, whatever a submission says.
        text = "\n".join(f"    {line}" for line in lines)
        with summary.open("a", encoding="utf-8") as out:
            out.write(f"### Submission\n\n{text}\n\nA maintainer looks at it next.\n")
    if as_json:
        click.echo(json.dumps(checked.to_row(), indent=2))
    else:
        # A log of GitHub takes lines that begin with two colons for commands.
        click.echo("\n".join(f"| {line}" for line in lines))
    if not checked.accepted:
        sys.exit(BadInput.exit_code)
