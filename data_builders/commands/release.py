"""`convsafe release`: write the folder that is published on the Hub."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command()
@click.option("--version", required=True, help="Semantic version of the release, as 1.0.0.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("dist/hub"),
    show_default=True,
    help="Folder to write; an earlier build or release there is replaced.",
)
@click.option(
    "--profile",
    type=click.Choice(["permissive", "research", "all"]),
    default="permissive",
    show_default=True,
    help="Licences to take; `all` is for yourself and cannot be published.",
)
@click.option(
    "--sources", help="Comma-separated names of sources; by default all the profile takes."
)
@click.option(
    "--transforms",
    default="all",
    show_default=True,
    help="Comma-separated transforms or kinds of them; `none` for base cases only.",
)
@click.option("--date", help="Day of the release, as 2026-11-24; by default none is written.")
@click.option(
    "--hidden",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Public commitment to hidden prompts, as `convsafe hidden commit` wrote it.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=2,
    show_default=True,
    help="Files written at once; the bytes do not depend on it.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the manifest as JSON.")
def command(
    version: str,
    out: Path,
    profile: str,
    sources: str | None,
    transforms: str,
    date: str | None,
    hidden: Path | None,
    workers: int,
    as_json: bool,
) -> None:
    """Write a release: Parquet shards, card, licences, citation, Croissant, manifest."""
    from convsafe.data_builders.listing import coverage_lines, listed
    from convsafe.data_builders.releasing import release

    built = release(
        version,
        out,
        profile=profile,
        sources=None if sources is None else listed(sources),
        transforms=listed(transforms),
        date=date,
        hidden=hidden,
        workers=workers,
        progress=lambda what: click.echo(f"… {what}", err=True),
    )
    manifest = built.manifest
    if as_json:
        click.echo(json.dumps(manifest, indent=2))
        return
    for config, splits in manifest["configs"].items():
        click.echo(f"{config:<16}" + "".join(f"{name:>6}{n:>8}" for name, n in splits.items()))
    click.echo(
        f"\n{manifest['cases']} cases in {len(manifest['languages'])} languages from"
        f" {len(manifest['sources'])} sources, profile {profile}"
    )
    for line in coverage_lines(manifest):
        click.echo(line)
    for name, why in manifest["left_out"].items():
        click.echo(f"not in it: {name} ({why})")
    if not manifest["publishable"]:
        click.echo("NOT FOR PUBLICATION: it may hold rows whose terms forbid it", err=True)
    click.echo(f"content sha256 {manifest['content_sha256']}\nwrote {out}")
