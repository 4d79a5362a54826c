"""The commands of human labels, for the group `judge`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click
from convsafe.benchmark.loading import DEFAULT

if TYPE_CHECKING:
    from convsafe.benchmark.human_labels import Labels


@click.command("export-labels")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Folder  [default: RUN/labels]")
@click.option("--n", default=200, show_default=True, help="How many replies to draw.")
@click.option("--seed", default=0, show_default=True, help="Another seed draws others.")
@click.option("--judge", default=DEFAULT, show_default=True, help="The judge to be measured.")
@click.option("--json", "as_json", is_flag=True, help="Print what was drawn as JSON.")
def export_labels_command(
    run: Path, out: Path | None, n: int, seed: int, judge: str, as_json: bool
) -> None:
    """Draw replies of a judged run for people to label, as a CSV and an offline page."""
    from convsafe.benchmark.human_labels import export_labels

    folder = out or run / "labels"
    sample = export_labels(run, folder, n, seed, judge=judge)
    if as_json:
        click.echo(json.dumps(sample, indent=2, ensure_ascii=False))
        return
    left = sample["left_out"]
    click.echo(f"{sample['n']} replies of {len(sample['strata'])} strata")
    click.echo(f"left out: {left['never_shown']} never shown, {left['no_text']} without a text")
    click.echo(f"Open {folder / 'form.html'}, or fill in {folder / 'labels.csv'}.")


@click.command("import-labels")
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def import_labels_command(folder: Path, files: tuple[Path, ...], as_json: bool) -> None:
    """Read raters' files back into the folder of a sample, and tell how far they agree."""
    from convsafe.benchmark.human_labels import import_labels

    found = import_labels(folder, files)
    if as_json:
        click.echo(json.dumps(found.to_row(), indent=2, ensure_ascii=False))
        return
    click.echo(f"{found.n} replies labelled by {', '.join(found.raters)}: {found.path}")
    if len(found.raters) > 1:
        for name, value in found.alpha.items():
            figure = "undefined" if value is None else f"{value:.3f}"
            click.echo(f"Krippendorff's α, {name}: {figure}")
    _echo_labelled(found)


def _echo_labelled(found: Labels) -> None:
    """Say what the file of labelled replies lacks, and what a judge can be measured on."""
    if found.dropped:
        click.echo(
            f"no longer here: the labels of {', '.join(found.dropped)}; to keep them, import the"
            " files of all raters at once"
        )
    lacking = {"without a majority": found.without_majority, "not given": found.without_stance}
    if told := [f"{count} {why}" for why, count in lacking.items() if count]:
        click.echo(f"no stance in {found.labelled.name}: {', '.join(told)}")
    for column, option in (("stance", "--label"), ("unsafe", "--unsafe")):
        if any(row[column] is not None for row in found.majority):
            where = f"{found.labelled} {option} {column}"
            click.echo(f"Measure a judge on them: convsafe judge-eval {where}")
