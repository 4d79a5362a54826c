"""`convsafe build`: assemble the suite."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("dist/release"),
    show_default=True,
    help="Folder to write; an earlier build there is replaced.",
)
@click.option(
    "--sources", help="Comma-separated names of sources; by default all that are verified."
)
@click.option(
    "--transforms",
    default="all",
    show_default=True,
    help="Comma-separated transforms or kinds of them; `none` for base cases only.",
)
@click.option(
    "--recipe",
    type=click.Path(path_type=Path, dir_okay=False),
    help="YAML that says which transforms on which cases  [default: the full suite's]",
)
@click.option("--json", "as_json", is_flag=True, help="Print the manifest as JSON.")
def command(
    out: Path, sources: str | None, transforms: str, recipe: Path | None, as_json: bool
) -> None:
    """Assemble sources and our own prompts, transformed by a recipe, into a release folder."""
    from convsafe.data_builders import build
    from convsafe.data_builders.listing import coverage_lines, listed
    from convsafe.data_builders.recipe import FULL

    built = build(
        out,
        None if sources is None else listed(sources),
        transforms=listed(transforms),
        recipe=recipe or FULL,
        progress=lambda what: click.echo(f"… {what}", err=True),
    )
    if as_json:
        click.echo(json.dumps(built.manifest, indent=2))
        return
    manifest = built.manifest
    click.echo(f"{'source':<24}{'read':>7}{'made':>8}  configs")
    for name, entry in manifest["sources"].items():
        spread = ", ".join(f"{config} {count}" for config, count in entry["configs"].items())
        read = entry["cases"] - entry["transformed"]
        click.echo(f"{name:<24}{read:>7}{entry['transformed']:>8}  {spread}")
    click.echo(f"\n{'config':<24}{'cases':>7}{'dev':>8}{'test':>8}")
    for name, splits in manifest["configs"].items():
        view = "  (view over our own cases)" if name == "core" else ""
        counts = f"{splits.get('dev', 0):>8}{splits.get('test', 0):>8}"
        click.echo(f"{name:<24}{sum(splits.values()):>7}{counts}{view}")
    click.echo(
        f"\n{manifest['cases']} distinct cases; {manifest['dropped']} upstream rows are no case:"
        f" {out}/dropped.jsonl\n{manifest['merged']} of {len(built.assembly.duplicates)} duplicates"
        f" dropped, the rest kept in one cluster: {out}/duplicates.jsonl\n"
        f"{len(built.assembly.doubtful)} language tags that two detectors doubt:"
        f" {out}/languages.jsonl"
    )
    for line in coverage_lines(manifest):
        click.echo(line)
    for name, entry in manifest["unverified"].items():
        click.echo(
            f"unverified, outside all totals: {name}, {entry['cases']} cases in {entry['config']}"
        )
    if left_out := built.assembly.left_out:
        click.echo(f"left out {', '.join(left_out)}: not reached", err=True)
        click.echo(f"  the first: {next(iter(left_out.values()))}", err=True)
    if len(manifest["sources"]) == 1:
        click.echo("Only our own core set was built: no upstream source was reached.", err=True)
    click.echo(f"content sha256 {manifest['content_sha256']}\nwrote {out}")
