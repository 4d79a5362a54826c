"""`convsafe publish-results`: put a board on the Hugging Face Hub."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
from convsafe.taxonomy.errors import BadInput

_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command()
@click.argument("board", type=_FOLDER)
@click.option("--repo", required=True, help="The data set of results, as org/convsafe-results.")
@click.option("--space", help="The Space that gets the site, as org/convsafe-leaderboard.")
@click.option("--site", type=_FOLDER, help="What `convsafe site` wrote, for the Space.")
@click.option("--replies", help="The gated data set of replies, as org/convsafe-replies.")
@click.option("--submissions", type=_FOLDER, help="The submissions whose replies it gets.")
@click.option(
    "--gate",
    type=click.Choice(["manual", "auto"]),
    default="manual",
    show_default=True,
    help="How access to replies is given.",
)
@click.option("--private", is_flag=True, help="Make new repositories private.")
@click.option("--dry-run", is_flag=True, help="Say what would change, and send nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print what was published as JSON.")
def command(
    board: Path,
    repo: str,
    space: str | None,
    site: Path | None,
    replies: str | None,
    submissions: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Put the BOARD that `convsafe rank` wrote on the Hugging Face Hub.

    Needs a token that may write, in HF_TOKEN. Figures and verdicts are public; replies are sent
    only with --replies, and only once the Hub says that their data set is gated.
    """
    from convsafe.leaderboard.hub import publish_results

    done = publish_results(
        board,
        repo,
        site=_both("--space", space, "--site", site),
        replies=_both("--replies", replies, "--submissions", submissions),
        progress=lambda what: click.echo(f"… {what}", err=True),
        **options,
    )
    if as_json:
        click.echo(json.dumps([each.to_json() for each in done], indent=2))
        return
    for each in done:
        told = ", ".join(f"{count} {change}" for change, count in sorted(each.counts.items()))
        said = "would hold" if each.dry_run else "holds"
        click.echo(f"{each.url} {said} {len(each.entries)} files: {told}")


def _both(name: str, repo: str | None, other: str, folder: Path | None) -> tuple[str, Path] | None:
    """Return two options that are given together."""
    if (repo is None) != (folder is None):
        raise BadInput(f"{name} and {other} are given together, or neither")
    return None if repo is None or folder is None else (repo, folder)
