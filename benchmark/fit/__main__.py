"""Fit the embedded judge, validate it and write its weights: python -m convsafe.benchmark.fit."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click
from convsafe.taxonomy.files import write_json, write_text

if TYPE_CHECKING:
    from convsafe.benchmark.fit.calibration import Cut
    from convsafe.benchmark.fit.embedded import Material
    from convsafe.benchmark.judges._weights import Models


@click.command()
@click.option(
    "--labels",
    type=click.Path(path_type=Path),
    default=Path("dist/labels/labels.parquet"),
    show_default=True,
    help="What `convsafe labels` wrote.",
)
@click.option("--validate/--no-validate", default=True, help="Measure too, and write the card.")
@click.option("--out", type=click.Path(path_type=Path), help="Write all of it elsewhere.")
def main(labels: Path, validate: bool, out: Path | None) -> None:
    """Fit the embedded judge's weights and measure it on what it was not fitted on."""
    from convsafe.benchmark.fit.embedded import material
    from convsafe.benchmark.fit.rows import fitting_rows

    whole = material(fitting_rows(labels))
    click.echo(f"{len(whole.rows)} rows, {whole.rows['kept'].sum()} kept to measure on", err=True)
    write(whole, out, validate)


def write(whole: Material, out: Path | None, validate: bool) -> None:
    """Fit on what is not kept, with the calibration of sets left out, and write it."""
    from dataclasses import replace

    from convsafe.benchmark.fit.calibration import calibrated, cut_of
    from convsafe.benchmark.fit.embedded import fit, told
    from convsafe.benchmark.fit.validate import groups_left_out, out_of_fold
    from convsafe.benchmark.judges import _weights
    from convsafe.benchmark.loading import JUDGES
    from convsafe.benchmark.seen import write_seen

    folds = list(groups_left_out(whole))
    odds = {name: out_of_fold(folds, whole, name) for name in ("refused", "unsafe")}
    known = {name: calibrated(whole, name, odds[name]) for name in odds}
    cut = cut_of(whole, odds["unsafe"], known["unsafe"])
    models = fit(whole, known)
    models = models._replace(unsafe=replace(models.unsafe, threshold=cut.threshold))
    folder = out or _weights.FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    _weights.write(models, folder)
    seen = whole.rows.filter(~whole.rows["kept"], told()).select("prompt", "response")
    write_seen(folder / "embedded.seen.txt", seen.iter_rows())
    click.echo(f"wrote {folder}", err=True)
    if validate:
        card(whole, models, cut, folder, out or JUDGES.folder)


def card(whole: Material, models: Models, cut: Cut, folder: Path, agreement: Path) -> None:
    """Write what was measured as the judge's card, and say it.

    Args:
        whole: All rows.
        models: What was fitted.
        cut: The threshold of harm.
        folder: Where the page and all figures go.
        agreement: The folder for the figures that go beside every score.
    """
    from convsafe.benchmark.fit.pages import page
    from convsafe.benchmark.fit.validate import (
        entries,
        models_left_out,
        prompts_left_out,
        sets_left_out,
        shuffled,
        toxicity_entries,
    )
    from convsafe.benchmark.judges import _weights, embedded

    calibration = {
        name: (model.scale, model.shift)
        for name, model in models._asdict().items()
        if name in ("refused", "unsafe")
    }
    folds = (
        *sets_left_out(whole, calibration),
        *models_left_out(whole, calibration),
        *prompts_left_out(whole, models),
    )
    found = [entry for fold in folds for entry in entries(fold, cut.threshold)]
    stamp = {"judge_version": embedded.VERSION, "date": date.today().isoformat()}
    rows = [{**entry, **stamp} for entry in (*found, *toxicity_entries(whole, models))]
    write_json(folder / "embedded.validation.json", rows)
    # A card holds what people said of sets that were left out whole.
    sets = [row for row in rows if row.get("labels") == "people" and row["left_out"] == "set"]
    write_json(agreement / "embedded.agreement.json", sets)
    natural = whole.only((whole.rows["source"] == "own_natural") & ~whole.rows["noised"])
    _weights.load.cache_clear()
    text = page(rows, shuffled(natural, embedded.judge), cut, embedded.SUMMARY)
    write_text(folder / "embedded.md", text)
    click.echo(text)


if __name__ == "__main__":
    main()
