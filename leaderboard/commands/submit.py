"""`convsafe submit`: pack a run, or a bare file of replies, for the board."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click
from convsafe.taxonomy.errors import BadInput


@click.command()
@click.argument("source", metavar="RUN|FILE", type=click.Path(path_type=Path))
@click.option("--name", required=True, help="What the board calls the model or system.")
@click.option("--contact", required=True, help="Who answers questions: a mail or web address.")
@click.option("--license", required=True, help="Of the replies, as SPDX writes it: CC-BY-4.0.")
@click.option("--statement", default="", help="What else to say: training on the cases, guards …")
@click.option("--url", default="", help="Where to read about the model.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="The submission's folder  [default: submissions/NAME]",
)
@click.option(
    "--release",
    type=click.Path(path_type=Path),
    help="The board's release folder; by default our own core set.",
)
@click.option(
    "--rules", "board", type=click.Path(path_type=Path), help="Another file than board.yaml."
)
@click.option("--model", help="Of a FILE: the model's name  [default: --name]")
@click.option("--temperature", type=float, help="Of a FILE: how it was decoded.")
@click.option("--top-p", type=float, help="Of a FILE: sampled from this much.")
@click.option("--max-tokens", type=int, help="Of a FILE: the longest reply allowed.")
@click.option("--seed", type=int, help="Of a FILE: the seed of decoding.")
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
def command(
    source: Path,
    out: Path | None,
    release: Path | None,
    board: Path | None,
    as_json: bool,
    temperature: float | None,
    top_p: float | None,
    max_tokens: int | None,
    seed: int | None,
    **said: Any,
) -> None:
    """Pack a run's folder, or a CSV, JSONL or Parquet FILE of id and response, for the board.

    The submission is checked at once; `convsafe verify` does the same and scores it.
    """
    from convsafe.leaderboard.board import Board
    from convsafe.leaderboard.checking import check
    from convsafe.leaderboard.packing import About, pack
    from convsafe.leaderboard.records import slug
    from convsafe.leaderboard.verify_text import report

    params = {
        "temperature": temperature,
        "top_p": top_p,
        "max_tokens": max_tokens,
        "seed": seed,
    }
    given = {name: value for name, value in params.items() if value is not None}
    if source.is_dir() and (given or said["model"]):
        raise BadInput("a run says its model and decoding itself: leave those out", file=source)
    asked = Board.load(board, release)
    folder = out or Path("submissions") / slug(said["name"])
    pack(source, About(**said, params=given), folder, asked)
    checked = check(folder, asked)
    click.echo(json.dumps(checked.to_row(), indent=2) if as_json else report(checked))
    if not checked.accepted:
        sys.exit(BadInput.exit_code)
    if not as_json:
        click.echo(f"Packed into {folder}. Next: `convsafe verify {folder}` scores it as the board")
        click.echo("does; then add the folder to leaderboard/submissions in a pull request.")
