"""`convsafe show`: print a case beside its base and its twin."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command()
@click.argument("id")
@click.option(
    "--release",
    type=click.Path(path_type=Path),
    default=Path("dist/release"),
    show_default=True,
    help="The build or release to look in.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the cases as JSON.")
def command(id: str, release: Path, as_json: bool) -> None:
    """Print the case ID with its base, its twin, and what else was made of its base."""
    from convsafe.data_builders.showing import family, page

    found = family(id, release)
    if as_json:
        click.echo(json.dumps(found.to_json(), ensure_ascii=False, indent=2))
        return
    click.echo(page(found), nl=False)
